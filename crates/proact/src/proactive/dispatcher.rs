//! The dispatcher: gives each lane that may go its turn.
//!
//! Per notification, in this order: read what to send and where; take a place among the conversation's turns; commit the
//! attempt as begun; run the proactive turn and send; commit the outcome; only then the lane goes on. One that could go at once when it
//! was accepted was begun in that commit, and only the last two steps are left. If the process dies anywhere on this way, the next
//! start finds the row where the last commit left it.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{
    Backoff, Error, attempt, clock_back, deliver,
    desk::{Begun, Desk},
    head::{self, Due},
    hold, job_watch,
    lanes::ToRead,
    pause, sweep, target,
};
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
    /// How long a host that cannot be reached is left alone: `base` after the first failure, doubling up to `ceiling`. Defaults 1 s and
    /// 60 s. The other fields are not used.
    pub breaker: Backoff,
    /// Exchanges with hosts under way at most; one host alone takes four fifths of them. As many more attempts may wait for their outcome to
    /// be put on record. Default 512.
    pub concurrency: usize,
    /// How long a notification waits for the turns of its conversation to end before it goes beside them. Default 60 s.
    pub wait_for_turn: Duration,
    /// How long settled notifications are kept. Default 30 days.
    pub retention: Duration,
    /// The service URL of a channel that takes a notification's id with the activity, and so takes it once: the built-in
    /// Direct Line. `None` when there is none.
    pub takes_ids: Option<String>,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        let breaker = Backoff { ceiling: Duration::from_secs(60), ..Backoff::default() };
        Self {
            backoff: Backoff::default(),
            breaker,
            concurrency: 512,
            wait_for_turn: Duration::from_secs(60),
            retention: Duration::from_secs(30 * 24 * 3600),
            takes_ids: None,
        }
    }
}

impl DeliveryOptions {
    /// Whether the channel behind `reference` takes a notification's id.
    pub(super) fn takes_id(&self, reference: &ConversationReference) -> bool {
        self.takes_ids.is_some() && reference.service_url == self.takes_ids
    }
}

/// Rows that are read of a stream at once.
const READ: usize = 1000;
/// How often everything is looked through anew, whatever was announced: what is announced is an accelerator, the store is the truth.
const LOOK_ANEW: Duration = Duration::from_secs(300);

/// The handle of the engine to its dispatcher.
pub(super) struct Dispatcher {
    desk: Arc<Desk>,
}

impl Dispatcher {
    /// Takes note of what is announced from now on; delivers nothing before [`Self::start`].
    pub(super) async fn open(store: Store, options: DeliveryOptions) -> Result<Self, Error> {
        let desk = Desk::new(store, options);
        let pauses = desk.store.read(pause::InForce).await?;
        for pause in pauses {
            desk.paused(&pause.scope);
        }
        if let Some(held) = desk.store.read(hold::ReadHold).await? {
            desk.hold(held.notifications);
        }
        let desk = Arc::new(desk);
        // Weak: the store must not keep the engine that holds it.
        let listener = Arc::downgrade(&desk);
        desk.store.subscribe(move |changes| {
            if changes.iter().any(|change| matches!(change, Change::Released))
                && let Some(desk) = listener.upgrade()
            {
                desk.hold(0);
                desk.jobs.anew();
            }
        });
        Ok(Self { desk })
    }

    pub(super) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    pub(super) async fn start(&self, adapter: Adapter) -> Result<(), Error> {
        let desk = &self.desk;
        if desk.is_running() {
            return Ok(());
        }
        let open = desk.store.commit(attempt::Recover { options: desk.options.clone() }).await?;
        if open > 0 {
            tracing::warn!(attempts = open, "attempts of an earlier process have unknown outcomes");
        }
        failpoint!(AfterRecover);
        if let Some(newest) = desk.store.read(head::NewestPlace).await? {
            desk.place_in_lane(newest);
        }
        for (id, target) in desk.store.read(target::All).await? {
            desk.know(id, target);
        }
        desk.know(target::UNKNOWN, target::Target::new("", ""));
        desk.run(adapter.order());
        // The adapter lives in these tasks and not beside them: it has the engine as a service, and neither is to keep the other.
        // Tracked, so that a stop waits for them too and nothing is begun after it.
        let loops = desk.store.loops();
        desk.deliveries.spawn(loops.watch("the dispatcher", run(Arc::clone(desk), adapter)));
        desk.deliveries.spawn(loops.watch("the sweeper", sweep::run(Arc::clone(desk))));
        desk.deliveries.spawn(loops.watch("the watch over jobs", job_watch::run(Arc::clone(desk))));
        desk.deliveries.spawn(loops.watch("the watch over the clock", clock_back::run(Arc::clone(desk))));
        Ok(())
    }

    pub(super) fn stopping(&self) -> CancellationToken {
        self.desk.stopping.clone()
    }

    pub(super) async fn stop(&self) {
        self.desk.stop();
        self.desk.deliveries.close();
        self.desk.deliveries.wait().await;
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.desk.stop();
    }
}

async fn run(desk: Arc<Desk>, adapter: Adapter) {
    let mut look_anew = tokio::time::interval(LOOK_ANEW);
    loop {
        if desk.stopping.is_cancelled() {
            break;
        }
        for begun in desk.take_begun().unwrap_or_default() {
            send_begun(&desk, &adapter, begun);
        }
        while let Some((pick, probe)) = desk.next() {
            let (desk, adapter) = (Arc::clone(&desk), adapter.clone());
            let key = pick.key.clone();
            let serving = Arc::clone(&desk);
            let serve = async move { deliver::serve(&serving, &adapter, pick, probe).await };
            let watched = Arc::clone(&desk);
            desk.deliveries.spawn(async move {
                // Before anything was begun, or it had been settled there.
                if AssertUnwindSafe(serve).catch_unwind().await.is_err() {
                    tracing::error!(conversation = %key, "a lane's turn panicked: this is a defect");
                    watched.finished(&key, None);
                }
            });
        }
        read_on(&desk);
        let due = desk.next_due().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        let clock = desk.store.clock();
        let sleep = async {
            match due {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = desk.stopping.cancelled() => {}
            () = desk.wake.notified() => {}
            () = sleep => {}
            _ = look_anew.tick() => desk.state().lanes.reset(|_| true),
        }
    }
    // What is begun with its acceptance is under way: it goes out before the end.
    while let Some(begun) = desk.take_begun() {
        if begun.is_empty() {
            desk.wake.notified().await;
        }
        for begun in begun {
            send_begun(&desk, &adapter, begun);
        }
    }
}

fn send_begun(desk: &Arc<Desk>, adapter: &Adapter, begun: Begun) {
    let (desk, adapter, id) = (Arc::clone(desk), adapter.clone(), begun.outgoing.id);
    desk.clone().deliveries.spawn(async move {
        let sending = deliver::send_begun(&desk, &adapter, begun);
        if AssertUnwindSafe(sending).catch_unwind().await.is_err() {
            tracing::error!(notification = %id, "a delivery panicked: this is a defect");
        }
    });
}

/// Reads what is due in the store, beside what goes on, when there is something to read and room for it.
fn read_on(desk: &Arc<Desk>) {
    let Some(what) = desk.begin_read() else { return };
    let (desk, loops) = (Arc::clone(desk), desk.store.loops().clone());
    // One that dies has its stream read no more.
    desk.clone().deliveries.spawn(loops.watch("the reading of what is due", async move {
        let ToRead { target, class, after: cursor, .. } = what;
        // The time by which it was found to be read: the clock may have gone a little back since.
        let (now, after) = {
            let state = desk.state();
            (state.gates.now, state.held_through)
        };
        let due = Due { target, class, cursor, now, after, limit: READ };
        match desk.store.read(due).await {
            Ok(found) => desk.was_read(what, found),
            Err(error) => {
                tracing::error!(%error, "cannot read what waits; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                desk.state().lanes.read_failed(what);
            }
        }
        desk.wake.notify_one();
    }));
}
