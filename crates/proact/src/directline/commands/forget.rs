//! Forgetting, in steps: each command takes away no more than its limit, so that nothing that is due waits for it.
//!
//! What the bot has not been handed yet is never forgotten.

use rusqlite::params;

use super::Place;
use crate::store::{Command, Error, Tx};

/// Forgets activities that are older than `before`, beginning after `row`.
#[derive(Debug)]
pub(in crate::directline) struct ForgetActivities {
    pub(in crate::directline) before: i64,
    pub(in crate::directline) after_row: i64,
    pub(in crate::directline) limit: usize,
}

/// How far a step of [`ForgetActivities`] came.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::directline) struct ForgottenActivities {
    pub(in crate::directline) forgotten: usize,
    /// Where the next step begins; `None` when what follows is young.
    pub(in crate::directline) next_after_row: Option<i64>,
}

impl Command for ForgetActivities {
    type Outcome = ForgottenActivities;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { before, after_row, limit } = self;
        // Rows stand in the order in which they came: the first young one ends the round.
        let oldest: Vec<(i64, bool, bool)> = tx
            .prepare(
                "SELECT row, coalesce(came_at, at) < ?1, hand_over IS 'due' FROM directline_activity WHERE row > ?2 ORDER BY row LIMIT ?3",
            )?
            .query_map(params![before, after_row, limit as i64], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<Result<_, _>>()?;
        let old: Vec<_> = oldest.iter().take_while(|(_, old, _)| *old).collect();
        let next_after_row = if old.len() == limit { old.last().map(|(row, ..)| *row) } else { None };
        let mut forgotten = 0;
        for (row, _, due) in old {
            if !due {
                forgotten += tx.prepare("DELETE FROM directline_activity WHERE row = ?1")?.execute([row])?;
            }
        }
        Ok(ForgottenActivities { forgotten, next_after_row })
    }
}

/// Forgets the activities of one conversation up to a number.
#[derive(Debug)]
pub(in crate::directline) struct ForgetLong {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) up_to: i64,
    /// The conversation's length is of no concern before it has come this much further than what is kept of it.
    pub(in crate::directline) pruned: i64,
    pub(in crate::directline) limit: usize,
}

impl Command for ForgetLong {
    /// How many were forgotten: fewer than the limit when it is done.
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, Error> {
        let Self { place, up_to, pruned, limit } = self;
        let forgotten = tx
            .prepare(
                "DELETE FROM directline_activity WHERE row IN (
                     SELECT row FROM directline_activity
                     WHERE partition = ?1 AND conversation = ?2 AND seq <= ?3 AND hand_over IS NOT 'due'
                     ORDER BY seq LIMIT ?4)",
            )?
            .execute(params![place.partition, place.id, up_to, limit as i64])?;
        if forgotten < limit {
            tx.prepare(
                "UPDATE directline_conversation SET pruned_seq = max(pruned_seq, ?3) WHERE partition = ?1 AND id = ?2",
            )?
            .execute(params![place.partition, place.id, pruned])?;
        }
        Ok(forgotten)
    }
}

/// Forgets the ids of notifications and of clients' messages that came before `before`.
#[derive(Debug)]
pub(in crate::directline) struct ForgetIds {
    pub(in crate::directline) before: i64,
    pub(in crate::directline) limit: usize,
}

impl Command for ForgetIds {
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, Error> {
        Ok(tx
            .prepare(
                "DELETE FROM directline_taken_id WHERE (partition, conversation, key) IN (
                     SELECT partition, conversation, key FROM directline_taken_id
                     INDEXED BY directline_taken_id_of_age WHERE at < ?1 ORDER BY at LIMIT ?2)",
            )?
            .execute(params![self.before, self.limit as i64])?)
    }
}

/// Forgets a conversation in which nothing has happened since `before`.
#[derive(Debug)]
pub(in crate::directline) struct Expire {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) before: i64,
    pub(in crate::directline) limit: usize,
}

impl Command for Expire {
    /// Whether there is more of it to forget.
    type Outcome = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let Self { place, before, limit } = self;
        let expired = tx
            .prepare(
                "SELECT 1 FROM directline_conversation
                 WHERE partition = ?1 AND id = ?2 AND max(last_at, created_at) < ?3 AND NOT EXISTS (
                     SELECT 1 FROM directline_activity INDEXED BY directline_activity_due
                     WHERE partition = ?1 AND conversation = ?2 AND hand_over = 'due')",
            )?
            .exists(params![place.partition, place.id, before])?;
        if !expired {
            return Ok(false);
        }
        // The row goes last: until then the rest is found again, also by another process.
        for sql in [
            "DELETE FROM directline_activity WHERE row IN (
                 SELECT row FROM directline_activity WHERE partition = ?1 AND conversation = ?2 LIMIT ?3)",
            "DELETE FROM directline_member WHERE (partition, conversation, id) IN (
                 SELECT partition, conversation, id FROM directline_member
                 WHERE partition = ?1 AND conversation = ?2 LIMIT ?3)",
        ] {
            if tx.prepare(sql)?.execute(params![place.partition, place.id, limit as i64])? == limit {
                return Ok(true);
            }
        }
        tx.prepare("DELETE FROM directline_conversation WHERE partition = ?1 AND id = ?2")?
            .execute(params![place.partition, place.id])?;
        Ok(false)
    }
}

/// Forgets files that came before `before`. Their bytes are for the caller to remove.
#[derive(Debug)]
pub(in crate::directline) struct ForgetFiles {
    pub(in crate::directline) before: i64,
    pub(in crate::directline) limit: usize,
}

impl Command for ForgetFiles {
    /// Their ids.
    type Outcome = Vec<String>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let mut statement = tx.prepare(
            "DELETE FROM directline_file WHERE (partition, id) IN (
                 SELECT partition, id FROM directline_file INDEXED BY directline_file_of_age
                 WHERE at < ?1 ORDER BY at LIMIT ?2)
             RETURNING id",
        )?;
        let ids = statement.query_map(params![self.before, self.limit as i64], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}
