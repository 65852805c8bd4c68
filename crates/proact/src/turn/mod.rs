//! Turns: the handling of one activity.
//!
//! An adapter makes a [`TurnContext`] for each activity that comes in (or for a proactive message that goes out), runs the
//! [`Middleware`] in order and at the end the [`Bot`]. What the bot sends goes out as it is sent; what the turn has cached of
//! state is saved once, after the bot ([`AtTurnEnd`]). A handler that fails saves nothing.

mod at_end;
mod bot;
mod context;
mod error;
mod handler;
mod key;
mod middleware;
mod outbound;
mod values;

pub use at_end::{AtTurnEnd, StateToSave};
pub use bot::{Bot, BotError, DynBot};
pub(crate) use context::{How, NewTurn, Outgoing};
pub use context::{InvokeResponse, TurnContext, TurnKind};
pub use error::{SendError, Unavailable};
pub use handler::ActivityHandler;
pub use key::{CommandKey, TurnKey};
pub use middleware::{DynMiddleware, Middleware, Next};
pub use outbound::{Beside, Delivered, Outbound};
pub use values::Values;
