//! The built-in Direct Line channel as a part of an app.

use std::{path::Path, sync::Arc};

use axum::Router;

use super::{App, Error, TrustError, parts::Around};
use crate::{
    auth,
    clock::Clock,
    directline::{self, Channel, Secret},
    egress::{Credential, Guard, Options},
    store::Migration,
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

impl Settings {
    /// Whether another bot than the app's own is behind the channel.
    pub(super) fn is_foreign(&self) -> bool {
        self.bot_url.is_some()
    }
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

/// The channel as an issuer of its own: neither it nor the app's own bot uses a cloud's tokens between them.
pub(super) struct Own(directline::issuer::Issuer);

impl Own {
    /// With the key in the data folder.
    pub(super) fn open(data: &Path, clock: &Arc<dyn Clock>) -> Result<Self, Error> {
        let issuer = directline::issuer::Issuer::open(data, Arc::clone(clock));
        issuer.map(Self).map_err(|error| Error::Channel(error.to_string()))
    }

    /// Whom the bot trusts beside its cloud.
    pub(super) fn as_trusted(&self) -> Option<auth::Issuer> {
        Some(self.0.as_trusted())
    }

    /// By whom the channel knows the bot of this app id.
    pub(super) fn trusted_by_connector(&self, app_id: &str) -> Option<auth::Issuer> {
        Some(self.0.trusted_by_connector(app_id))
    }

    /// What the bot of this app id shows the channel.
    pub(super) fn for_connector(&self, app_id: &str) -> Option<Credential> {
        Some(Credential::new(
            Arc::new(self.0.for_connector(app_id)),
            directline::issuer::Audience::Connector.name(),
        ))
    }

    /// The way to the app's own bot.
    fn to_own_bot(&self, bot_url: &str, base_url: &str) -> Result<Guard, TrustError> {
        let shown =
            Credential::new(Arc::new(self.0.for_bot(base_url)), directline::issuer::Audience::Bot.name());
        Ok(Guard::builder().configured(bot_url, Some(shown)).build()?)
    }
}

/// Opens the channel. Where there is trust, the app's own bot is shown a token and must show one. Another bot is reached as the Emulator does
/// it, with a token for its app id.
pub(super) async fn open(settings: Settings, around: Around<'_>) -> Result<Channel, Error> {
    let Around { store, data, base_url, last_after, trust: ways, json, keys } = around;
    let secret = match settings.secret {
        Some(secret) => secret,
        None => directline::load_or_make_secret(data).map_err(|e| Error::Channel(e.to_string()))?,
    };
    let own_url = format!("{base_url}api/messages");
    let guard = match (ways, &settings.bot_url) {
        (None, _) => Guard::loopback_only(Options::default()),
        (Some((own, _)), None) => own.to_own_bot(&own_url, base_url)?,
        (Some((_, trusted)), Some(url)) => {
            let shown = Some(trusted.for_app.clone());
            Guard::builder().configured(url, shown).build().map_err(TrustError::from)?
        }
    };
    let bot_url = settings.bot_url.unwrap_or(own_url);
    let mut options = directline::Options::new(store.clone(), guard, base_url, bot_url, secret);
    options.bots = ways.and_then(|(_, trusted)| trusted.bots.clone());
    options.keys = Some(keys);
    options.files = Some(data.join(FILES));
    options.json = json;
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
