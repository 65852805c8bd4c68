//! After a restore: what the bot had not been handed when the backup was made may have been handed to it since, so it is held with
//! everything else (see [`Hold`](crate::proactive::Hold)) until an operator releases it. And clients have come further than the data
//! has, so the watermarks of before are void.

use rusqlite::{Connection, params};

use crate::{
    proactive::hold::{GENERATION, fact, mark, set_mark},
    store::{Command, Error, Query, Tx},
};

/// Activities up to this row are held.
const MARK: &str = "held/directline";

/// Holds what is due to the bot: part of the commit that starts a new generation of the data. Older data need not have the channel's
/// tables.
#[derive(Debug)]
pub(crate) struct HoldDue;

impl Command for HoldDue {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let there = tx
            .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'directline_activity'")?
            .exists([])?;
        if there {
            let newest: i64 = tx
                .prepare("SELECT coalesce(max(row), 0) FROM directline_activity")?
                .query_row([], |row| row.get(0))?;
            set_mark(tx, MARK, newest)?;
        }
        Ok(())
    }
}

/// The row up to which activities are held, if they are.
#[derive(Debug)]
pub(super) struct HeldRow;

impl Query for HeldRow {
    type Answer = Option<i64>;

    fn run(self, connection: &Connection) -> Result<Option<i64>, Error> {
        mark(connection, MARK)
    }
}

/// Which life of the data this is; empty before the first restore.
#[derive(Debug)]
pub(super) struct ReadGeneration;

impl Query for ReadGeneration {
    type Answer = String;

    fn run(self, connection: &Connection) -> Result<String, Error> {
        Ok(fact(connection, GENERATION)?.unwrap_or_default())
    }
}

/// Counts the activities that are held.
#[derive(Debug)]
pub(crate) struct CountHeld;

impl Query for CountHeld {
    type Answer = u64;

    fn run(self, connection: &Connection) -> Result<u64, Error> {
        let Some(held) = mark(connection, MARK)? else { return Ok(0) };
        let count: i64 = connection
            .prepare("SELECT count(*) FROM directline_activity WHERE hand_over = 'due' AND row <= ?1")?
            .query_row([held], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}

/// Drops a few of the held activities that came before a time: the bot is never handed them, and clients still see them.
#[derive(Debug)]
pub(crate) struct DropDue {
    pub(crate) before: i64,
    pub(crate) limit: usize,
}

impl Command for DropDue {
    /// How many went.
    type Outcome = u64;

    fn apply(self, tx: &mut Tx<'_>) -> Result<u64, Error> {
        let Some(held) = mark(tx.connection(), MARK)? else { return Ok(0) };
        let dropped = tx
            .prepare(
                "UPDATE directline_activity SET hand_over = 'rejected' WHERE row IN (
                    SELECT row FROM directline_activity WHERE hand_over = 'due' AND row <= ?1 AND at < ?2 LIMIT ?3)",
            )?
            .execute(params![held, self.before, self.limit as i64])?;
        Ok(dropped as u64)
    }
}
