//! Hooks: what stands between a turn and the channel when something is sent, updated or deleted.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;

use super::{SendError, TurnContext, send::End};
use crate::activity::{Activity, ResourceResponse};

/// Stands between a turn and the channel; see [`TurnContext::hook`]. Each method goes on to the next hook unless written, and at the end
/// to the channel.
///
/// * *Order*: the hook added first is called first. One that is added while something is on its way does not see that.
/// * *Change*: what is passed to [`NextHook`] is what goes on; an update may go on as a new activity, and the other way round.
/// * *Stop*: a hook that does not go on answers itself, and the turn counts as not having responded. If what it stops is the message of
///   a notification, the notification is suppressed.
/// * *Fail*: an error is the error of the call that sent. Of a notification's message, however, the truth is what the channel said: a
///   hook that turns its error into a success, or gives up waiting, changes nothing about it.
///
/// Activities are addressed already; what is no business of the channel (`delay`, `invokeResponse`, `trace`) comes by too. What a hook
/// sends through the context comes through all hooks again, itself included.
///
/// ```
/// use proact::{activity::{Activity, ResourceResponse}, turn::{BotError, Middleware, Next, NextHook, OutgoingHook, SendError, TurnContext}};
///
/// struct Signed;
///
/// impl OutgoingHook for Signed {
///     async fn on_send(&self, ctx: &TurnContext, activity: Activity, next: NextHook<'_>) -> Result<ResourceResponse, SendError> {
///         let signed = format!("{}\n\n– the bot", activity.text());
///         let activity = if activity.is_message() { activity.with_text(signed) } else { activity };
///         next.send(ctx, activity).await
///     }
/// }
///
/// impl Middleware for Signed {
///     async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
///         ctx.hook(Signed);
///         next.run(ctx).await
///     }
/// }
/// ```
pub trait OutgoingHook: Send + Sync + 'static {
    /// An activity is sent.
    fn on_send(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> impl Future<Output = Result<ResourceResponse, SendError>> + Send {
        next.send(ctx, activity)
    }

    /// The activity with this one's id is updated.
    fn on_update(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> impl Future<Output = Result<ResourceResponse, SendError>> + Send {
        next.update(ctx, activity)
    }

    /// The activity with this id is deleted.
    fn on_delete(
        &self,
        ctx: &TurnContext,
        activity_id: &str,
        next: NextHook<'_>,
    ) -> impl Future<Output = Result<(), SendError>> + Send {
        next.delete(ctx, activity_id)
    }
}

/// An [`OutgoingHook`] behind a pointer.
trait DynHook: Send + Sync {
    fn send<'a>(
        &'a self,
        ctx: &'a TurnContext,
        activity: Activity,
        next: NextHook<'a>,
    ) -> BoxFuture<'a, Result<ResourceResponse, SendError>>;

    fn update<'a>(
        &'a self,
        ctx: &'a TurnContext,
        activity: Activity,
        next: NextHook<'a>,
    ) -> BoxFuture<'a, Result<ResourceResponse, SendError>>;

    fn delete<'a>(
        &'a self,
        ctx: &'a TurnContext,
        activity_id: &'a str,
        next: NextHook<'a>,
    ) -> BoxFuture<'a, Result<(), SendError>>;
}

impl<H: OutgoingHook> DynHook for H {
    fn send<'a>(
        &'a self,
        ctx: &'a TurnContext,
        activity: Activity,
        next: NextHook<'a>,
    ) -> BoxFuture<'a, Result<ResourceResponse, SendError>> {
        Box::pin(self.on_send(ctx, activity, next))
    }

    fn update<'a>(
        &'a self,
        ctx: &'a TurnContext,
        activity: Activity,
        next: NextHook<'a>,
    ) -> BoxFuture<'a, Result<ResourceResponse, SendError>> {
        Box::pin(self.on_update(ctx, activity, next))
    }

    fn delete<'a>(
        &'a self,
        ctx: &'a TurnContext,
        activity_id: &'a str,
        next: NextHook<'a>,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.on_delete(ctx, activity_id, next))
    }
}

/// Which hook of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HookId(u64);

/// A hook of [`TurnContext::hook_scoped`]: there until this is dropped.
#[derive(Debug)]
pub struct ScopedHook {
    pub(super) ctx: TurnContext,
    pub(super) id: HookId,
}

impl Drop for ScopedHook {
    fn drop(&mut self) {
        self.ctx.unhook(self.id);
    }
}

type List = Arc<Vec<(HookId, Arc<dyn DynHook>)>>;

/// A turn's hooks. Whoever sends goes by the list as it was when it began.
#[derive(Default)]
pub(super) struct Hooks(Mutex<Added>);

#[derive(Default)]
struct Added {
    count: u64,
    /// How many at the end of the list stay at its end.
    last: usize,
    list: List,
}

impl Hooks {
    pub(super) fn add<H: OutgoingHook>(&self, hook: H, last: bool) -> HookId {
        let mut added = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = HookId(added.count);
        added.count += 1;
        let end = added.list.len();
        let at = if last { end } else { end - added.last };
        added.last += usize::from(last);
        Arc::make_mut(&mut added.list).insert(at, (id, Arc::new(hook)));
        id
    }

    pub(super) fn remove(&self, id: HookId) -> bool {
        let mut added = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = added.list.iter().position(|(known, _)| *known == id) else { return false };
        if at >= added.list.len() - added.last {
            added.last -= 1;
        }
        Arc::make_mut(&mut added.list).remove(at);
        true
    }

    /// The hooks as they are now; `None` when there are none, which is nearly always.
    pub(super) fn chain(&self) -> Option<Chain> {
        let added = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!added.list.is_empty()).then(|| Chain(Arc::clone(&added.list)))
    }
}

pub(super) struct Chain(List);

impl Chain {
    pub(super) fn next<'a>(&'a self, end: &'a End<'a>) -> NextHook<'a> {
        NextHook { chain: &self.0, end }
    }
}

/// What follows a hook: the next one, and at the end the channel. It is gone on to once, or not at all.
pub struct NextHook<'a> {
    chain: &'a [(HookId, Arc<dyn DynHook>)],
    end: &'a End<'a>,
}

impl NextHook<'_> {
    /// Whether `activity`, sent from here, goes out later: what is said beside a notification's message becomes a notification of its
    /// own, whose turn has hooks of its own.
    #[must_use]
    pub fn sends_later(&self, ctx: &TurnContext, activity: &Activity) -> bool {
        self.end.sends_later(ctx, activity)
    }

    /// Goes on to send `activity` as a new one.
    ///
    /// # Errors
    /// Those of what follows.
    pub async fn send(self, ctx: &TurnContext, activity: Activity) -> Result<ResourceResponse, SendError> {
        match self.chain.split_first() {
            Some(((_, first), chain)) => first.send(ctx, activity, NextHook { chain, end: self.end }).await,
            None => self.end.send(ctx, activity).await,
        }
    }

    /// Goes on to update the activity with this one's id.
    ///
    /// # Errors
    /// Those of what follows.
    pub async fn update(self, ctx: &TurnContext, activity: Activity) -> Result<ResourceResponse, SendError> {
        match self.chain.split_first() {
            Some(((_, first), chain)) => first.update(ctx, activity, NextHook { chain, end: self.end }).await,
            None => self.end.update(ctx, activity).await,
        }
    }

    /// Goes on to delete the activity with this id.
    ///
    /// # Errors
    /// Those of what follows.
    pub async fn delete(self, ctx: &TurnContext, activity_id: &str) -> Result<(), SendError> {
        match self.chain.split_first() {
            Some(((_, first), chain)) => {
                first.delete(ctx, activity_id, NextHook { chain, end: self.end }).await
            }
            None => self.end.delete(ctx, activity_id).await,
        }
    }
}

impl fmt::Debug for NextHook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextHook").field("hooks", &self.chain.len()).finish_non_exhaustive()
    }
}
