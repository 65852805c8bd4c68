//! How a test's bot is put together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::TestAdapter;
use super::room::{IntoRoom, Room};
use super::watch::Watch;
use crate::adapter::{Adapter, AdapterBuilder};
use crate::clock::Clock;
use crate::proactive::{DeliveryOptions, Proactive};
use crate::store::Store;
use crate::testkit::TestClock;
use crate::turn::Bot;

pub(super) type Configure = Arc<dyn Fn(AdapterBuilder) -> AdapterBuilder + Send + Sync>;

/// Made by [`TestAdapter::builder`].
pub struct TestAdapterBuilder {
    pub(super) clock: TestClock,
    pub(super) channel: String,
    pub(super) delivery: DeliveryOptions,
    pub(super) patience: Duration,
    pub(super) ignore_typing: bool,
    pub(super) configure: Configure,
}

impl TestAdapterBuilder {
    pub(super) fn new() -> Self {
        Self {
            clock: TestClock::default(),
            channel: "test".to_owned(),
            delivery: DeliveryOptions::default(),
            patience: Duration::from_secs(10),
            ignore_typing: false,
            configure: Arc::new(|builder| builder),
        }
    }

    /// By this clock. The usual one stands at a Monday morning, 2026-01-05T09:00:00Z.
    #[must_use]
    pub fn clock(mut self, clock: TestClock) -> Self {
        self.clock = clock;
        self
    }

    /// With people on this channel; `test` unless said.
    #[must_use]
    pub fn channel(mut self, channel_id: &str) -> Self {
        channel_id.clone_into(&mut self.channel);
        self
    }

    /// Delivering so.
    #[must_use]
    pub fn delivery(mut self, options: DeliveryOptions) -> Self {
        self.delivery = options;
        self
    }

    /// With an adapter that `configure` has had its hands on: middleware, services, what is said when a turn fails. It is asked again
    /// for each [restart](TestAdapter::restart).
    #[must_use]
    pub fn adapter(
        mut self,
        configure: impl Fn(AdapterBuilder) -> AdapterBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Arc::new(configure);
        self
    }

    /// Passing over the signs that the bot is busy: they are neither expected nor unexpected.
    #[must_use]
    pub fn ignoring_typing(mut self) -> Self {
        self.ignore_typing = true;
        self
    }

    /// Waiting so long, in real time, for what does not come; 10 s unless said. It only says how fast a test fails.
    #[must_use]
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// Starts a bot.
    ///
    /// # Panics
    /// If it cannot: there is no test to go on with.
    pub async fn start(self, bot: impl Bot) -> TestAdapter {
        self.start_with(|_| bot).await
    }

    /// Starts a bot that is made with the store, for bots that keep state in it (as by
    /// [`App::with_store`](crate::app::App::with_store)).
    ///
    /// # Panics
    /// If it cannot: there is no test to go on with.
    pub async fn start_with<B: Bot>(self, make: impl FnOnce(Store) -> B) -> TestAdapter {
        TestAdapter::start(self, make).await
    }
}

impl fmt::Debug for TestAdapterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestAdapterBuilder").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// A bot that runs: one life of the program.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) store: Store,
    pub(super) engine: Proactive,
    pub(super) adapter: Adapter,
    pub(super) watch: Watch,
}

impl Running {
    pub(super) async fn start<B: Bot>(
        path: &std::path::Path,
        room: &Arc<Room>,
        options: &super::test_adapter::Options,
        make: impl FnOnce(Store) -> B,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(room.clock.clone());
        let store = Store::open(path, &[], Arc::clone(&clock)).expect("a store in the test's folder");
        let changed = Arc::downgrade(room);
        store.subscribe(move |_| {
            if let Some(room) = changed.upgrade() {
                room.changed.notify_waiters();
            }
        });
        let engine = Proactive::open(store.clone(), options.delivery.clone()).await;
        let engine = engine.expect("an engine on the test's store");
        let watch = Watch::new(Arc::clone(room));
        let builder = Adapter::builder(make(store.clone()))
            .middleware(watch.clone())
            .journal(engine.journal())
            .service(Arc::new(engine.clone()))
            .outbound(IntoRoom(Arc::clone(room)))
            .clock(clock);
        let adapter = (options.configure)(builder).build();
        adapter.resume().await;
        engine.start(adapter.clone()).await.expect("an engine that starts");
        Self { store, engine, adapter, watch }
    }

    pub(super) async fn stop(&self) {
        self.adapter.drain().await;
        self.engine.stop().await;
        self.store.close().await;
    }
}
