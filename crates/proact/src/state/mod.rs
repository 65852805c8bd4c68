//! Storage, and the state that bots keep in it.
//!
//! A [`Storage`] holds JSON values under keys and protects them with ETags. [`BotState`] is on top: one object per
//! conversation, per user, or per both, whose properties an [`Accessor`] reads and changes as Rust types. What this promises,
//! in the order in which it happens in a turn:
//!
//! 1. A state is read when its first property is asked for, once per turn. A turn that asks for none costs nothing.
//! 2. Changes stay with the turn until its end, or until [`BotState::save_changes`]. A state that is as it was is not
//!    written.
//! 3. At the end, all changes of a storage are written at once, with the turn's record in the same commit if the storage
//!    can. Every write names the ETag that was read, or that nothing was there; none overwrites blindly.
//! 4. If someone else wrote meanwhile, the state is read again and the properties that only this turn changed are put onto
//!    it; closures of [`Accessor::update`] run again on the fresh value. The handler is not run again. A property that
//!    both changed, and that was not only updated, is a [`StateError::Conflict`].
//!
//! If it fails, nothing of that write was made, in any of its keys.
//!
//! ```
//! # use std::sync::Arc;
//! # use proact::turn::TurnContext;
//! use proact::state::{Accessor, BotState, MemoryStorage, StateError};
//!
//! struct Counter {
//!     messages: Accessor<u64>,
//! }
//!
//! impl Counter {
//!     fn new() -> Self {
//!         let conversation = BotState::conversation(Arc::new(MemoryStorage::new()));
//!         Self { messages: conversation.property("messages") }
//!     }
//!
//!     async fn count(&self, ctx: &TurnContext) -> Result<u64, StateError> {
//!         self.messages
//!             .update(ctx, |count| {
//!                 *count += 1;
//!                 *count
//!             })
//!             .await
//!     }
//! }
//! ```

mod accessor;
mod attach;
mod bot_state;
mod change;
#[cfg(feature = "testkit")]
pub mod conformance;
mod document;
mod error;
mod key;
mod memory;
mod storage;
mod turn_state;

pub use accessor::Accessor;
pub use bot_state::BotState;
pub use change::{CommitScope, Expect, StateChange, StateSaved};
pub use error::StateError;
pub use memory::MemoryStorage;
pub use storage::{Storage, StorageError, StoreItem, check_changes};
