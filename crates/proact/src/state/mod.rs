//! Storage and bot state. (The rest of this room follows.)

mod change;
#[cfg(feature = "testkit")]
pub mod conformance;
mod memory;
mod storage;

pub use change::{CommitScope, Expect, StateChange, StateSaved};
pub use memory::MemoryStorage;
pub use storage::{Storage, StorageError, StoreItem, check_changes};
