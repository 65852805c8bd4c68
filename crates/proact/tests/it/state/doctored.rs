//! The suites for storages are themselves shown storages that they must reject.

use std::collections::HashMap;

use futures_util::future::BoxFuture;
use proact::state::conformance::{bot_state_suite, storage_suite};
use proact::state::{Expect, MemoryStorage, StateChange, StateSaved, Storage, StorageError, StoreItem};

/// What is wrong with a storage.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    /// Nothing.
    Nothing,
    /// The last writer wins, whatever they expected.
    Blind,
    /// Each change is a write of its own, and earlier ones stay when a later one fails.
    Torn,
    /// An empty ETag is none.
    EmptyIsAny,
    /// An item that was deleted and made again has the ETag that it had.
    ComesBack,
    /// Nothing is ever deleted.
    Keeps,
    /// Blanks around a key do not count.
    Trims,
    /// An ETag that was read protects, and *nothing there* does not.
    AbsentIsAny,
    /// A deletion does not look at the ETag.
    DeletesBlindly,
}

#[derive(Debug)]
struct Doctored {
    storage: MemoryStorage,
    wrong: Wrong,
}

impl Doctored {
    fn change(&self, mut change: StateChange) -> StateChange {
        let is_any = match (self.wrong, &change.expect) {
            (Wrong::Blind, _) | (Wrong::AbsentIsAny, Expect::Absent) => true,
            (Wrong::EmptyIsAny, Expect::ETag(etag)) => etag.is_empty(),
            (Wrong::DeletesBlindly, _) => change.value.is_none(),
            _ => false,
        };
        if is_any {
            change.expect = Expect::Any;
        }
        if self.wrong == Wrong::Trims {
            change.key = change.key.trim().to_owned();
        }
        if self.wrong == Wrong::ComesBack
            && let Expect::ETag(etag) = &change.expect
            && etag.starts_with("of ")
        {
            // What it says of an item is its value; that of another life of the item is as good.
            change.expect = Expect::Any;
        }
        change
    }
}

impl Storage for Doctored {
    fn read<'s>(
        &'s self,
        keys: &'s [String],
    ) -> BoxFuture<'s, Result<HashMap<String, StoreItem>, StorageError>> {
        Box::pin(async move {
            let trimmed: Vec<String> = keys.iter().map(|key| key.trim().to_owned()).collect();
            let found = self.storage.read(if self.wrong == Wrong::Trims { &trimmed } else { keys }).await?;
            Ok(found
                .into_iter()
                .map(|(key, mut item)| {
                    if self.wrong == Wrong::ComesBack {
                        item.etag = format!("of {}", item.value);
                    }
                    (key, item)
                })
                .collect())
        })
    }

    fn write(&self, changes: Vec<StateChange>) -> BoxFuture<'_, Result<Vec<StateSaved>, StorageError>> {
        Box::pin(async move {
            let mut changes: Vec<_> = changes.into_iter().map(|change| self.change(change)).collect();
            let asked: Vec<String> = changes.iter().map(|change| change.key.clone()).collect();
            if self.wrong == Wrong::Keeps {
                changes.retain(|change| change.value.is_some());
            }
            let saved = if self.wrong == Wrong::Torn {
                let mut saved = Vec::new();
                for change in changes {
                    saved.extend(self.storage.write(vec![change]).await?);
                }
                saved
            } else {
                self.storage.write(changes).await?
            };
            let etag = |key: &str| saved.iter().find(|saved| saved.key == key).and_then(|it| it.etag.clone());
            Ok(asked.into_iter().map(|key| StateSaved { etag: etag(&key), key }).collect())
        })
    }
}

/// Whether a suite lets it pass.
async fn passes(wrong: Wrong, whole_bots: bool) -> bool {
    let make = move || async move { Doctored { storage: MemoryStorage::new(), wrong } };
    let suite =
        async move { if whole_bots { bot_state_suite(make).await } else { storage_suite(make).await } };
    tokio::spawn(suite).await.is_ok()
}

#[tokio::test]
async fn each_fault_is_found() {
    assert!(passes(Wrong::Nothing, false).await);
    for wrong in [
        Wrong::Blind,
        Wrong::Torn,
        Wrong::EmptyIsAny,
        Wrong::ComesBack,
        Wrong::Keeps,
        Wrong::Trims,
        Wrong::AbsentIsAny,
        Wrong::DeletesBlindly,
    ] {
        assert!(!passes(wrong, false).await, "{wrong:?}");
    }
}

#[tokio::test]
async fn each_fault_that_a_bot_would_notice_is_found_by_whole_bots() {
    assert!(passes(Wrong::Nothing, true).await);
    for wrong in [Wrong::Blind, Wrong::Torn, Wrong::Keeps, Wrong::AbsentIsAny] {
        assert!(!passes(wrong, true).await, "{wrong:?}");
    }
}
