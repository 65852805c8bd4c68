//! The test's bot, and the ways to it.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use super::builder::{Configure, Running};
use super::patience::within;
use super::room::{How, Room};
use super::{Script, TestAdapterBuilder, TestUser};
use crate::activity::{Activity, ConversationKey};
use crate::adapter::{Adapter, Answer};
use crate::clock::Clock as _;
use crate::proactive::{Gate, NotificationFilter, NotificationState, Page, Proactive};
use crate::store::Store;
use crate::testkit::TestClock;
use crate::turn::Bot;

/// A bot under test, on the real engine and a store in a temporary folder, with a channel within the process. Cheap to clone; clones
/// are the same. See the [module](crate::testkit) for how its scripts read.
///
/// Do not pause tokio's clock around it: the store works on threads of its own, which a paused clock does not wait for. Move the
/// bot's clock instead ([`Script::advance`]).
#[derive(Clone)]
pub struct TestAdapter {
    inner: Arc<Inner>,
}

struct Inner {
    room: Arc<Room>,
    running: Mutex<Running>,
    options: Options,
    folder: TempDir,
}

pub(super) struct Options {
    channel: String,
    patience: Duration,
    pub(super) delivery: crate::proactive::DeliveryOptions,
    pub(super) configure: Configure,
}

impl TestAdapter {
    /// Starts a bot with the usual options.
    ///
    /// # Panics
    /// If it cannot: there is no test to go on with.
    pub async fn new(bot: impl Bot) -> Self {
        Self::builder().start(bot).await
    }

    /// Starts a bot that is made with the store, for bots that keep state in it.
    ///
    /// # Panics
    /// If it cannot: there is no test to go on with.
    pub async fn with_store<B: Bot>(make: impl FnOnce(Store) -> B) -> Self {
        Self::builder().start_with(make).await
    }

    /// Options first.
    #[must_use]
    pub fn builder() -> TestAdapterBuilder {
        TestAdapterBuilder::new()
    }

    pub(super) async fn start<B: Bot>(builder: TestAdapterBuilder, make: impl FnOnce(Store) -> B) -> Self {
        let TestAdapterBuilder { clock, channel, delivery, patience, ignore_typing, configure } = builder;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let room = Arc::new(Room::new(clock, ignore_typing));
        let options = Options { channel, patience, delivery, configure };
        let running = Running::start(&folder.path().join(crate::app::DATABASE), &room, &options, make).await;
        let running = Mutex::new(running);
        Self { inner: Arc::new(Inner { room, running, options, folder }) }
    }

    /// Stops the bot as a program is stopped, and starts one on the same store: what is on record is still there, what was only in
    /// memory is not.
    ///
    /// # Panics
    /// If it cannot.
    pub async fn restart<B: Bot>(&self, make: impl FnOnce(Store) -> B) {
        self.running().stop().await;
        let path = self.inner.folder.path().join(crate::app::DATABASE);
        let running = Running::start(&path, &self.inner.room, &self.inner.options, make).await;
        *self.inner.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }

    /// A person in a conversation of their own with the bot; both go by this id.
    #[must_use]
    pub fn user(&self, id: &str) -> TestUser {
        TestUser::new(self.clone(), &self.inner.options.channel, id)
    }

    /// A script of the person `user`, for tests that need no more than one; see [`Script::send`].
    #[track_caller]
    pub fn send(&self, activity: impl Into<Activity>) -> Script {
        self.user("user").send(activity)
    }

    /// What the person `user` sees next; see [`Script::expect`].
    #[track_caller]
    pub fn expect(&self, text: impl Into<String>) -> Script {
        self.user("user").expect(text)
    }

    /// Nothing more comes to anybody; see [`Script::expect_silence`].
    #[track_caller]
    pub fn expect_silence(&self) -> Script {
        self.user("user").script().expect_silence()
    }

    /// The bot's clock.
    #[must_use]
    pub fn clock(&self) -> TestClock {
        self.inner.room.clock.clone()
    }

    /// Jobs, notifications and their delivery, as the program around a bot has them.
    #[must_use]
    pub fn engine(&self) -> Proactive {
        self.running().engine
    }

    /// The adapter, for `continue_conversation` and `create_conversation`. A conversation with one person that is created is the one
    /// that [`user`](Self::user) speaks in.
    #[must_use]
    pub fn adapter(&self) -> Adapter {
        self.running().adapter
    }

    /// The store, for state.
    #[must_use]
    pub fn store(&self) -> Store {
        self.running().store
    }

    /// Waits until all turns are over and everything that was accepted and may be sent now has been. What waits for a later time, or is
    /// held back by a pause, is not waited for.
    ///
    /// # Panics
    /// If the store cannot be read.
    pub async fn settled(&self) {
        loop {
            let mut changed = pin!(self.inner.room.changed.notified());
            // Before the look, so that what comes after it is not missed.
            changed.as_mut().enable();
            let running = self.running();
            if running.watch.is_idle() && !self.goes_on(&running.engine).await {
                return;
            }
            if within(self.patience(), changed).await.is_none() {
                return;
            }
        }
    }

    /// Whether something is on its way, or waits and may go now.
    async fn goes_on(&self, engine: &Proactive) -> bool {
        // Each look is a moment of its own. What waits goes on its way and, refused, comes back to wait: looked for on its way first and
        // among what waits afterwards only, it could be missed in both.
        self.may_go_now(engine).await
            || !list(engine, NotificationState::Sending, None).await.items.is_empty()
            || self.may_go_now(engine).await
    }

    /// Whether something waits that nothing holds back.
    async fn may_go_now(&self, engine: &Proactive) -> bool {
        let now = self.inner.room.clock.now();
        for waiting in list(engine, NotificationState::Waiting, None).await.items {
            if waiting.due_at <= now && may_go(&gates(engine, waiting.id).await) {
                return true;
            }
        }
        false
    }

    pub(super) fn running(&self) -> Running {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn room(&self) -> &Room {
        &self.inner.room
    }

    pub(super) fn patience(&self) -> Duration {
        self.inner.options.patience
    }

    pub(super) fn error_of(&self, activity_id: &str) -> Option<String> {
        self.running().watch.error_of(activity_id)
    }

    /// Hands an activity to the bot; `None` if it gives no answer.
    pub(super) async fn post(&self, activity: &Activity) -> Option<Answer> {
        if let Ok(key) = activity.conversation_key() {
            self.inner.room.said(&key, activity);
        }
        let adapter = self.running().adapter;
        within(self.patience(), adapter.process(activity.encode().into())).await
    }

    /// The next that comes to a conversation; `None` if nothing does.
    pub(super) async fn next(&self, key: &ConversationKey) -> Option<(How, Activity)> {
        let next = async {
            loop {
                let mut changed = pin!(self.inner.room.changed.notified());
                changed.as_mut().enable();
                if let Some(came) = self.inner.room.take(key) {
                    return came;
                }
                changed.await;
            }
        };
        within(self.patience(), next).await
    }

    /// What is on record for a conversation and was not delivered, for a failure's message.
    pub(super) async fn waiting(&self, key: &ConversationKey) -> String {
        let (engine, now) = (self.engine(), self.inner.room.clock.now());
        let mut text = String::new();
        for state in NotificationState::ALL {
            if *state == NotificationState::Delivered {
                continue;
            }
            for notification in list(&engine, *state, Some(key.clone())).await.items {
                text.push_str(&format!("\n  on record: {:?} is {state}", notification.text));
                if let Some(reason) = &notification.reason {
                    text.push_str(&format!(" ({reason})"));
                }
                for gate in gates(&engine, notification.id).await {
                    text.push_str(&format!("; {gate}"));
                }
                if *state == NotificationState::Waiting && notification.due_at > now {
                    text.push_str(&format!("; the bot's clock stands at {now}: advance it"));
                }
            }
        }
        text
    }
}

/// What keeps a notification waiting at this moment.
async fn gates(engine: &Proactive, id: uuid::Uuid) -> Vec<Gate> {
    let notification = engine.notification(id).await.expect("the test's store can be read");
    notification.and_then(|notification| notification.gates).unwrap_or_default()
}

/// Whether it goes without anybody's doing: a turn comes to its end.
fn may_go(gates: &[Gate]) -> bool {
    gates.iter().all(|gate| *gate == Gate::InsideTurn)
}

async fn list(
    engine: &Proactive,
    state: NotificationState,
    conversation: Option<ConversationKey>,
) -> Page<crate::proactive::Notification> {
    let filter =
        NotificationFilter { state: Some(state), conversation, limit: 1000, ..NotificationFilter::default() };
    engine.notifications(filter).await.expect("the test's store can be read")
}

impl fmt::Debug for TestAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestAdapter").field("folder", &self.inner.folder.path()).finish_non_exhaustive()
    }
}
