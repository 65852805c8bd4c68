//! What every [`Storage`](super::Storage) must do, as two tests to run against any of them.
//!
//! [`storage_suite`] asks the storage itself; [`bot_state_suite`] runs whole turns on it, as a bot does. They follow the suites that
//! `BotBuilder`'s storages and states share and, where its two originals differ, decide: an empty `ETag` fails, a write is atomic over
//! its keys, a stale `ETag` never writes, not even what was deleted since; a forced save with nothing cached does nothing, and
//! state never overwrites blindly.
//!
//! ```
//! use proact::state::{MemoryStorage, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! conformance::storage_suite(|| async { MemoryStorage::new() }).await;
//! conformance::bot_state_suite(|| async { MemoryStorage::new() }).await;
//! # }
//! ```

mod bot_state;
mod storage;

pub use bot_state::bot_state_suite;
pub use storage::storage_suite;
