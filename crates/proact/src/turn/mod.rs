//! Turns: the handling of one activity.
//!
//! An adapter makes a [`TurnContext`] for each activity that comes in (or for a proactive message that goes out), runs the
//! [`Middleware`] in order and at the end the [`Bot`]. What the bot sends goes out as it is sent; what the turn has cached of
//! state is saved once, after the bot ([`AtTurnEnd`]). A handler that fails saves nothing.
//!
//! What a turn sends, updates and deletes goes through its [hooks](OutgoingHook), which may change or stop it, in their order. Middleware may
//! stop a turn (not run what follows), wrap it (do something before and after) or hold its replies back (a hook that keeps them).

mod at_end;
mod bot;
mod context;
mod error;
mod handler;
mod hooks;
mod invoke;
mod key;
mod middleware;
mod outbound;
mod send;
mod values;

pub use at_end::{AtTurnEnd, StateToSave};
pub use bot::{Bot, BotError, DynBot};
pub(crate) use context::{How, NewTurn, Outgoing};
pub use context::{TurnContext, TurnKind};
pub use error::{SendError, Unavailable};
pub use handler::ActivityHandler;
pub use hooks::{HookId, NextHook, OutgoingHook, ScopedHook};
pub use invoke::{Invoke, InvokeResponse, Invokes};
pub use key::{CommandKey, TurnKey};
pub use middleware::{DynMiddleware, Middleware, Next};
pub use outbound::{Beside, Delivered, Leave, Outbound};
pub use values::Values;
