//! The parts of an app, for who puts them together himself.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::Router;

use super::{App, DATABASE, Error, Gate, JsonLimits, Transcripts, channel, folder, trust::Trusted};
use crate::{
    adapter::Adapter,
    connector::ConnectorClient,
    egress::{Guard, Options},
    keys::Keys,
    proactive::Proactive,
    store::Store,
    turn::Bot,
};

/// An app whose data is open and locked, and which nobody can reach yet.
pub struct Opened<B> {
    app: App<B>,
    store: Store,
}

/// An app that is put together. [`Start`](Self::start) it, then serve its
/// [`router`](Self::router) behind its gate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// Jobs, notifications and their delivery.
    pub proactive: Proactive,
    /// Activities in, proactive turns out.
    pub adapter: Adapter,
    /// The keys of the API.
    pub keys: Keys,
    /// The built-in channel.
    pub channel: channel::Handle,
    /// What is written down of what is said, if the app was told to.
    pub transcripts: Option<Transcripts>,
    /// What stands in front of the routes.
    pub gate: Gate,
    /// Where this machine reaches it: `http://127.0.0.1:3978/`.
    pub base_url: String,
}

impl<B: Bot> App<B> {
    /// Opens and locks the data. What is there is synced anew before this returns.
    ///
    /// # Errors
    /// [`Error::Data`], [`Error::Store`].
    pub async fn open(self) -> Result<Opened<B>, Error> {
        folder::make(&self.data).map_err(|source| Error::Data { path: self.data.clone(), source })?;
        let (path, clock) = (self.data.join(DATABASE), Arc::clone(&self.clock));
        let store = Store::open(&path, &super::migrations(), clock)?;
        Ok(Opened { app: self, store })
    }
}

impl<B: Bot> Opened<B> {
    /// Puts the parts together, to be reached at `address`.
    ///
    /// # Errors
    /// [`Error::Engine`], [`Error::Store`], [`Error::Channel`], [`Error::Trust`].
    pub async fn at(self, address: SocketAddr) -> Result<Parts, Error> {
        let Self { app, store } = self;
        folder::warn_if_open_to_others(&app.data);
        let base_url = super::listen::local_url(address);
        // A settled one can be replayed as long as it is kept, and then tried as long as any.
        let last_after = app.delivery.retention.saturating_add(app.delivery.backoff.max_age);
        let delivery = crate::proactive::DeliveryOptions {
            takes_ids: channel::CHANNEL_ID.map(|_| base_url.clone()),
            ..app.delivery
        };
        let proactive = Proactive::open(store.clone(), delivery).await?;
        let keys = Keys::open(store.clone()).await?;
        if let Some(channel_id) = channel::CHANNEL_ID {
            let moved = proactive.channel_reached_at(channel_id, &base_url).await?;
            if moved > 0 {
                tracing::info!(
                    conversations = moved,
                    base_url,
                    "the channel is reached at another address now"
                );
            }
        }
        let own = match &app.trust {
            Some(_) => Some(channel::Own::open(&app.data, &app.clock)?),
            None => None,
        };
        let trusted = match (app.trust, &own) {
            (Some(trust), Some(own)) => {
                Some(trust.build(own, &base_url, app.channel.is_foreign(), &app.clock)?)
            }
            _ => None,
        };
        let connector = match &trusted {
            Some(trusted) => trusted.connector.clone(),
            None => Guard::loopback_only(Options::default()),
        };
        let builder = Adapter::builder((app.bot)(store.clone()))
            .journal(proactive.journal())
            .connector(ConnectorClient::new(connector))
            .service(Arc::new(proactive.clone()))
            .service(Arc::new(keys.clone()))
            .clock(Arc::clone(&app.clock));
        let transcripts = app.transcripts.map(|keep| Transcripts::new(&store, keep, app.clock));
        let builder = match &transcripts {
            Some(transcripts) => builder.middleware(transcripts.logger.clone()),
            None => builder,
        };
        let builder = match channel::CHANNEL_ID {
            Some(_) => builder.takes_ids(&base_url),
            None => builder,
        };
        let builder = match &trusted {
            Some(trusted) => builder.authenticator(trusted.authenticator.clone()),
            None => builder,
        };
        let adapter = (app.configure)(builder).build();
        let ways = own.as_ref().zip(trusted.as_ref());
        let around = Around {
            store: &store,
            data: &app.data,
            base_url: &base_url,
            last_after,
            trust: ways,
            json: app.gate.json,
            keys: keys.clone(),
        };
        let channel = channel::open(app.channel, around).await?;
        let upload_limit = channel::upload_limit(&channel);
        let site = app.gate.site.clone().listening_on(address);
        let gate = Gate::new(super::GateOptions { upload_limit, site, ..app.gate });
        Ok(Parts { store, proactive, adapter, keys, channel, transcripts, gate, base_url })
    }
}

/// What a channel is opened in.
#[cfg_attr(not(feature = "directline"), expect(dead_code, reason = "there is no channel to open"))]
pub(super) struct Around<'a> {
    pub(super) store: &'a Store,
    pub(super) data: &'a Path,
    /// Where the app is reached.
    pub(super) base_url: &'a str,
    /// A notification can come for the last time so long after the first: for that time at least its id is kept.
    pub(super) last_after: Duration,
    pub(super) trust: Option<(&'a channel::Own, &'a Trusted)>,
    pub(super) json: JsonLimits,
    pub(super) keys: Keys,
}

impl Parts {
    /// The routes of the adapter and of the channel, without the gate.
    pub fn router(&self) -> Router {
        self.adapter.router().merge(channel::router(&self.channel))
    }

    /// Starts to deliver, and takes up what an earlier process left: attempts under way, turns answered early, activities that
    /// the bot has not got. Call it when the listener is bound and before the routes are served, so that the turns that are run again
    /// stand before new ones; what they send waits the moment until the routes are there.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub async fn start(&self) -> Result<(), Error> {
        self.adapter.warm_up();
        self.proactive.start(self.adapter.clone()).await?;
        self.adapter.resume().await;
        channel::resume(&self.channel);
        if let Some(transcripts) = &self.transcripts {
            transcripts.start();
        }
        Ok(())
    }

    /// Stops with no turn and no send cut: refuses new requests and waits for those under way, then for what the channel
    /// hands over, then for the turns, then for the attempts under way. The routes must be served until this returns, because turns
    /// and attempts still send through them.
    ///
    /// What is left to the caller is to stop serving and to close the store. This takes as long as the slowest turn: bound it.
    pub async fn stop(&self) {
        self.gate.stop().await;
        channel::stop(&self.channel).await;
        self.adapter.drain().await;
        self.proactive.stop().await;
        if let Some(transcripts) = &self.transcripts {
            transcripts.stop().await;
        }
    }
}

impl<B> std::fmt::Debug for Opened<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("app", &self.app).finish_non_exhaustive()
    }
}
