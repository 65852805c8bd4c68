//! The delivery engine: what it accepts, what holds it back, what is taken back, and in which order things go.

mod accept;
mod clock;
mod control;
mod gates;
mod hosts;
mod order;
mod trust;

use std::{path::Path, sync::Arc, time::Duration};

use proact::{
    activity::ConversationKey,
    adapter::{Adapter, Options},
    clock::Clock,
    connector::ConnectorClient,
    egress::{self, Guard},
    proactive::{
        Attempt, AttemptOutcome, DeliveryOptions, NewNotification, Notification, NotificationState, Proactive,
    },
    testkit::{FakeChannel, TestClock},
    turn::Bot,
};
use uuid::Uuid;

use crate::support::{self, Running, TestBot, eager};

/// A running bot whose clock stands until it is moved.
struct World {
    bot: Running,
    channel: FakeChannel,
    clock: Arc<TestClock>,
}

impl World {
    async fn start(folder: &Path) -> Self {
        Self::start_with(folder, FakeChannel::start(), eager()).await
    }

    async fn start_with(folder: &Path, channel: FakeChannel, options: DeliveryOptions) -> Self {
        let clock = Arc::new(TestClock::at("2030-01-01T12:00:00Z"));
        Self::start_at(folder, channel, options, clock).await
    }

    async fn start_at(
        folder: &Path,
        channel: FakeChannel,
        options: DeliveryOptions,
        clock: Arc<TestClock>,
    ) -> Self {
        let by: Arc<dyn Clock> = clock.clone();
        Self::start_bot(folder, channel, options, clock, by, TestBot).await
    }

    /// Sending through another guard.
    async fn start_through(
        folder: &Path,
        channel: FakeChannel,
        options: DeliveryOptions,
        clock: Arc<TestClock>,
        guard: Guard,
    ) -> Self {
        let by: Arc<dyn Clock> = clock.clone();
        Self::start_all(folder, channel, options, clock, by, TestBot, guard).await
    }

    /// Another bot, or a clock that does more than tell the time.
    async fn start_bot(
        folder: &Path,
        channel: FakeChannel,
        options: DeliveryOptions,
        clock: Arc<TestClock>,
        by: Arc<dyn Clock>,
        bot: impl Bot,
    ) -> Self {
        let guard = Guard::loopback_only(egress::Options::default());
        Self::start_all(folder, channel, options, clock, by, bot, guard).await
    }

    async fn start_all(
        folder: &Path,
        channel: FakeChannel,
        options: DeliveryOptions,
        clock: Arc<TestClock>,
        by: Arc<dyn Clock>,
        bot: impl Bot,
        guard: Guard,
    ) -> Self {
        let store = support::open(folder, &[], Arc::clone(&by)).await;
        let engine = Proactive::open(store, options).await.unwrap();
        let adapter = Adapter::builder(bot)
            .journal(engine.journal())
            .service(Arc::new(engine.clone()))
            .connector(ConnectorClient::new(guard))
            .options(Options::default())
            .clock(by)
            .build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bot_url = format!("http://{}/api/messages", listener.local_addr().unwrap());
        let router = adapter.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        engine.start(adapter.clone()).await.unwrap();
        Self { bot: Running { engine, adapter, bot_url }, channel, clock }
    }

    fn engine(&self) -> &Proactive {
        &self.bot.engine
    }

    /// Somebody in the conversation talks to the bot, so that it may write there.
    async fn meet(&self, conversation: &str) -> ConversationKey {
        let user = self.channel.user(conversation);
        self.bot.say(&user, "hello").await;
        user.message("x").conversation_key().unwrap()
    }

    async fn notify(&self, new: NewNotification) -> Uuid {
        self.engine().notify(new).await.unwrap().id
    }

    async fn get(&self, id: Uuid) -> Notification {
        self.engine().notification(id).await.unwrap().unwrap()
    }

    /// Waits until it stands so.
    async fn until(&self, id: Uuid, state: NotificationState) -> Notification {
        self.when(id, state.as_str(), |now| now.state == state).await
    }

    /// Waits until a try of it is over and it waits for the next one. It may wait before its first try too: for the end of what went
    /// before it in its lane.
    async fn tried(&self, id: Uuid) -> Notification {
        let tried = |now: &Notification| now.attempts.as_ref().is_some_and(|attempts| !attempts.is_empty());
        self.when(id, "tried", |now| now.state == NotificationState::Waiting && tried(now)).await
    }

    async fn when(&self, id: Uuid, what: &str, is: impl Fn(&Notification) -> bool) -> Notification {
        for _ in 0..2_000 {
            let now = self.get(id).await;
            if is(&now) {
                return now;
            }
            assert!(!now.state.is_settled(), "it ended otherwise: {now:#?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("it never came to be {what}: {:#?}", self.get(id).await);
    }

    /// Lets time pass until it is delivered: its retries are due by the clock.
    async fn delivered_in_time(&self, id: Uuid) -> Notification {
        while !self.get(id).await.state.is_settled() {
            self.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.delivered(id).await
    }

    async fn delivered(&self, id: Uuid) -> Notification {
        self.until(id, NotificationState::Delivered).await
    }

    /// Waits until a probe in another conversation has gone all the way: what could have gone with it has.
    async fn quiet(&self) {
        let probe = self.meet("probe").await;
        let id = self.notify(NewNotification::new(probe, "probe")).await;
        self.delivered(id).await;
    }

    fn texts(&self, conversation: &str) -> Vec<String> {
        self.channel.ledger().texts(conversation).into_iter().map(str::to_owned).collect()
    }

    /// What was sent there beside the answer to the first hello.
    fn told(&self, conversation: &str) -> Vec<String> {
        self.texts(conversation).into_iter().filter(|text| !text.starts_with("echo ")).collect()
    }
}

fn outcomes(notification: &Notification) -> Vec<Option<AttemptOutcome>> {
    let outcome = |attempt: &Attempt| attempt.outcome;
    notification.attempts.as_ref().unwrap().iter().map(outcome).collect()
}
