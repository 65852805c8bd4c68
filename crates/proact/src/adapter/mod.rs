//! The adapter: turns HTTP requests into turns, and `continue_conversation` into proactive turns.
//!
//! The way of an inbound activity: whose token is it ([`auth`](crate::auth)) → decode → may they say this → is it known (running now: join it; finished: the same answer)? → a place among the
//! conversation's turns, in the order of arrival → is it known to the journal? → middleware → the bot → state and journal
//! in one commit → the answer. A turn runs in a task of its own: a client that hangs up cancels nothing.
//!
//! A turn that is not done before the channel gives up is put on record with its activity and answered early; it goes on beside
//! later ones, and if the process dies it is run again by [`Adapter::resume`].
//!
//! | answered | when | and if it comes again |
//! | --- | --- | --- |
//! | 200 | the turn is done, or on record; the replies, if they were expected | the same answer |
//! | as the bot says, 501 if it says nothing | an invoke | the same answer below 500, else it runs again |
//! | 401, 403 | the caller is not who the bot knows, or may not say this; the message says which check failed | the same |
//! | 400, 405, 413, 415 | no activity, or one that cannot be answered; the message names the field | the same |
//! | 500 | the handler failed or panicked, and there is no `on_turn_error`; with one, it is told and the answer is 200 | runs again |
//! | 503 | the store cannot take it now, the caller's signing keys cannot be fetched, or the adapter is stopping | runs again |
//!
//! The other way round, the bot begins: [`Adapter::continue_conversation`] in a conversation that there is,
//! [`Adapter::create_conversation`] in a new one.
//!
//! The adapter is served by [`Adapter::router`], or as a [`tower::Service`] ([`Adapter::service`]) at any place of a program that has
//! routes and layers of its own.
//!
//! A failure is logged once, with its causes. A handler that failed saves no state; what it had sent is sent.

mod answer;
mod builder;
mod create;
mod ends;
mod http;
mod journal;
mod order;
mod outbound;
mod proactive;
mod process;
mod recent;
mod run;

use std::{fmt, sync::Arc, time::Duration};

pub use answer::Answer;
pub use builder::AdapterBuilder;
pub use create::{CreateError, NewConversation};
pub use http::MessagesService;
pub(crate) use http::media_type;
pub use journal::{Begun, EarlyTurn, FinishError, JournalError, NoJournal, TurnEnd, TurnJournal, TurnStart};
pub(crate) use order::{Asked, Place, TurnOrder};
pub use proactive::{ContinueError, NotSent, OutboxTurn, ProactiveEnd};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::Authenticator,
    connector::ConnectorClient,
    turn::{BotError, DynBot, DynMiddleware, Outbound, TurnContext, Values},
};

/// How the adapter treats time and memory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// A turn that takes longer is answered before its end. Channels give up after about 15 s; default 10 s.
    pub early_answer_after: Duration,
    /// Answers remembered in memory, for activities that come again; those with a body up to 16 MiB in all. Past this the oldest are
    /// forgotten: should its activity come again after that, a turn with saved state is known to the journal, and any other is run again:
    /// its commands are found done, its replies given twice. Default 262 144.
    pub remembered: usize,
    /// How long they are remembered. Default 24 h.
    pub remembered_for: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            early_answer_after: Duration::from_secs(10),
            remembered: 262_144,
            remembered_for: Duration::from_secs(24 * 3600),
        }
    }
}

type OnTurnError = Arc<
    dyn for<'a> Fn(&'a TurnContext, &'a BotError) -> futures_util::future::BoxFuture<'a, ()> + Send + Sync,
>;

/// Runs turns. Cheap to clone; clones are the same adapter.
#[derive(Clone)]
pub struct Adapter {
    inner: Arc<Inner>,
}

struct Inner {
    bot: Arc<dyn DynBot>,
    middleware: Vec<Arc<dyn DynMiddleware>>,
    journal: Arc<dyn TurnJournal>,
    connector: ConnectorClient,
    outbound: Arc<dyn Outbound>,
    takes_ids: Option<String>,
    services: Arc<Values>,
    on_turn_error: Option<OnTurnError>,
    options: Options,
    authenticator: Option<Authenticator>,
    recent: Arc<recent::Recent>,
    order: Arc<TurnOrder>,
    turns: TaskTracker,
    /// No new turns are taken.
    closing: CancellationToken,
}

impl Adapter {
    /// An adapter for `bot`.
    #[must_use]
    pub fn builder(bot: impl crate::turn::Bot) -> AdapterBuilder {
        AdapterBuilder::new(Arc::new(bot))
    }

    /// The order of turns, for who sends proactively.
    pub(crate) fn order(&self) -> Arc<TurnOrder> {
        Arc::clone(&self.inner.order)
    }

    /// Stops taking turns (new ones are answered 503) and waits for those that run or wait for their place. It does not cut off a handler:
    /// bound it by a time limit. The outbox is stopped on its own ([`Proactive::stop`](crate::proactive::Proactive::stop)).
    pub async fn drain(&self) {
        self.inner.closing.cancel();
        self.inner.turns.close();
        self.inner.turns.wait().await;
    }
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").field("options", &self.inner.options).finish_non_exhaustive()
    }
}
