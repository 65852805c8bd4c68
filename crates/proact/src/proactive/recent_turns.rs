//! Which turns may be on record, without asking the store for each activity.
//!
//! Almost every activity is new. A set of key prefixes (8 bytes each) of the turns on record answers *no* without a read; only a
//! *maybe* is looked up. Past [`CAPACITY`] prefixes every activity is looked up: slower, never wrong.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use super::turn_rows::{Prefixes, prefix};
use crate::{
    clock::Clock,
    store::{Error, Store},
    turn::TurnKey,
};

/// How long a turn is remembered, in milliseconds: 24 hours.
pub(super) const KEPT: i64 = 24 * 3600 * 1000;
/// Prefixes held at most: 8 MiB, a little more for the set.
const CAPACITY: usize = 1_000_000;

#[derive(Debug)]
pub(super) struct StoredTurns {
    sets: Mutex<Sets>,
    clock: Arc<dyn Clock>,
}

/// Two sets, so that a day's prefixes go at once when they are a day old.
#[derive(Debug)]
struct Sets {
    current: HashSet<u64>,
    previous: HashSet<u64>,
    /// When `current` was begun, in milliseconds since 1970.
    since: i64,
    /// There were too many to hold; until they are two days old, everything may be on record.
    overflown: Option<i64>,
}

impl StoredTurns {
    /// Reads the prefixes of the last day.
    pub(super) async fn load(store: &Store) -> Result<Self, Error> {
        let clock = store.clock();
        let now = clock.now().as_millisecond();
        let found = store.read(Prefixes { since: now - KEPT, limit: CAPACITY + 1 }).await?;
        let overflown = (found.len() > CAPACITY).then_some(now);
        let current = if overflown.is_some() { HashSet::new() } else { found.into_iter().collect() };
        let sets = Sets { current, previous: HashSet::new(), since: now, overflown };
        Ok(Self { sets: Mutex::new(sets), clock })
    }

    /// A turn is on record from now on.
    pub(super) fn add(&self, key: TurnKey) {
        let now = self.clock.now().as_millisecond();
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if now - sets.since > KEPT {
            sets.previous = std::mem::take(&mut sets.current);
            sets.since = now;
        }
        sets.current.insert(prefix(key));
        if sets.current.len() + sets.previous.len() > CAPACITY {
            (sets.current, sets.previous) = Default::default();
            sets.overflown = Some(now);
        } else if sets.overflown.is_some_and(|at| now - at > 2 * KEPT) {
            sets.overflown = None;
        }
    }

    /// Whether a turn may be on record; `false` is certain.
    pub(super) fn may_contain(&self, key: TurnKey) -> bool {
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let prefix = prefix(key);
        sets.overflown.is_some() || sets.current.contains(&prefix) || sets.previous.contains(&prefix)
    }
}
