//! Which turns may be on record, without asking the store for each activity.
//!
//! Almost every activity is new. A set of key prefixes (8 bytes each) of the turns on record answers *no* without a read; only a
//! *maybe* is looked up. Past [`CAPACITY`] prefixes every activity is looked up: slower, never wrong.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use super::turn_rows::{Prefixes, prefix};
use crate::{
    store::{Error, Store},
    turn::TurnKey,
};

/// How long a turn is remembered, in milliseconds: 24 hours.
pub(super) const KEPT: i64 = 24 * 3600 * 1000;
/// Prefixes held at most: 8 MiB, a little more for the set.
const CAPACITY: usize = 1_000_000;

#[derive(Debug)]
pub(super) struct StoredTurns {
    /// `None` once there were too many to hold.
    prefixes: Mutex<Option<HashSet<u64>>>,
}

impl StoredTurns {
    /// Reads the prefixes of the last day.
    pub(super) async fn load(store: &Store) -> Result<Self, Error> {
        let since = store.clock().now().as_millisecond() - KEPT;
        let found = store.read(Prefixes { since, limit: CAPACITY + 1 }).await?;
        let prefixes = (found.len() <= CAPACITY).then(|| found.into_iter().collect());
        Ok(Self { prefixes: Mutex::new(prefixes) })
    }

    /// A turn is on record from now on.
    pub(super) fn add(&self, key: TurnKey) {
        let mut prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = prefixes.as_mut() {
            held.insert(prefix(key));
            if held.len() > CAPACITY {
                *prefixes = None;
            }
        }
    }

    /// Whether a turn may be on record; `false` is certain.
    pub(super) fn may_contain(&self, key: TurnKey) -> bool {
        let prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        prefixes.as_ref().is_none_or(|held| held.contains(&prefix(key)))
    }
}
