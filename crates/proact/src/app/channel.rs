//! The built-in Direct Line channel as a part of an app.

use std::{path::Path, time::Duration};

use axum::Router;

use super::{App, Error};
use crate::{
    directline::{self, Channel, Secret},
    egress::{Guard, Options},
    store::{Migration, Store},
};

/// The tables that the channel brings.
pub(super) const MIGRATIONS: &[Migration] = &[directline::MIGRATION];
/// The channel whose stored conversations move when this process listens elsewhere.
pub(super) const CHANNEL_ID: Option<&str> = Some(directline::CHANNEL_ID);

/// Holds what it has, at a restore; counts what it holds; drops a few.
pub(super) const HOLD: directline::HoldDue = directline::HoldDue;
pub(super) const COUNT_HELD: directline::CountHeld = directline::CountHeld;
pub(super) fn drop_held(before: i64, limit: usize) -> directline::DropDue {
    directline::DropDue { before, limit }
}

/// What was said about the channel.
#[derive(Default)]
pub(super) struct Settings {
    bot_url: Option<String>,
    secret: Option<Secret>,
    configure: Vec<Configure>,
}

type Configure = Box<dyn FnOnce(&mut directline::Options) + Send>;

/// What the channel's files are called in the data folder.
const FILES: &str = "directline-files";

impl<B> App<B> {
    /// Puts the channel in front of the bot at this URL instead of the app's own.
    #[must_use]
    pub fn bot_url(mut self, url: impl Into<String>) -> Self {
        self.channel.bot_url = Some(url.into());
        self
    }

    /// With this secret of the channel, instead of one that is made once and kept in the data folder.
    #[must_use]
    pub fn directline_secret(mut self, secret: Secret) -> Self {
        self.channel.secret = Some(secret);
        self
    }

    /// With a channel that `configure` has had its hands on: how much it takes, how long it keeps it, how many streams a
    /// conversation has.
    #[must_use]
    pub fn directline(mut self, configure: impl FnOnce(&mut directline::Options) + Send + 'static) -> Self {
        self.channel.configure.push(Box::new(configure));
        self
    }
}

/// Opens the channel, to be reached at `base_url`. A notification can come for the last time so long after the first:
/// for that time at least its id is kept.
pub(super) async fn open(
    settings: Settings,
    store: &Store,
    data: &Path,
    base_url: &str,
    last_after: Duration,
) -> Result<Channel, Error> {
    let secret = match settings.secret {
        Some(secret) => secret,
        None => directline::load_or_make_secret(data).map_err(|e| Error::Channel(e.to_string()))?,
    };
    let bot_url = settings.bot_url.unwrap_or_else(|| format!("{base_url}api/messages"));
    let guard = Guard::loopback_only(Options::default());
    let mut options = directline::Options::new(store.clone(), guard, base_url, bot_url, secret);
    options.files = Some(data.join(FILES));
    for configure in settings.configure {
        configure(&mut options);
    }
    options.limits.ids_kept_for = options.limits.ids_kept_for.max(last_after);
    Channel::open(options).await.map_err(|e| Error::Channel(e.to_string()))
}

/// How many bytes of files a request may bring.
pub(super) fn upload_limit(channel: &Channel) -> usize {
    channel.limits().upload_bytes
}

/// The channel's routes.
pub(super) fn router(channel: &Channel) -> Router {
    channel.router()
}

/// Hands the bot what an earlier process left behind, with nobody waiting: the bot may take its time.
pub(super) fn resume(channel: &Channel) {
    let channel = channel.clone();
    tokio::spawn(async move {
        if let Err(error) = channel.resume().await {
            tracing::error!(%error, "activities of an earlier process are not handed over until the next start");
        }
    });
}

pub(super) async fn stop(channel: &Channel) {
    channel.stop().await;
}

pub(super) use crate::directline::Channel as Handle;
