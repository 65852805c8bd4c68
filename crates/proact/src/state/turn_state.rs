//! All state that one turn has taken from one storage.
//!
//! A state is read when it is first asked for, and then kept for the turn; what is never asked for is never read. A save
//! writes what changed, all of it or none, and on a conflict reads again, reapplies, and tries again. Whoever loses a
//! conflict loses it to someone who has written, so the tries end; that they do is not left to hope ([`TRIES`]).

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use super::document::Document;
use super::{StateChange, StateError, StateSaved, Storage, StorageError, StoreItem};

/// How often a save is tried against others that write the same keys.
const TRIES: usize = 64;

pub(super) struct TurnState {
    pub(super) storage: Arc<dyn Storage>,
    slots: Mutex<BTreeMap<String, Arc<Slot>>>,
}

/// A state's place; empty until it is loaded.
#[derive(Default)]
struct Slot {
    document: Mutex<Option<Document>>,
    /// Held while it is read or deleted, so that it is read once.
    loading: AsyncMutex<()>,
}

impl TurnState {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, slots: Mutex::default() }
    }

    /// Does something with a state, which is loaded first if it has not been.
    pub(super) async fn with<R>(
        &self,
        key: &str,
        act: impl FnOnce(&mut Document) -> Result<R, StateError>,
    ) -> Result<R, StateError> {
        let slot = Arc::clone(locked(&self.slots).entry(key.to_owned()).or_default());
        if let Some(document) = &mut *locked(&slot.document) {
            return act(document);
        }
        let _loading = slot.loading.lock().await;
        // Whoever held the lock may have loaded it.
        if let Some(document) = &mut *locked(&slot.document) {
            return act(document);
        }
        let item = self.storage.read(&[key.to_owned()]).await?.remove(key);
        act(locked(&slot.document).insert(Document::new(key.to_owned(), item)?))
    }

    /// Forgets what was loaded of a state, changes and all, once `delete` has deleted it.
    pub(super) async fn delete(
        &self,
        key: &str,
        delete: impl Future<Output = Result<Vec<StateSaved>, StorageError>>,
    ) -> Result<(), StateError> {
        let slot = Arc::clone(locked(&self.slots).entry(key.to_owned()).or_default());
        let _loading = slot.loading.lock().await;
        delete.await?;
        *locked(&slot.document) = None;
        Ok(())
    }

    /// What changed, of one state or of all.
    pub(super) fn changes(&self, only: Option<&str>, forced: bool) -> Vec<StateChange> {
        let slots = locked(&self.slots);
        let chosen = slots.iter().filter(|(key, _)| only.is_none_or(|only| only == *key));
        chosen.filter_map(|(_, slot)| locked(&slot.document).as_mut()?.change(forced)).collect()
    }

    /// What was given out to be written has been.
    pub(super) fn saved(&self, saved: &[StateSaved]) {
        for StateSaved { key, etag } in saved {
            self.loaded(key, |document| document.saved(etag.clone()));
        }
    }

    /// Reads the states under `keys` again and puts this turn's changes onto them.
    pub(super) async fn rebase(&self, keys: &[String]) -> Result<(), StateError> {
        let mut fresh: HashMap<String, StoreItem> = self.storage.read(keys).await?;
        for key in keys {
            self.loaded(key, |document| document.rebase(fresh.remove(key))).transpose()?;
        }
        Ok(())
    }

    /// Saves what changed, of one state or of all, by way of `write`.
    pub(super) async fn save<W: Future<Output = Result<Vec<StateSaved>, StorageError>>>(
        &self,
        only: Option<&str>,
        forced: bool,
        mut write: impl FnMut(Vec<StateChange>) -> W,
    ) -> Result<(), StateError> {
        let mut tries = 1;
        loop {
            let changes = self.changes(only, forced);
            if changes.is_empty() {
                return Ok(());
            }
            match write(changes).await {
                Ok(saved) => {
                    self.saved(&saved);
                    return Ok(());
                }
                Err(StorageError::Conflict { keys }) if tries < TRIES => self.rebase(&keys).await?,
                Err(error) => return Err(error.into()),
            }
            tries += 1;
        }
    }

    fn loaded<R>(&self, key: &str, act: impl FnOnce(&mut Document) -> R) -> Option<R> {
        let slot = locked(&self.slots).get(key).cloned()?;
        locked(&slot.document).as_mut().map(act)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for TurnState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnState").field("keys", &locked(&self.slots).keys()).finish_non_exhaustive()
    }
}
