//! The dispatcher: takes the head of each lane that may go, and delivers it.
//!
//! Per notification, in this order: read what to send and where; take a place among the conversation's turns; commit the
//! attempt as begun; run the proactive turn and send; commit the outcome; only then the lane goes on. If the process dies
//! anywhere on this way, the next start finds the row where the last commit left it.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Backoff, Error, attempt, deliver, lanes::Lanes, notification::NotificationState};
use crate::{
    activity::ConversationReference,
    adapter::Adapter,
    store::{Change, Store},
};

/// How to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryOptions {
    /// When to try again, and when to give up.
    pub backoff: Backoff,
    /// Deliveries under way at most. Default 256.
    pub concurrency: usize,
    /// How long a notification waits for the turns of its conversation to end before it goes beside them. Default 60 s.
    pub wait_for_turn: Duration,
    /// The service URL of a channel that takes a notification's id with the activity, and so takes it once: the built-in
    /// Direct Line. `None` when there is none.
    pub takes_ids: Option<String>,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            concurrency: 256,
            wait_for_turn: Duration::from_secs(60),
            takes_ids: None,
        }
    }
}

impl DeliveryOptions {
    /// Another try after a wait, or the end when there were enough. `since` is when the first was begun.
    pub(super) fn try_again(
        &self,
        tries: u32,
        since: i64,
        now: i64,
        error: &str,
        retry_after: Option<Duration>,
    ) -> attempt::Next {
        let wait = self.backoff.wait(tries, retry_after, rand::random());
        let age = Duration::from_millis(now.saturating_sub(since).max(0).unsigned_abs());
        match self.backoff.gives_up(tries, age, wait) {
            Some(why) => {
                attempt::Next::Settled(NotificationState::Failed, Some(format!("{why}; the last: {error}")))
            }
            None => {
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                attempt::Next::Waiting { due_at: now.saturating_add(wait), reason: error.to_owned() }
            }
        }
    }

    /// Whether the channel behind `reference` takes a notification's id.
    pub(super) fn takes_id(&self, reference: &ConversationReference) -> bool {
        self.takes_ids.is_some() && reference.service_url == self.takes_ids
    }
}

/// What the loop and the deliveries share.
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) options: DeliveryOptions,
    started: AtomicBool,
    lanes: Mutex<Lanes>,
    /// Something changed that the loop should look at.
    wake: Notify,
    pub(super) stopping: CancellationToken,
    deliveries: TaskTracker,
}

impl Shared {
    pub(super) fn now(&self) -> i64 {
        self.store.clock().now().as_millisecond()
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle of the engine to its dispatcher.
pub(super) struct Dispatcher {
    shared: Arc<Shared>,
}

impl Dispatcher {
    /// Listens to the store from now on; delivers nothing before [`Self::start`].
    pub(super) fn new(store: Store, options: DeliveryOptions) -> Self {
        let shared = Arc::new(Shared {
            store: store.clone(),
            options,
            started: AtomicBool::new(false),
            lanes: Mutex::new(Lanes::new()),
            wake: Notify::new(),
            stopping: CancellationToken::new(),
            deliveries: TaskTracker::new(),
        });
        // Weak: the store must not keep the engine that holds it.
        let listener = Arc::downgrade(&shared);
        store.subscribe(move |changes| {
            let Some(shared) = listener.upgrade() else { return };
            if changes.iter().any(|change| matches!(change, Change::Released)) {
                shared.lanes().read_again();
                shared.wake.notify_one();
            }
            let mut accepted = changes.iter().filter_map(|change| match change {
                Change::Notification { waiting: Some(waiting), .. } => Some(waiting),
                _ => None,
            });
            if let Some(first) = accepted.next() {
                let now = shared.now();
                let mut lanes = shared.lanes();
                lanes.accepted(first.clone(), now);
                accepted.for_each(|waiting| lanes.accepted(waiting.clone(), now));
                drop(lanes);
                shared.wake.notify_one();
            }
        });
        Self { shared }
    }

    pub(super) async fn start(&self, adapter: Adapter) -> Result<(), Error> {
        if self.shared.started.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let open =
            self.shared.store.commit(attempt::Recover { options: self.shared.options.clone() }).await?;
        if open > 0 {
            tracing::warn!(attempts = open, "attempts of an earlier process have unknown outcomes");
        }
        // The adapter lives in this task and not beside it: it has the engine as a service, and neither is to keep the other.
        // Tracked, so that a stop waits for the loop too and nothing is begun after it.
        self.shared.deliveries.spawn(run(Arc::clone(&self.shared), adapter));
        Ok(())
    }

    pub(super) fn stopping(&self) -> CancellationToken {
        self.shared.stopping.clone()
    }

    pub(super) async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.deliveries.close();
        self.shared.deliveries.wait().await;
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}

async fn run(shared: Arc<Shared>, adapter: Adapter) {
    let places = Arc::new(Semaphore::new(shared.options.concurrency.max(1)));
    loop {
        read_on(&shared).await;
        // A place first, then a lane: what is taken from a lane is on its way.
        let place = tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let Ok(place) = place else { return };
        let now = shared.now();
        let next = shared.lanes().next(now);
        if let Some((lane, entry)) = next {
            let (shared, adapter) = (Arc::clone(&shared), adapter.clone());
            shared.clone().deliveries.spawn(async move {
                let _place = place;
                let delivery =
                    AssertUnwindSafe(deliver::deliver(&shared, &adapter, entry)).catch_unwind().await;
                let retry_at = delivery.unwrap_or_else(|_| {
                    // The attempt stands as begun and is settled at the next start; the lane goes on.
                    tracing::error!(notification = %entry.id, "a delivery panicked: this is a defect");
                    None
                });
                shared.lanes().finished(&lane, retry_at, shared.now());
                shared.wake.notify_one();
            });
            continue;
        }
        drop(place);
        let due = shared.lanes().next_due().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        let clock = shared.store.clock();
        let sleep = async {
            match due {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = shared.wake.notified() => {}
            () = sleep => {}
        }
    }
}

/// Takes in what waits in the store alone, when there is room in memory.
async fn read_on(shared: &Shared) {
    let wanted = shared.lanes().to_read();
    let Some((after, limit, count)) = wanted else { return };
    match shared.store.read(attempt::WaitingAfter { after, limit }).await {
        Ok(rows) => shared.lanes().loaded(rows, limit, count, shared.now()),
        Err(error) => {
            tracing::error!(%error, "cannot read what waits; trying again");
            tokio::time::sleep(Duration::from_secs(1)).await;
            shared.wake.notify_one();
        }
    }
}
