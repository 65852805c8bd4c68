//! The adapter: turns HTTP requests into turns, and `continue_conversation` into proactive turns.
//!
//! The way of an inbound activity: decode → is it known (running now: join it; finished: the same answer)? → its place among the
//! conversation's turns → middleware → the bot → state and journal in one commit → the answer. A turn runs in a task of its
//! own: a client that hangs up cancels nothing.
//!
//! A turn that is not done before the channel gives up is put on record with its activity and answered early; it goes on beside
//! later ones, and if the process dies it is run again by [`Adapter::resume`].
//!
//! What is not an activity gets 400 with the field's name; a handler's failure is told to `on_turn_error` and logged once.

mod answer;
mod builder;
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
pub use journal::{Begun, EarlyTurn, FinishError, JournalError, NoJournal, TurnEnd, TurnJournal, TurnStart};
pub use proactive::{ContinueError, NotSent, OutboxTurn, ProactiveEnd};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    connector::ConnectorClient,
    turn::{BotError, DynBot, DynMiddleware, Outbound, TurnContext, Values},
};

/// How the adapter treats time and memory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// A turn that takes longer is answered before its end. Channels give up after about 15 s; default 10 s.
    pub early_answer_after: Duration,
    /// Answers remembered in memory, for activities that come again. Past this the oldest are forgotten. Default 262 144.
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
    recent: Arc<recent::Recent>,
    order: order::TurnOrder,
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

    /// Stops taking turns (new ones are answered 503) and waits for those that run.
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
