//! Middleware: what stands around every turn, in the order it was added.

use std::{fmt, future::Future, sync::Arc};

use futures_util::future::BoxFuture;

use super::{BotError, DynBot, TurnContext};

/// Stands around turns. It may do something before and after [`Next::run`], or not call it and so stop the turn.
///
/// ```
/// use proact::turn::{BotError, Middleware, Next, TurnContext};
///
/// struct Mute;
///
/// impl Middleware for Mute {
///     async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
///         if ctx.activity().text() == "quiet" { return Ok(()) }
///         next.run(ctx).await
///     }
/// }
/// ```
pub trait Middleware: Send + Sync + 'static {
    /// Handles one turn around what follows.
    fn on_turn(&self, ctx: &TurnContext, next: Next<'_>)
    -> impl Future<Output = Result<(), BotError>> + Send;
}

/// A [`Middleware`] behind a pointer.
pub trait DynMiddleware: Send + Sync {
    /// See [`Middleware::on_turn`].
    fn run<'a>(&'a self, ctx: &'a TurnContext, next: Next<'a>) -> BoxFuture<'a, Result<(), BotError>>;
}

impl<M: Middleware> DynMiddleware for M {
    fn run<'a>(&'a self, ctx: &'a TurnContext, next: Next<'a>) -> BoxFuture<'a, Result<(), BotError>> {
        Box::pin(self.on_turn(ctx, next))
    }
}

/// What follows a middleware: the next one, and at the end the bot. It can be run once, or not at all.
pub struct Next<'a> {
    pub(crate) chain: &'a [Arc<dyn DynMiddleware>],
    pub(crate) end: &'a dyn DynBot,
}

impl<'a> Next<'a> {
    /// Runs what follows.
    ///
    /// # Errors
    /// Those of what follows.
    pub async fn run(self, ctx: &TurnContext) -> Result<(), BotError> {
        match self.chain.split_first() {
            Some((first, rest)) => first.run(ctx, Next { chain: rest, end: self.end }).await,
            None => self.end.run(ctx).await,
        }
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("middleware", &self.chain.len()).finish_non_exhaustive()
    }
}
