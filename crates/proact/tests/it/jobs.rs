//! Jobs: progress that edits one message, deadlines and heartbeats by a clock that is moved by hand, tokens of workers.

mod example;
mod progress;
mod refusing;
mod watch;
mod worker;

use std::{path::Path, sync::Arc, time::Duration};

use proact::{
    activity::{Activity, ConversationKey},
    adapter::Adapter,
    clock::Clock,
    proactive::{Job, NewJob, Notification, NotificationFilter, Proactive, Progress, Reported, StartedJob},
    testkit::{FakeChannel, Ledger, TestClock},
};

use crate::support::{self, TestBot, eager};

/// How long something that must come may take before the test counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

/// An engine that delivers, by a clock that is moved by hand, and a conversation `c` that the bot has met.
struct World {
    engine: Proactive,
    adapter: Adapter,
    clock: TestClock,
}

impl World {
    async fn start(folder: &Path, channel: &FakeChannel, clock: &TestClock) -> Self {
        let world = Self::open(folder, clock).await;
        world.meet(channel, "c").await;
        world.engine.start(world.adapter.clone()).await.unwrap();
        world
    }

    /// Without delivering.
    async fn open(folder: &Path, clock: &TestClock) -> Self {
        let time: Arc<dyn Clock> = Arc::new(clock.clone());
        let store = support::open(folder, &[], time).await;
        let engine = Proactive::open(store, eager()).await.unwrap();
        let adapter =
            Adapter::builder(TestBot).journal(engine.journal()).service(Arc::new(engine.clone())).build();
        Self { engine, adapter, clock: clock.clone() }
    }

    async fn meet(&self, channel: &FakeChannel, conversation: &str) {
        let answer = self.adapter.process(channel.user(conversation).message("hello").encode().into()).await;
        assert_eq!(answer.status, 200);
    }

    /// Lets time pass until something is so.
    async fn until(&self, channel: &FakeChannel, mut is_so: impl FnMut(&Ledger) -> bool) -> Ledger {
        let begun = std::time::Instant::now();
        loop {
            let ledger = channel.ledger();
            if is_so(&ledger) {
                return ledger;
            }
            assert!(begun.elapsed() < STUCK, "this has not come; the ledger: {ledger:#?}");
            self.clock.advance(Duration::from_millis(100));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until nothing is open any more.
    async fn settled(&self) -> Vec<Notification> {
        let begun = std::time::Instant::now();
        loop {
            let filter = NotificationFilter { limit: 1000, ..Default::default() };
            let found = self.engine.notifications(filter).await.unwrap().items;
            if found.iter().all(|notification| notification.state.is_settled()) {
                return found;
            }
            assert!(begun.elapsed() < STUCK, "{found:#?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn job(&self, new: NewJob) -> StartedJob {
        self.engine.start_job(key("c"), new).await.unwrap()
    }

    async fn report(&self, job: u64, progress: Progress) {
        assert_eq!(self.engine.job_progress(job, progress, None).await.unwrap(), Reported::Noted);
    }

    async fn complete(&self, job: u64) {
        let message = Activity::message(format!("Job {job} is complete."));
        let _ = self.engine.complete_job(job, message, None).await.unwrap();
    }

    async fn shown(&self, job: u64) -> Job {
        self.engine.job(job).await.unwrap().unwrap()
    }
}

fn key(conversation: &str) -> ConversationKey {
    ConversationKey::new("test", conversation).unwrap()
}

/// What people in `c` see, without what the bot said before.
fn seen(ledger: &Ledger) -> Vec<&str> {
    ledger.shown("c").into_iter().skip(1).collect()
}

/// The texts of the edits that came for `c`, taken or not.
fn edits(ledger: &Ledger) -> Vec<&str> {
    ledger.of("c").filter(|entry| entry.method == "PUT").map(|entry| entry.post.text()).collect()
}
