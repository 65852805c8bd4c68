//! The writer's transaction, as a command sees it.

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::{
    store::{Change, Error},
    turn::{CommandKey, TurnKey},
};

/// The open transaction: statements, the time of this commit, and what it changes.
pub struct Tx<'a> {
    connection: &'a Connection,
    now: i64,
    changes: Vec<Change>,
    tallies: Vec<(&'static str, i64)>,
    afterwards: Vec<Afterwards>,
}

/// Something to do when the commit is durable.
type Afterwards = Box<dyn FnOnce() + Send>;

/// How far a transaction had come, to go back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    changes: usize,
    tallies: usize,
    afterwards: usize,
}

impl<'a> Tx<'a> {
    pub(super) const fn new(connection: &'a Connection, now: i64) -> Self {
        Self { connection, now, changes: Vec::new(), tallies: Vec::new(), afterwards: Vec::new() }
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

    /// Adds `by` to a tally; the tallies of a commit are written once, at its end.
    pub(crate) fn tally(&mut self, name: &'static str, by: i64) {
        self.tallies.push((name, by));
    }

    /// Has `act` called on the writer's thread when the commit is durable and before anybody is answered. It is dropped unused if the
    /// command is undone or the commit fails, so it can hold what must then be let go. It must only pass on.
    pub(crate) fn afterwards(&mut self, act: impl FnOnce() + Send + 'static) {
        self.afterwards.push(Box::new(act));
    }

    pub(super) const fn mark(&self) -> Mark {
        Mark { changes: self.changes.len(), tallies: self.tallies.len(), afterwards: self.afterwards.len() }
    }

    /// Forgets what a command that was undone has announced.
    pub(super) fn rewind(&mut self, mark: Mark) {
        self.changes.truncate(mark.changes);
        self.tallies.truncate(mark.tallies);
        self.afterwards.truncate(mark.afterwards);
    }

    /// Writes the tallies of the whole commit.
    pub(super) fn write_tallies(&mut self) -> rusqlite::Result<()> {
        self.tallies.sort_unstable_by_key(|(name, _)| *name);
        for same in self.tallies.chunk_by(|a, b| a.0 == b.0) {
            let (name, by) = (same[0].0, same.iter().map(|(_, by)| by).sum::<i64>());
            if by != 0 {
                self.connection
                    .prepare_cached(
                        "INSERT INTO tally VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                    )?
                    .execute(params![name, by])?;
            }
        }
        Ok(())
    }

    pub(super) fn into_effects(self) -> (Vec<Change>, Vec<Afterwards>) {
        (self.changes, self.afterwards)
    }

    pub(crate) fn recorded_command(
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

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("now", &self.now).field("changes", &self.changes).finish_non_exhaustive()
    }
}
