//! Proactive turns: the bot speaks although nobody has just spoken to it.
//!
//! The turn's activity is a continuation event made from the reference; middleware and state are as in any turn. What is sent
//! carries no `replyToId`.
//!
//! A notification sends one activity. What middleware sends beside it is put on record as a notification of its own, keyed by the first
//! one, so that it is neither sent again with each attempt nor lost with one that fails.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::{BoxFuture, FutureExt};

use super::Adapter;
use crate::{
    activity::{Activity, ConversationReference, MissingField},
    auth::Caller,
    connector, egress,
    turn::{
        Beside, BotError, Delivered, DynBot, How, Leave, NewTurn, Outgoing, SendError, StateToSave,
        TurnContext, TurnKey, TurnKind,
    },
};

/// Why `continue_conversation` did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContinueError {
    /// The reference lacks what sending needs.
    #[error("the conversation reference cannot be used: {0}")]
    Reference(#[from] MissingField),
    /// The reference's service URL may not be called.
    #[error("the conversation reference cannot be used: {0}")]
    Refused(#[from] egress::Refused),
    /// The closure, middleware or the saving of state failed.
    #[error("the proactive turn failed")]
    Turn(#[source] BotError),
    /// The adapter is stopping.
    #[error("the adapter is stopping")]
    Stopping,
}

/// Why a reference cannot be used.
enum Unusable {
    Lacks(MissingField),
    Refused(egress::Refused),
}

impl From<Unusable> for ContinueError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Lacks(field) => Self::Reference(field),
            Unusable::Refused(refused) => Self::Refused(refused),
        }
    }
}

impl From<Unusable> for connector::Error {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Lacks(field) => {
                Self::Invalid { what: "conversation reference", why: field.to_string() }
            }
            Unusable::Refused(refused) => Self::Refused(refused),
        }
    }
}

/// One message of the outbox, about to be sent.
pub struct OutboxTurn {
    /// What its commands are keyed by: the same each time the message is tried, so that they take effect once.
    pub key: TurnKey,
    /// Where to.
    pub reference: ConversationReference,
    /// The notification's id, for a channel that takes ids.
    pub idempotency_key: Option<String>,
    /// Asked when the next thing to happen is that bytes leave.
    pub leave: Arc<dyn Leave>,
    /// Takes what middleware sends beside the message.
    pub beside: Arc<dyn Beside>,
}

impl fmt::Debug for OutboxTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxTurn").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why nothing was sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotSent {
    /// A middleware did not go on to the next.
    Stopped,
    /// A handler, or the state it needed, failed before bytes left.
    Failed(BotError),
}

/// How a proactive turn ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProactiveEnd {
    /// The channel took the message. The turn's state is not saved yet: save it with the outcome.
    Sent {
        /// What the channel answered.
        delivered: Delivered,
        /// What to save in the commit of the outcome.
        state: StateToSave,
    },
    /// It was not begun: there was nothing to begin any more, or beginning failed.
    NotBegun(Option<BotError>),
    /// It was begun, and no byte left.
    NotSent(NotSent),
    /// The channel did not take it, or it cannot be known whether it did.
    Failed(connector::Error),
    /// Middleware stopped waiting while it was on its way: it may have arrived.
    Abandoned,
}

impl Adapter {
    /// Runs `closure` in a proactive turn of a conversation: middleware, state and all. Immediate and not durable: it waits for no
    /// other turn, and what it sends is sent once. For what must not be lost there is
    /// [`notify`](crate::proactive::ProactiveTurn::notify).
    ///
    /// The turn runs in a task of its own: dropping this future does not cancel it. Its state is saved when the closure has
    /// succeeded. `on_turn_error` is not called: who called this is told.
    ///
    /// ```
    /// # use proact::{activity::ConversationReference, adapter::{Adapter, ContinueError}};
    /// # async fn example(adapter: Adapter, reference: ConversationReference) -> Result<(), ContinueError> {
    /// adapter
    ///     .continue_conversation(&reference, async |ctx| {
    ///         ctx.send("The price has dropped by 20 %.").await?;
    ///         Ok(())
    ///     })
    ///     .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`ContinueError`]; what the closure sent before it failed is sent.
    pub async fn continue_conversation<F, R>(
        &self,
        reference: &ConversationReference,
        closure: F,
    ) -> Result<(), ContinueError>
    where
        F: FnOnce(TurnContext) -> R + Send + 'static,
        R: Future<Output = Result<(), BotError>> + Send + 'static,
    {
        let _counted = self.inner.turns.token();
        if self.inner.closing.is_cancelled() {
            return Err(ContinueError::Stopping);
        }
        let outgoing = Outgoing::Send(Arc::clone(&self.inner.outbound));
        let ctx = self.proactive_context(reference.clone(), TurnKey::unique(), outgoing)?;
        self.speak(ctx, closure).await.map_err(ContinueError::Turn)
    }

    /// Runs `closure` at the end of the chain, in a task of its own, and saves what it changed.
    pub(super) async fn speak<F, R>(&self, ctx: TurnContext, closure: F) -> Result<(), BotError>
    where
        F: FnOnce(TurnContext) -> R + Send + 'static,
        R: Future<Output = Result<(), BotError>> + Send + 'static,
    {
        let end = Once(Mutex::new(Some(closure)));
        let adapter = self.clone();
        let turn = self.inner.turns.spawn(async move {
            adapter.run_chain(&ctx, &end).await?;
            let (own, foreign) = adapter.split(ctx.take_ends());
            for end in own.0.into_iter().chain(foreign) {
                end.save_alone().await?;
            }
            Ok(())
        });
        match turn.await {
            Ok(result) => result,
            Err(error) => Err(error.into()),
        }
    }

    /// Sends one message of the outbox in a proactive turn: runs `begin` (which puts the attempt on record, and may say that there is
    /// nothing to send any more), then the turn. Its place among the conversation's turns is the caller's matter.
    ///
    /// A message with an id is not sent anew: it takes the place of the one that the channel gave this id to.
    pub async fn proactive_turn(
        &self,
        turn: OutboxTurn,
        message: Activity,
        begin: impl Future<Output = Result<bool, BotError>> + Send,
    ) -> ProactiveEnd {
        self.outbox_turn(turn, Box::new(message), begin).await
    }

    /// The same with a message that is boxed: it is large, and moves from hand to hand.
    pub(crate) async fn outbox_turn(
        &self,
        turn: OutboxTurn,
        message: Box<Activity>,
        begin: impl Future<Output = Result<bool, BotError>> + Send,
    ) -> ProactiveEnd {
        let outgoing = Outgoing::Outbox { outbound: Arc::clone(&self.inner.outbound), beside: turn.beside };
        let ctx = match self.proactive_context(turn.reference, turn.key, outgoing) {
            Ok(ctx) => ctx,
            // It leads nowhere, and will not later: an attempt that failed for good, on record as any other.
            Err(unusable) => {
                return match begin.await {
                    Ok(true) => ProactiveEnd::Failed(unusable.into()),
                    Ok(false) => ProactiveEnd::NotBegun(None),
                    Err(error) => ProactiveEnd::NotBegun(Some(error)),
                };
            }
        };
        match begin.await {
            Ok(true) => {}
            Ok(false) => return ProactiveEnd::NotBegun(None),
            Err(error) => return ProactiveEnd::NotBegun(Some(error)),
        }
        let sent = Arc::new(OnceLock::new());
        let end = Message {
            message: Mutex::new(Some(message)),
            id: turn.idempotency_key,
            leave: turn.leave,
            began: AtomicBool::new(false),
            sent: Arc::clone(&sent),
        };
        let result = self.run_chain(&ctx, &end).await;
        match (sent.get(), result) {
            // The channel took it: what failed after that does not undo it.
            (Some(Ok(delivered)), result) => {
                let (state, foreign) = self.split(ctx.take_ends());
                if let Err(error) = &result {
                    tracing::error!(
                        error = super::run::chain(error.as_ref()),
                        "a proactive turn failed after sending"
                    );
                    return ProactiveEnd::Sent {
                        delivered: delivered.clone(),
                        state: StateToSave::default(),
                    };
                }
                for end in foreign {
                    if let Err(error) = end.save_alone().await {
                        tracing::error!(
                            error = super::run::chain(error.as_ref()),
                            "state of a proactive turn was not saved"
                        );
                    }
                }
                ProactiveEnd::Sent { delivered: delivered.clone(), state }
            }
            (Some(Err(error)), _) => ProactiveEnd::Failed(error.clone()),
            // A middleware gave up (a time limit, a panic) while the message was on its way.
            (None, _) if end.began.load(Ordering::SeqCst) => ProactiveEnd::Abandoned,
            (None, Ok(())) => ProactiveEnd::NotSent(NotSent::Stopped),
            (None, Err(error)) => ProactiveEnd::NotSent(NotSent::Failed(error)),
        }
    }

    fn proactive_context(
        &self,
        reference: ConversationReference,
        key: TurnKey,
        outgoing: Outgoing,
    ) -> Result<TurnContext, Unusable> {
        let conversation = reference.conversation_key().map_err(Unusable::Lacks)?;
        let service_url =
            reference.service_url.as_deref().ok_or(Unusable::Lacks(MissingField("serviceUrl")))?;
        let guard = self.inner.connector.guard();
        guard.check_for(conversation.channel_id(), service_url).map_err(Unusable::Refused)?;
        let ctx = TurnContext::new(NewTurn {
            activity: Box::new(reference.into_continuation()),
            conversation,
            key,
            kind: TurnKind::Proactive,
            caller: Caller::itself(),
            outgoing,
            services: Arc::clone(&self.inner.services),
            reply_ids: false,
        });
        self.inner.journal.attach(&ctx);
        Ok(ctx)
    }
}

/// A closure at the end of the chain.
struct Once<F>(Mutex<Option<F>>);

impl<F, R> DynBot for Once<F>
where
    F: FnOnce(TurnContext) -> R + Send,
    R: Future<Output = Result<(), BotError>> + Send + 'static,
{
    fn run<'a>(&'a self, ctx: &'a TurnContext) -> BoxFuture<'a, Result<(), BotError>> {
        let closure = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ctx = ctx.clone();
        async move {
            match closure {
                Some(closure) => closure(ctx).await,
                None => Ok(()),
            }
        }
        .boxed()
    }
}

/// The message of the outbox at the end of the chain; remembers what the channel said of it.
struct Message {
    message: Mutex<Option<Box<Activity>>>,
    id: Option<String>,
    leave: Arc<dyn Leave>,
    /// Bytes may have left from here on, whatever becomes of this future.
    began: AtomicBool,
    sent: Arc<OnceLock<Result<Delivered, connector::Error>>>,
}

impl Message {
    async fn pass(&self, ctx: &TurnContext, message: Box<Activity>) -> Result<Delivered, SendError> {
        if message.id.is_none() {
            let how = How::Message { id: self.id.as_deref(), leave: self.leave.as_ref() };
            return ctx.send_as(message, how).await;
        }
        if !self.leave.may_leave() {
            return Err(SendError::Withheld);
        }
        Ok(Delivered { status: None, response: ctx.update(*message).await? })
    }
}

impl DynBot for Message {
    fn run<'a>(&'a self, ctx: &'a TurnContext) -> BoxFuture<'a, Result<(), BotError>> {
        let message = self.message.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            let Some(message) = message else { return Ok(()) };
            self.began.store(true, Ordering::SeqCst);
            match self.pass(ctx, message).await {
                Ok(delivered) => {
                    let _ = self.sent.set(Ok(delivered));
                    Ok(())
                }
                Err(error @ SendError::Channel { .. }) => {
                    if let Some(error) = error.cause::<connector::Error>() {
                        let _ = self.sent.set(Err(error.clone()));
                    }
                    Err(error.into())
                }
                // By a hook, as middleware may: nothing left, and nothing failed.
                Err(SendError::Stopped) => {
                    self.began.store(false, Ordering::SeqCst);
                    Ok(())
                }
                // Refused before anything left.
                Err(error) => {
                    self.began.store(false, Ordering::SeqCst);
                    Err(error.into())
                }
            }
        }
        .boxed()
    }
}
