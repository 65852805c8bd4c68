//! The storage contract.

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::fmt::Debug;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{CommitScope, Expect, StateChange, StateSaved};
use crate::turn::CommandKey;

/// An item as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreItem {
    /// The value.
    pub value: Value,
    /// The item's version: not empty, not `*`, and different after every write, also after a deletion in between.
    pub etag: String,
}

/// A store of JSON values under text keys, with optimistic concurrency.
///
/// Anyone can implement it; the suites of `state::conformance` (feature `testkit`) hold an implementation against this
/// contract.
pub trait Storage: Debug + Send + Sync + 'static {
    /// Reads items. Keys that are not stored are not in the answer; any text is a key.
    fn read<'s>(
        &'s self,
        keys: &'s [String],
    ) -> BoxFuture<'s, Result<HashMap<String, StoreItem>, StorageError>>;

    /// Makes all changes or none, and answers one [`StateSaved`] for each, in their order.
    ///
    /// Fails with [`StorageError::Conflict`] naming every key whose [`Expect`] does not hold; with
    /// [`StorageError::EmptyETag`] or [`StorageError::RepeatedKey`] for changes that make no sense
    /// ([`check_changes`] finds both). No changes are a success. Deleting what is not there is one too, unless an ETag was
    /// expected.
    fn write(&self, changes: Vec<StateChange>) -> BoxFuture<'_, Result<Vec<StateSaved>, StorageError>>;

    /// Makes changes as a command of a turn: [`write`](Self::write), unless the storage remembers that this turn made them
    /// when it ran before; then it answers as it did then, whatever the values: a handler that is run again reads what it has
    /// itself written, and may come to others.
    fn write_in_turn(
        &self,
        key: CommandKey,
        changes: Vec<StateChange>,
    ) -> BoxFuture<'_, Result<Vec<StateSaved>, StorageError>> {
        let _ = key;
        self.write(changes)
    }

    /// Deletes keys, whatever is stored under them.
    fn delete<'s>(&'s self, keys: &'s [String]) -> BoxFuture<'s, Result<(), StorageError>> {
        Box::pin(async move {
            let unique: HashSet<&String> = keys.iter().collect();
            let changes = unique.into_iter().map(|key| StateChange::delete(key, Expect::Any));
            self.write(changes.collect()).await.map(drop)
        })
    }

    /// What this storage commits together with, if it can.
    fn commit_scope(&self) -> Option<CommitScope> {
        None
    }
}

/// Finds the changes that no storage may make: with an empty ETag, or two of one key.
///
/// # Errors
/// [`StorageError::EmptyETag`] or [`StorageError::RepeatedKey`].
pub fn check_changes(changes: &[StateChange]) -> Result<(), StorageError> {
    let mut keys = HashSet::with_capacity(changes.len());
    for StateChange { key, expect, .. } in changes {
        if matches!(expect, Expect::ETag(etag) if etag.is_empty()) {
            return Err(StorageError::EmptyETag { key: key.clone() });
        }
        if !keys.insert(key) {
            return Err(StorageError::RepeatedKey { key: key.clone() });
        }
    }
    Ok(())
}

/// Why a storage did not do what was asked. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Someone else wrote in between.
    #[error("stored in another version meanwhile: {}; read again and apply the change to what is there now", keys.join(", "))]
    Conflict {
        /// Every key whose [`Expect`] did not hold.
        keys: Vec<String>,
    },
    /// A change expects an empty ETag.
    #[error("the change of {key} expects an empty ETag: give the one that was read, or say that any will do")]
    EmptyETag {
        /// The key.
        key: String,
    },
    /// Two changes are about one key.
    #[error("two changes of {key} in one write: make them one")]
    RepeatedKey {
        /// The key.
        key: String,
    },
    /// The storage itself failed.
    #[error("the storage failed")]
    Failed(#[source] Box<dyn StdError + Send + Sync>),
}

impl StorageError {
    /// A failure of the storage itself.
    #[must_use]
    pub fn failed(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(source.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::StateError;
    use crate::turn::{BotError, Unavailable};

    #[test]
    fn why_it_failed_is_found_from_a_handlers_error() {
        let error: BotError = StateError::from(StorageError::failed(Unavailable::new("disk full"))).into();
        assert!(Unavailable::is_in(error.as_ref()));
    }
}
