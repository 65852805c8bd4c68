//! The storage that forgets everything when the process ends.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use super::storage::check_changes;
use super::{StateChange, StateSaved, Storage, StorageError, StoreItem};

/// A storage in memory: for tests and first steps. What it holds ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    items: Mutex<Items>,
}

#[derive(Debug, Default)]
struct Items {
    by_key: HashMap<String, StoreItem>,
    /// Counts writes, so that no ETag comes twice.
    version: u64,
}

impl MemoryStorage {
    /// An empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Items {
    fn write(&mut self, changes: Vec<StateChange>) -> Result<Vec<StateSaved>, StorageError> {
        check_changes(&changes)?;
        let stored = |key: &str| self.by_key.get(key).map(|item| item.etag.as_str());
        let refused = changes.iter().filter(|change| !change.expect.holds(stored(&change.key)));
        let keys: Vec<String> = refused.map(|change| change.key.clone()).collect();
        if !keys.is_empty() {
            return Err(StorageError::Conflict { keys });
        }
        Ok(changes.into_iter().map(|change| self.make(change)).collect())
    }

    fn make(&mut self, StateChange { key, value, .. }: StateChange) -> StateSaved {
        let Some(value) = value else {
            self.by_key.remove(&key);
            return StateSaved { key, etag: None };
        };
        self.version += 1;
        let etag = self.version.to_string();
        self.by_key.insert(key.clone(), StoreItem { value, etag: etag.clone() });
        StateSaved { key, etag: Some(etag) }
    }
}

impl Storage for MemoryStorage {
    fn read<'s>(
        &'s self,
        keys: &'s [String],
    ) -> BoxFuture<'s, Result<HashMap<String, StoreItem>, StorageError>> {
        let items = self.items();
        let found = keys.iter().filter_map(|key| Some((key.clone(), items.by_key.get(key)?.clone())));
        ready(Ok(found.collect())).boxed()
    }

    fn write(&self, changes: Vec<StateChange>) -> BoxFuture<'_, Result<Vec<StateSaved>, StorageError>> {
        ready(self.items().write(changes)).boxed()
    }
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::state::conformance::storage_suite(|| async { MemoryStorage::new() }).await;
        crate::state::conformance::bot_state_suite(|| async { MemoryStorage::new() }).await;
    }
}
