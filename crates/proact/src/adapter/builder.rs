//! Putting an adapter together.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Adapter, Inner, NoJournal, OnTurnError, Options, TurnJournal, order::TurnOrder, outbound::ByConnector,
    recent::Recent,
};
use crate::{
    auth::Authenticator,
    clock::{Clock, SystemClock},
    connector::ConnectorClient,
    egress::Guard,
    turn::{BotError, DynBot, DynMiddleware, Middleware, Outbound, TurnContext, Values},
};

/// Made by [`Adapter::builder`].
pub struct AdapterBuilder {
    bot: Arc<dyn DynBot>,
    middleware: Vec<Arc<dyn DynMiddleware>>,
    journal: Arc<dyn TurnJournal>,
    connector: Option<ConnectorClient>,
    outbound: Option<Arc<dyn Outbound>>,
    takes_ids: Option<String>,
    services: Values,
    on_turn_error: Option<OnTurnError>,
    options: Options,
    clock: Arc<dyn Clock>,
    authenticator: Option<Authenticator>,
}

impl AdapterBuilder {
    pub(super) fn new(bot: Arc<dyn DynBot>) -> Self {
        Self {
            bot,
            middleware: Vec::new(),
            journal: Arc::new(NoJournal),
            connector: None,
            outbound: None,
            takes_ids: None,
            services: Values::default(),
            on_turn_error: None,
            options: Options::default(),
            clock: Arc::new(SystemClock),
            authenticator: None,
        }
    }

    /// Adds middleware; what is added first stands outermost.
    #[must_use]
    pub fn middleware(mut self, middleware: impl Middleware) -> Self {
        self.middleware.push(Arc::new(middleware));
        self
    }

    /// Remembers turns in this journal. The default remembers nothing beyond the process.
    #[must_use]
    pub fn journal(mut self, journal: impl TurnJournal) -> Self {
        self.journal = Arc::new(journal);
        self
    }

    /// Sends through this connector client. The default lets only loopback out.
    #[must_use]
    pub fn connector(mut self, connector: ConnectorClient) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Sends activities by another way than the connector client: to a channel within the process, or to a test's list. Where to is
    /// checked all the same, by the connector client's guard.
    #[must_use]
    pub fn outbound(mut self, outbound: impl Outbound) -> Self {
        self.outbound = Some(Arc::new(outbound));
        self
    }

    /// The service URL of a channel that takes an id with an activity and so takes the activity once. Replies to it carry their turn's key
    /// and their ordinal, so that a turn that is run again after a crash shows no reply twice.
    #[must_use]
    pub fn takes_ids(mut self, service_url: impl Into<String>) -> Self {
        self.takes_ids = Some(service_url.into());
        self
    }

    /// Offers a service to every turn, under its type.
    #[must_use]
    pub fn service<T: Send + Sync + 'static>(self, service: Arc<T>) -> Self {
        self.services.insert(service);
        self
    }

    /// What to do when a handler fails, an apology mostly. The failure is logged before. Without it the channel is answered 500,
    /// and sends the activity again.
    #[must_use]
    pub fn on_turn_error<F>(mut self, handler: F) -> Self
    where
        F: for<'a> Fn(&'a TurnContext, &'a BotError) -> BoxFuture<'a, ()> + Send + Sync + 'static,
    {
        self.on_turn_error = Some(Arc::new(handler));
        self
    }

    /// Lets in only whom this authenticator lets in. Without one nobody is asked who they are: then nobody but this machine must be able to
    /// reach the bot.
    #[must_use]
    pub fn authenticator(mut self, authenticator: Authenticator) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    /// How to treat time and memory.
    #[must_use]
    pub const fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The clock that answers are remembered by.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The adapter.
    #[must_use]
    pub fn build(self) -> Adapter {
        let connector = self
            .connector
            .unwrap_or_else(|| ConnectorClient::new(Guard::loopback_only(crate::egress::Options::default())));
        let recent =
            Recent::new(self.options.remembered, self.options.remembered_for, Arc::clone(&self.clock));
        Adapter {
            inner: Arc::new(Inner {
                bot: self.bot,
                middleware: self.middleware,
                journal: self.journal,
                outbound: self.outbound.unwrap_or_else(|| Arc::new(ByConnector(connector.clone()))),
                connector,
                takes_ids: self.takes_ids,
                services: Arc::new(self.services),
                on_turn_error: self.on_turn_error,
                options: self.options,
                authenticator: self.authenticator,
                recent,
                order: Arc::new(TurnOrder::new()),
                turns: TaskTracker::new(),
                closing: CancellationToken::new(),
            }),
        }
    }
}

impl fmt::Debug for AdapterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
