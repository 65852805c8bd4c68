//! The composition root: everything that an own bot needs, put together.
//!
//! [`App::run`] is the whole of it. What happens, in this order:
//!
//! 1. The data folder is made if there is none, its store is opened and locked ([`App::open`]). A second process on the same data
//!    ends here.
//! 2. The address is bound. Only loopback is taken, unless the caller binds another one ([`listen_anywhere`]).
//! 3. The engine, the adapter and (with the feature `directline`) the channel are opened. If the address is another one than last
//!    time, what is stored of the channel's conversations moves with it.
//! 4. Deliveries start; turns that were answered early and activities that were not yet handed to the bot are run again
//!    ([`Parts::start`]). Only then are the routes served, behind the [`Gate`]: what is sent before waits at the bound address.
//! 5. On SIGTERM or SIGINT it stops with no turn and no send cut ([`Parts::stop`]), and the store is closed.
//!
//! Whatever cannot be had is an [`Error`] of one line that says what to do. A failed sync of the store ends it at once, without
//! an answer to anyone.
//!
//! A program that brings its own listener, routes or way to stop takes the steps itself:
//!
//! ```no_run
//! # use proact::{app::{self, App}, prelude::*};
//! # use tokio_util::sync::CancellationToken;
//! # async fn with(bot: impl Bot, own_routes: axum::Router, stop: CancellationToken) -> Result<(), app::Error> {
//! let opened = App::new(bot).data("./data").open().await?;
//! let (listener, address) = app::listen("127.0.0.1:3978").await?;
//! let parts = opened.at(address).await?;
//! let router = parts.gate.in_front_of(parts.router().merge(own_routes));
//! parts.start().await?;
//! let served = tokio::spawn(app::serve(listener, router, stop.clone()));
//! stop.cancelled().await;
//! parts.stop().await;
//! served.await.ok();
//! parts.store.close().await;
//! # Ok(()) }
//! ```

#[cfg(feature = "directline")]
#[path = "channel.rs"]
mod channel;
#[cfg(not(feature = "directline"))]
#[path = "no_channel.rs"]
mod channel;
mod connection;
mod error;
mod folder;
mod gate;
mod hold;
mod json_shape;
mod limits;
mod listen;
mod parts;
mod refusal;
mod run;
mod seated;
mod serve;
mod site;
mod tls;
mod transcripts;
mod trust;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

pub use connection::Connection;
pub use error::Error;
pub use gate::{Gate, GateOptions, Shape};
pub use hold::{Freed, Held, Restored, held, release, restore};
pub use json_shape::JsonLimits;
#[cfg(feature = "directline")]
pub(crate) use limits::Brought;
pub use limits::{ClientAddress, Limits};
pub use listen::{is_beyond_loopback, listen, listen_anywhere};
pub use parts::{Opened, Parts};
pub use refusal::Refusal;
pub use run::StopSignal;
pub use serve::{ServeOptions, serve, serve_within};
pub use site::{BadPublicUrl, Site};
pub use tls::{Tls, TlsError};
pub use transcripts::Transcripts;
pub use trust::{Trust, TrustError};

use crate::{
    adapter::AdapterBuilder,
    clock::{Clock, SystemClock},
    middleware::transcript,
    proactive::DeliveryOptions,
    store::{Migration, Store},
    turn::Bot,
};

/// What a data folder's database is called.
pub const DATABASE: &str = "proact.db";

/// The tables of an app, beside the store's own. Those of transcripts also when nothing is written down this time: what was is still
/// there to be read.
fn migrations() -> Vec<Migration> {
    [channel::MIGRATIONS, &[transcript::MIGRATION]].concat()
}

type MakeBot<B> = Box<dyn FnOnce(Store) -> B + Send>;
type Configure = Box<dyn FnOnce(AdapterBuilder) -> AdapterBuilder + Send>;

/// A bot with everything around it. See the [module](self) for what happens when.
pub struct App<B> {
    bot: MakeBot<B>,
    data: PathBuf,
    listen: String,
    clock: Arc<dyn Clock>,
    delivery: DeliveryOptions,
    gate: GateOptions,
    configure: Configure,
    channel: channel::Settings,
    transcripts: Option<Duration>,
    trust: Option<Trust>,
}

impl<B: Bot> App<B> {
    /// An app of `bot`, with its data in `./data`, to listen on `127.0.0.1:3978`.
    pub fn new(bot: B) -> Self {
        Self::with_store(|_| bot)
    }

    /// An app of a bot that is made when the store is open: for bots that keep [state](crate::state) in it. State in the store is saved in
    /// one commit with the turn's record.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// use proact::{prelude::*, state::{Accessor, BotState}};
    ///
    /// struct Counter {
    ///     messages: Accessor<u64>,
    /// }
    /// # impl Bot for Counter {
    /// #     async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> { Ok(()) }
    /// # }
    ///
    /// # fn main() {
    /// let app = App::with_store(|store| {
    ///     let conversation = BotState::conversation(Arc::new(store));
    ///     Counter { messages: conversation.property("messages") }
    /// });
    /// # }
    /// ```
    pub fn with_store(make: impl FnOnce(Store) -> B + Send + 'static) -> Self {
        Self {
            bot: Box::new(make),
            data: PathBuf::from("./data"),
            listen: "127.0.0.1:3978".to_owned(),
            clock: Arc::new(SystemClock),
            delivery: DeliveryOptions::default(),
            gate: GateOptions::default(),
            configure: Box::new(|builder| builder),
            channel: channel::Settings::default(),
            transcripts: None,
            trust: None,
        }
    }

    /// With its data in this folder; it is made if there is none.
    #[must_use]
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = folder.into();
        self
    }

    /// To listen on this address when it is [`run`](Self::run). Port 0 takes one that is free.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// By this clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Delivering so.
    #[must_use]
    pub fn delivery(mut self, options: DeliveryOptions) -> Self {
        self.delivery = options;
        self
    }

    /// With a gate of these options.
    #[must_use]
    pub fn gate(mut self, options: GateOptions) -> Self {
        self.gate = options;
        self
    }

    /// As the bot that it has credentials for: who speaks to it must prove who they are, and it proves who it is. See [`Trust`].
    /// Without this nobody is asked, and it is for its own machine alone.
    #[must_use]
    pub fn trust(mut self, trust: impl Into<Trust>) -> Self {
        self.trust = Some(trust.into());
        self
    }

    /// Writing down what is said, and forgetting it after this time; see [`transcript`] for what is
    /// promised. What was written down is read by [`Parts::transcripts`]. Without this nothing is written down.
    #[must_use]
    pub fn transcripts(mut self, keep: Duration) -> Self {
        self.transcripts = Some(keep);
        self
    }

    /// With an adapter that `configure` has had its hands on: middleware, services, what is said when a turn fails.
    #[must_use]
    pub fn adapter(
        mut self,
        configure: impl FnOnce(AdapterBuilder) -> AdapterBuilder + Send + 'static,
    ) -> Self {
        let before = self.configure;
        self.configure = Box::new(|builder| configure(before(builder)));
        self
    }
}

impl<B> fmt::Debug for App<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("data", &self.data).field("listen", &self.listen).finish_non_exhaustive()
    }
}
