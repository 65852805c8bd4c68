//! The server from its start to its end.
//!
//! The start, in this order: read the bot's identity, lock and open the data, bind, deliver, take up what an earlier process left, serve. What is sent to
//! the address before it is served waits there. From then on `<data>/server.json` says where it is, and
//! `<data>/local.key` lets the command line in. What cannot be had is one line
//! that says what to do.
//!
//! The stop: refuse new work, wait for requests, turns and attempts under way, close the connections, close the store, remove
//! `server.json`. No turn and no send is cut, unless all that takes longer than the grace that was configured: then what is left
//! is cut as a crash would, goes on at the next start, and the end says so.
//!
//! When one of its loops has panicked ([`Server::died`]) it stops so too, and ends with an error: the next start has all of them.
//!
//! When a sync of the store has failed, there is no stop: nothing that the process knows about the disk holds any longer, so
//! it ends ([`Server::failure`]).

mod clock;
mod file;
mod local_key;
mod run;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

pub use file::Running;
use futures_util::FutureExt;
pub(crate) use local_key::LocalKey;
use proact::{
    adapter,
    app::{self, App, GateOptions, Parts, ServeOptions, Tls, TlsError},
    auth::{Credentials, CredentialsError},
    clock::Clock,
    directline::Sessions,
    loops::Died,
    store,
    turn::TurnContext,
};
pub(crate) use run::run;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, Config},
    http::{self, Access, Changes, Rooms},
    job_bot::{JobBot, SORRY},
    sign_in::SignIn,
};

/// How long the store may take to close when the grace is over.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Why the server cannot start; its text is one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bot's identity.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// From where it is to be reached, or whom it is to trust.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Its certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The page's key; the text says what to do.
    #[error("{0}")]
    SignIn(String),
    /// A part of it.
    #[error(transparent)]
    App(#[from] app::Error),
    /// `server.json` or `local.key` cannot be written.
    #[error("cannot write {0}: make the data folder writable, or choose another one")]
    File(String),
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Everything came to its end.
    Clean,
    /// The grace was over first.
    Cut,
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    parts: Parts,
    address: SocketAddr,
    served: JoinHandle<()>,
    stop: CancellationToken,
    file: file::Written,
    local_key: local_key::Written,
    grace: Duration,
    identity: Option<String>,
    public_url: Option<String>,
    signs_in: bool,
}

impl Server {
    /// Starts a server; when this returns, it takes work.
    ///
    /// # Errors
    /// Whatever it cannot have; see [`Error`].
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let credentials = config.credentials()?;
        config.reach.allow(&config.listen, credentials.is_some())?;
        let tls =
            config.reach.tls.as_ref().map(|(certificate, key)| Tls::load(certificate, key)).transpose()?;
        let required = config.keys_required || credentials.is_some();
        let sign_in: Arc<OnceLock<Arc<SignIn>>> = Arc::default();
        let opened = app(&config, credentials.as_ref(), clock, &sign_in)?.open().await?;
        let (listener, address) = if config.reach.is_beyond() {
            app::listen_anywhere(&config.listen).await?
        } else {
            app::listen(&config.listen).await?
        };
        let parts = opened.at(address).await?;

        if config.reach.signs_in(required) {
            let key = config.reach.page_key();
            let opened = SignIn::open(key, &config.data, parts.store.clock(), address.port());
            let opened = opened.map_err(Error::SignIn)?;
            sign_in.get_or_init(|| Arc::new(opened));
        }
        let running = Running::here(reached_here(&parts.base_url, address));
        let (local, local_file) = LocalKey::make(&config.data).map_err(Error::File)?;
        let stop = CancellationToken::new();
        let rooms = Rooms {
            proactive: parts.proactive.clone(),
            channel: parts.channel.clone(),
            changes: Changes::of(&parts.store, stop.clone()),
            gate: parts.gate.clone(),
            access: Access { keys: parts.keys.clone(), local, required, sign_in: sign_in.get().cloned() },
            senders: config.senders.clone(),
            parts: parts.clone(),
            instance: running.instance.as_str().into(),
        };
        let router = http::router(rooms.into(), parts.router());
        parts.start().await?;
        let mut serving = ServeOptions::default();
        (serving.limits, serving.shape, serving.tls) = (config.limits.clone(), http::refusal, tls);
        let serve = app::serve_within(listener, router, stop.clone(), serving);
        let served = tokio::spawn(parts.store.loops().watch("the listener", serve));
        let file = running.write(&config.data).map_err(Error::File)?;
        let identity = credentials.map(|credentials| credentials.to_string());
        let public_url = config.reach.site.public_url().map(str::to_owned);
        let signs_in = config.reach.signs_in(required);
        Ok(Self {
            parts,
            address,
            served,
            stop,
            file,
            local_key: local_file,
            grace: config.grace,
            identity,
            public_url,
            signs_in,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who the bot is, if it has credentials: without secrets.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// Where other machines reach it, if they do.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// Whether the page asks for a sign-in.
    #[must_use]
    pub fn signs_in(&self) -> bool {
        self.signs_in
    }

    /// Its parts.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Resolves when a sync of the store has failed: the process must end at once.
    pub async fn failure(&self) -> store::Error {
        self.parts.store.failure().await
    }

    /// Resolves when one of its loops has died: what is under way may be finished, and then the process must end.
    pub async fn died(&self) -> Died {
        self.parts.store.loops().failure().await
    }

    /// Stops, for as long as the grace allows, or until `hurry` resolves.
    pub async fn stop(self, hurry: impl Future<Output = ()>) -> Stopped {
        let everything = async {
            self.parts.stop().await;
            self.stop.cancel();
            // It ends when every connection has.
            let _ = self.served.await;
            self.parts.store.close().await;
        };
        let stopped = tokio::select! {
            () = everything => Stopped::Clean,
            () = tokio::time::sleep(self.grace) => Stopped::Cut,
            () = hurry => Stopped::Cut,
        };
        if stopped == Stopped::Cut {
            let _ = tokio::time::timeout(CLOSE_WITHIN, self.parts.store.close()).await;
        }
        self.file.remove();
        self.local_key.remove();
        stopped
    }
}

/// Where this machine reaches it.
fn reached_here(base_url: &str, address: SocketAddr) -> SocketAddr {
    let here = base_url.strip_prefix("http://").and_then(|rest| rest.trim_end_matches('/').parse().ok());
    here.unwrap_or(address)
}

/// The app that the configuration describes.
fn app(
    config: &Config,
    credentials: Option<&Credentials>,
    clock: Arc<dyn Clock>,
    sign_in: &Arc<OnceLock<Arc<SignIn>>>,
) -> Result<App<JobBot>, config::Error> {
    let mut turns = adapter::Options::default();
    turns.early_answer_after = config.early_answer_after;
    let mut gate = GateOptions::default();
    gate.body_within = config.body_within;
    gate.limits = config.limits.clone();
    gate.shape = http::refusal;
    gate.site = config.reach.site.clone();
    let mut app = App::new(JobBot {
        visibility: config.visibility(credentials),
        keys_required: config.keys_required || credentials.is_some(),
    })
    .data(&config.data)
    .clock(clock)
    .delivery(config.delivery.clone())
    .gate(gate)
    .adapter(move |builder| builder.options(turns).on_turn_error(|ctx, _| apologise(ctx).boxed()));
    match credentials {
        Some(credentials) => app = app.trust(config.trust.of(credentials.clone())?),
        // Nothing of it is used yet.
        None => config.trust.check()?,
    }
    if let Some(url) = &config.bot_url {
        app = app.bot_url(url);
    }
    let (one_stream, limits) = (config.one_stream, config.channel.clone());
    // The channel is opened before the sign-in, and served after it.
    let sign_in = Arc::clone(sign_in);
    let sessions = Sessions::new(move |name| sign_in.get().is_some_and(|sign_in| sign_in.holds(name)));
    app = app.directline(move |options| {
        options.sessions = Some(sessions);
        options.one_stream = one_stream;
        options.limits = limits;
    });
    if let Some(secret) = &config.secret {
        app = app.directline_secret(secret.clone());
    }
    Ok(app)
}

/// Tells the person that their turn failed. Why is in the log already; that this may fail for the same reason is no news.
async fn apologise(ctx: &TurnContext) {
    if let Err(error) = ctx.send(SORRY).await {
        tracing::debug!(%error, conversation = %ctx.conversation(), "the apology for a failed turn was not sent");
    }
}
