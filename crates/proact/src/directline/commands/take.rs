//! What people send, and how handing it to the bot ended.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use super::{AddFiles, Closed, File, Kept, Place, append, end, join, open, remember, taken};
use crate::directline::members::User;
use crate::store::{Command, Error, Tx};

/// Takes an activity of a person, once per `key`; that person joins if they have not yet.
#[derive(Debug)]
pub(in crate::directline) struct Take {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) user: User,
    pub(in crate::directline) locale: Option<String>,
    pub(in crate::directline) body: Arc<str>,
    pub(in crate::directline) key: Option<String>,
    /// People in the conversation at most.
    pub(in crate::directline) most: usize,
    /// The files that come with it; noted only if it is new.
    pub(in crate::directline) files: Vec<File>,
}

#[derive(Debug)]
pub(in crate::directline) enum Taken {
    /// It is new.
    New {
        /// What the bot is to be told first.
        join: Option<Kept>,
        activity: Kept,
    },
    /// It has come before, under this number.
    Before { seq: i64, hand_over: HandOver },
}

/// Where the bot stands with something that came before.
#[derive(Debug)]
pub(in crate::directline) enum HandOver {
    /// It has it.
    Done,
    /// It is to be handed it: it has not answered yet, or it refused before and the person tries again.
    Due(Kept),
}

impl Command for Take {
    type Outcome = Result<Taken, Closed>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, user, locale, body, key, most, files } = self;
        if let Some(key) = &key
            && let Some(seq) = taken(tx, &place, key)?
        {
            return Ok(Ok(Taken::Before { seq, hand_over: again(tx, &place, seq)? }));
        }
        if let Err(closed) = open(tx, &place)? {
            return Ok(Err(closed));
        }
        let join = match join(tx, &place, &user, locale.as_deref(), most)? {
            Ok(join) => join,
            Err(full) => return Ok(Err(full)),
        };
        let Some(activity) = append(tx, &place, body, true, Some("due"))? else {
            return Ok(Err(Closed::Unknown));
        };
        if let Some(key) = &key {
            remember(tx, &place, key, activity.seq)?;
        }
        AddFiles { place, files }.apply(tx)?;
        Ok(Ok(Taken::New { join, activity }))
    }
}

/// Makes what was refused due again. What was pruned since is done.
fn again(tx: &Tx<'_>, place: &Place, seq: i64) -> Result<HandOver, Error> {
    let due = tx
        .prepare(
            "UPDATE directline_activity SET hand_over = 'due'
             WHERE partition = ?1 AND conversation = ?2 AND seq = ?3 AND hand_over IN ('due', 'rejected')
             RETURNING at, body",
        )?
        .query_row(params![place.partition, place.id, seq], |row| {
            Ok(Kept { seq, at: row.get(0)?, body: row.get::<_, String>(1)?.into() })
        })
        .optional()?;
    Ok(due.map_or(HandOver::Done, HandOver::Due))
}

/// Where the bot stands with something that comes again, now that it is its turn: who handed it over meanwhile has recorded
/// the end before.
#[derive(Debug)]
pub(in crate::directline) struct Again {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) seq: i64,
}

impl Command for Again {
    type Outcome = HandOver;

    fn apply(self, tx: &mut Tx<'_>) -> Result<HandOver, Error> {
        again(tx, &self.place, self.seq)
    }
}

/// Whether the bot is still to be handed an activity. A command, so that what was recorded before it counts, written or
/// not.
#[derive(Debug)]
pub(in crate::directline) struct IsDue {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) seq: i64,
}

impl Command for IsDue {
    type Outcome = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        Ok(tx
            .prepare(
                "SELECT 1 FROM directline_activity
                 WHERE partition = ?1 AND conversation = ?2 AND seq = ?3 AND hand_over = 'due'",
            )?
            .exists(params![self.place.partition, self.place.id, self.seq])?)
    }
}

/// Records how handing an activity to the bot ended, and ends the conversation if that is what the activity said. Only
/// the first end counts.
#[derive(Debug)]
pub(in crate::directline) struct Settle {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) seq: i64,
    pub(in crate::directline) taken: bool,
    pub(in crate::directline) ends: bool,
}

impl Command for Settle {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Self { place, seq, taken, ends } = self;
        let hand_over = if taken { "taken" } else { "rejected" };
        tx.prepare(
            "UPDATE directline_activity SET hand_over = ?4
             WHERE partition = ?1 AND conversation = ?2 AND seq = ?3 AND hand_over = 'due'",
        )?
        .execute(params![place.partition, place.id, seq, hand_over])?;
        if ends {
            end(tx, &place)?;
        }
        Ok(())
    }
}
