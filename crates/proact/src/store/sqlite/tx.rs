//! The writer's transaction, as a command sees it.

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::{
    store::{Change, Error},
    turn::{CommandKey, TurnKey},
};

/// The open transaction: statements, the time of this commit, and what it changes.
#[derive(Debug)]
pub struct Tx<'a> {
    connection: &'a Connection,
    now: i64,
    changes: Vec<Change>,
}

impl<'a> Tx<'a> {
    pub(super) const fn new(connection: &'a Connection, now: i64) -> Self {
        Self { connection, now, changes: Vec::new() }
    }

    /// The database.
    #[must_use]
    pub const fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// A prepared statement, kept for the next time.
    ///
    /// # Errors
    /// What the database says of the statement.
    pub fn prepare(&self, sql: &str) -> Result<CachedStatement<'a>, Error> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// The time of this commit, in milliseconds since 1970.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.now
    }

    /// Tells the store's subscribers of a change, after the sync.
    pub fn changed(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(super) const fn mark(&self) -> usize {
        self.changes.len()
    }

    /// Forgets the changes of a command that was undone.
    pub(super) fn rewind(&mut self, mark: usize) {
        self.changes.truncate(mark);
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    pub(in crate::store) fn recorded_command(
        &self,
        key: CommandKey,
    ) -> Result<Option<(String, [u8; 16], String)>, Error> {
        let CommandKey { turn: TurnKey(turn), partition, ordinal } = key;
        Ok(self
            .prepare(
                "SELECT kind, digest, outcome FROM command WHERE partition = ?1 AND turn = ?2 AND ordinal = ?3",
            )?
            .query_row(params![partition, turn, ordinal], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?)
    }

    pub(in crate::store) fn record_command(
        &self,
        key: CommandKey,
        kind: &str,
        digest: [u8; 16],
        outcome: &str,
    ) -> Result<(), Error> {
        let CommandKey { turn: TurnKey(turn), partition, ordinal } = key;
        self.prepare(
            "INSERT INTO command (partition, turn, ordinal, kind, digest, outcome, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![partition, turn, ordinal, kind, digest, outcome, self.now])?;
        Ok(())
    }
}
