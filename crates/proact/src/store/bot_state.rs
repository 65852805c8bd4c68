//! Bot state in the store: ETags that really protect, several keys all or none.
//!
//! [`Store`] is a [`Storage`], so that state saved at a turn's end shares the commit of the turn's record.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, FutureExt};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Command, Effect, Error, Keyed, Query, Store, Tx, Writes};
use crate::state::{CommitScope, StateChange, StateSaved, Storage, StorageError, StoreItem, check_changes};
use crate::turn::CommandKey;

/// Writes values if each is still what its writer read; otherwise none.
#[derive(Debug)]
pub struct WriteState(pub Vec<StateChange>);

impl Effect for Vec<StateSaved> {
    fn took_effect(&self) -> bool {
        !self.is_empty()
    }
}

impl Command for WriteState {
    type Outcome = Vec<StateSaved>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let mut conflicts = Vec::new();
        for change in &self.0 {
            let found: Option<i64> = tx
                .prepare("SELECT etag FROM bot_state WHERE key = ?1")?
                .query_row([&change.key], |row| row.get(0))
                .optional()?;
            let as_expected = change.expect.holds(found.map(|etag| etag.to_string()).as_deref());
            if !as_expected {
                conflicts.push(change.key.clone());
            }
        }
        if !conflicts.is_empty() {
            return Err(Error::Conflict { keys: conflicts });
        }
        self.0.into_iter().map(|change| write(tx, change)).collect()
    }

    fn writes(&self) -> Writes {
        if self.0.is_empty() { Writes::Nothing } else { Writes::Many }
    }
}

fn write(tx: &Tx<'_>, change: StateChange) -> Result<StateSaved, Error> {
    let StateChange { key, value, .. } = change;
    let Some(value) = value else {
        tx.prepare("DELETE FROM bot_state WHERE key = ?1")?.execute([&key])?;
        return Ok(StateSaved { key, etag: None });
    };
    // One counter for all keys: an ETag never comes back, not even for a key that was deleted and made again.
    let etag: i64 = tx
        .prepare("UPDATE bot_state_etag SET last = last + 1 WHERE only = 1 RETURNING last")?
        .query_row([], |row| row.get(0))?;
    tx.prepare(
        "INSERT INTO bot_state (key, value, etag) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET value = excluded.value, etag = excluded.etag",
    )?
    .execute(params![key, serde_json::to_string(&value)?, etag])?;
    Ok(StateSaved { key, etag: Some(etag.to_string()) })
}

struct ReadState(Vec<String>);

impl Query for ReadState {
    type Answer = HashMap<String, StoreItem>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        // One transaction, so that several keys are read as of one moment.
        let tx = connection.unchecked_transaction()?;
        let mut statement = tx.prepare_cached("SELECT value, etag FROM bot_state WHERE key = ?1")?;
        let mut found = HashMap::with_capacity(self.0.len());
        for key in self.0 {
            let row: Option<(String, i64)> =
                statement.query_row([&key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            if let Some((value, etag)) = row {
                let item = StoreItem { value: serde_json::from_str(&value)?, etag: etag.to_string() };
                found.insert(key, item);
            }
        }
        Ok(found)
    }
}

impl Storage for Store {
    fn read<'s>(
        &'s self,
        keys: &'s [String],
    ) -> BoxFuture<'s, Result<HashMap<String, StoreItem>, StorageError>> {
        let found = Self::read(self, ReadState(keys.to_vec()));
        async move { found.await.map_err(refused) }.boxed()
    }

    fn write(&self, changes: Vec<StateChange>) -> BoxFuture<'_, Result<Vec<StateSaved>, StorageError>> {
        async move {
            check_changes(&changes)?;
            self.commit(WriteState(changes)).await.map_err(refused)
        }
        .boxed()
    }

    fn write_in_turn(
        &self,
        key: CommandKey,
        changes: Vec<StateChange>,
    ) -> BoxFuture<'_, Result<Vec<StateSaved>, StorageError>> {
        async move {
            check_changes(&changes)?;
            // The keys alone: run again, the handler reads what it has itself written, and may come to other values.
            let keys: Vec<&[u8]> = changes.iter().map(|change| change.key.as_bytes()).collect();
            let digest = Keyed::<()>::digest(&keys);
            let command = WriteState(changes);
            self.commit(Keyed { key: Some(key), kind: "state.save", digest, command }).await.map_err(refused)
        }
        .boxed()
    }

    fn commit_scope(&self) -> Option<CommitScope> {
        Some(self.scope())
    }
}

fn refused(error: Error) -> StorageError {
    match error {
        Error::Conflict { keys } => StorageError::Conflict { keys },
        error => StorageError::failed(error),
    }
}
