//! The bot: what an author writes.

use std::future::Future;

use futures_util::future::BoxFuture;

use super::TurnContext;

/// Any error of a handler. `?` makes one of whatever a handler calls.
pub type BotError = Box<dyn std::error::Error + Send + Sync>;

/// Handles turns.
///
/// ```
/// use proact::turn::{Bot, BotError, TurnContext};
///
/// struct Echo;
///
/// impl Bot for Echo {
///     async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
///         if ctx.activity().is_message() {
///             ctx.send(format!("You said: {}", ctx.activity().text())).await?;
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// A bot that would rather have a method for each kind of activity implements [`ActivityHandler`](super::ActivityHandler).
pub trait Bot: Send + Sync + 'static {
    /// Handles one activity. An error saves no state and is told to the adapter's `on_turn_error`.
    fn on_turn(&self, ctx: &TurnContext) -> impl Future<Output = Result<(), BotError>> + Send;
}

/// A [`Bot`] behind a pointer.
pub trait DynBot: Send + Sync {
    /// See [`Bot::on_turn`].
    fn run<'a>(&'a self, ctx: &'a TurnContext) -> BoxFuture<'a, Result<(), BotError>>;
}

impl<B: Bot> DynBot for B {
    fn run<'a>(&'a self, ctx: &'a TurnContext) -> BoxFuture<'a, Result<(), BotError>> {
        Box::pin(self.on_turn(ctx))
    }
}
