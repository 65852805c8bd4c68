//! The desk: what the dispatcher knows in memory, behind one lock, and the decisions that are made on the writer's thread.
//!
//! Commands that accept, begin, cancel and pause hold the desk. What they tell it after their commit comes in commit order, so an attempt
//! that is marked begun has met every pause and every cancel that was acknowledged before.
//!
//! No lock is held across an await, and places among turns are let go without one: who waits for a place may ask the desk.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    breaker::{Breakers, OpenBreaker, ProbeNumber},
    conversation::Known,
    dispatcher::DeliveryOptions,
    flight::{Airborne, Flight, Flights},
    gate::Gate,
    head::{FoundDue, Outgoing},
    job_queries::time,
    job_watch::Alarm,
    lanes::{Gates, Lanes, Pick, ToRead, Waiting},
    measure::Measure,
    notification::{Moment, Priority},
    pause::{PauseScope, Pauses},
    probe::Probe,
    target::{Target, TargetId},
};
use crate::{
    activity::ConversationKey,
    adapter::{Asked, Place, TurnOrder},
    store::Store,
};

/// A clock that goes back by more than this makes everything be read anew.
const STEP: i64 = 1000;

/// The dispatcher's memory.
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) options: DeliveryOptions,
    /// What is known to be stored of conversations.
    pub(super) conversations: Known,
    state: Mutex<State>,
    /// The order of the adapter's turns, once it delivers.
    order: OnceLock<Arc<TurnOrder>>,
    /// The newest place in a lane that was given: places do not go back with the clock.
    newest_ready: AtomicI64,
    /// When the next one that waits comes to its end, as far as the sweeper was told.
    pub(super) next_end: AtomicI64,
    /// That is earlier than it was.
    pub(super) ends: Notify,
    /// When the clock has something to say about a job.
    pub(super) jobs: Alarm,
    /// The clock was set back.
    pub(super) went_back: Notify,
    /// Something changed that the loop should look at.
    pub(super) wake: Notify,
    pub(super) stopping: CancellationToken,
    pub(super) deliveries: TaskTracker,
    pub(super) measure: Measure,
}

/// What is behind the lock.
pub(super) struct State {
    pub(super) lanes: Lanes<Place>,
    pub(super) gates: InForce,
    pub(super) flights: Flights,
    /// Begun in the commit that accepted them, to be sent.
    pub(super) begun: Vec<Begun>,
    /// Claims whose commit is not through yet.
    claims: usize,
    /// It delivers.
    pub(super) running: bool,
    /// Everything up to this one is held since a restore.
    pub(super) held_through: i64,
    last_now: i64,
}

/// What holds back, in force at the moment `now`.
pub(super) struct InForce {
    pub(super) pauses: Pauses,
    pub(super) breakers: Breakers,
    pub(super) now: i64,
}

impl InForce {
    /// An attempt goes to `target`. If it is the one that tries a host out of order: which host, and its number.
    fn begins(&mut self, target: &Target) -> Option<(Arc<str>, ProbeNumber)> {
        Some((Arc::clone(&target.host), self.breakers.begins(&target.host)?))
    }
}

impl Gates for InForce {
    fn open(&self, target: &Target) -> bool {
        !self.pauses.channel(&target.channel_id) && self.breakers.allows(&target.host, self.now)
    }

    fn is_being_tried(&self, target: &Target) -> bool {
        !self.pauses.channel(&target.channel_id) && self.breakers.is_being_tried(&target.host)
    }

    fn holds(&self, key: &ConversationKey) -> bool {
        self.pauses.of(key).is_some()
    }
}

/// A notification that was begun in the commit that accepted it.
pub(super) struct Begun {
    pub(super) claim: Claim,
    pub(super) outgoing: Outgoing,
    /// From its commit on: a cancel that meets it as begun finds it.
    pub(super) airborne: Airborne,
}

/// A lane, a slot and a place among the turns, taken before the commit. Dropped, they are given back.
pub(super) struct Claim {
    desk: Arc<Desk>,
    pub(super) key: ConversationKey,
    /// It is the one that tries its host.
    pub(super) probe: Option<Probe>,
    place: Option<Place>,
    /// Its commit is through.
    handed: bool,
}

impl Claim {
    pub(super) fn take_place(&mut self) -> Option<Place> {
        self.place.take()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        drop(self.place.take());
        drop(self.probe.take());
        if !self.handed {
            self.desk.state().claims -= 1;
        }
        self.desk.finished(&self.key, None);
    }
}

impl Desk {
    pub(super) fn new(store: Store, options: DeliveryOptions) -> Self {
        let state = State {
            lanes: Lanes::new(options.concurrency),
            gates: InForce {
                pauses: Pauses::default(),
                breakers: Breakers::new(options.breaker.clone()),
                now: 0,
            },
            flights: Flights::new(),
            begun: Vec::new(),
            claims: 0,
            running: false,
            held_through: 0,
            last_now: 0,
        };
        Self {
            store,
            options,
            conversations: Known::new(),
            state: Mutex::new(state),
            order: OnceLock::new(),
            newest_ready: AtomicI64::new(i64::MIN),
            next_end: AtomicI64::new(i64::MIN),
            ends: Notify::new(),
            jobs: Alarm::default(),
            went_back: Notify::new(),
            wake: Notify::new(),
            stopping: CancellationToken::new(),
            deliveries: TaskTracker::new(),
            measure: Measure::default(),
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.store.clock().now().as_millisecond()
    }

    /// The state, with its idea of now brought up to date.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        if now < state.last_now - STEP {
            // What was read up to a later time may be due again now.
            state.lanes.reset(|_| true);
            let by = state.last_now - now;
            state.gates.breakers.clock_went_back(by);
            state.last_now = now;
            self.went_back.notify_one();
            self.wake.notify_one();
        }
        // Small steps back are none: what was due stays due.
        state.last_now = state.last_now.max(now);
        state.gates.now = state.last_now;
        state
    }

    /// Deliveries begin: turns are ordered so.
    pub(super) fn run(&self, order: Arc<TurnOrder>) {
        let _ = self.order.set(order);
        self.state().running = true;
    }

    pub(super) fn is_running(&self) -> bool {
        self.state().running
    }

    /// What was begun with its acceptance; `None` when there is nothing and nothing more will come.
    pub(super) fn take_begun(&self) -> Option<Vec<Begun>> {
        let mut state = self.state();
        let over = !state.running && state.claims == 0 && state.begun.is_empty();
        (!over).then(|| std::mem::take(&mut state.begun))
    }

    /// What to read in the store, if there is something to read and room for it.
    pub(super) fn begin_read(&self) -> Option<ToRead> {
        let mut state = self.state();
        let State { lanes, gates, running, .. } = &mut *state;
        if !*running {
            return None;
        }
        for host in gates.breakers.may_be_tried(gates.now) {
            lanes.look_again(|_, target| target.host == host);
        }
        lanes.begin_read(gates.now, gates)
    }

    /// What was read.
    pub(super) fn was_read(&self, what: ToRead, found: FoundDue) {
        let mut state = self.state();
        let State { lanes, gates, .. } = &mut *state;
        lanes.read(what, found, gates);
    }

    /// When something comes due, or a host may be tried again.
    pub(super) fn next_due(&self) -> Option<i64> {
        let state = self.state();
        [state.lanes.next_due(), state.gates.breakers.next()].into_iter().flatten().min()
    }

    pub(super) fn stop(&self) {
        self.state().running = false;
        self.stopping.cancel();
    }

    /// The place in its lane of a notification that can go at once: never before one that was accepted earlier, also if the clock has
    /// gone back since.
    pub(super) fn place_in_lane(&self, now: i64) -> i64 {
        self.newest_ready.fetch_max(now, Ordering::SeqCst).max(now)
    }

    /// Up to where what waits has become ready, by the order of acceptance.
    pub(super) fn ready_through(&self, now: i64) -> i64 {
        self.newest_ready.load(Ordering::SeqCst).max(now)
    }

    /// On the writer's thread, before the commit: takes a lane, a slot and a place among the turns, if all are free.
    pub(super) fn claim(
        self: &Arc<Self>,
        key: &ConversationKey,
        target: TargetId,
        priority: Priority,
        moment: Moment,
    ) -> Option<Claim> {
        let mut state = self.state();
        let State { lanes, gates, running, .. } = &mut *state;
        if !*running || !lanes.claim(key, target, priority, gates) {
            return None;
        }
        let probe = lanes.target(target).and_then(|target| gates.begins(target));
        state.claims += 1;
        drop(state);
        let probe = probe.map(|(host, number)| Probe::new(self, host, number));
        let mut claim = Claim { desk: Arc::clone(self), key: key.clone(), probe, place: None, handed: false };
        if moment == Moment::AfterTurn {
            match self.order.get()?.enter(key) {
                Asked::Free(place) => claim.place = Some(place),
                // A turn is under way: the claim goes back as it is dropped.
                Asked::After(_) => return None,
            }
        }
        Some(claim)
    }

    /// After the commit: what was claimed is on its way.
    pub(super) fn begun(self: &Arc<Self>, mut claim: Claim, outgoing: Outgoing) {
        claim.handed = true;
        let (seq, flight) = (outgoing.seq, Arc::new(Flight::default()));
        let airborne = Airborne::new(self, seq, Arc::clone(&flight));
        let mut state = self.state();
        state.flights.insert(seq, flight);
        state.claims -= 1;
        state.begun.push(Begun { claim, outgoing, airborne });
        drop(state);
        self.wake.notify_one();
    }

    /// After the commit: something was accepted that waits, or waits again, until `ends_at` at most.
    pub(super) fn accepted(&self, waiting: &Waiting, ends_at: i64) {
        self.announced(waiting);
        if self.next_end.fetch_min(ends_at, Ordering::SeqCst) > ends_at {
            self.ends.notify_one();
        }
    }

    /// After the commit: something waits.
    pub(super) fn announced(&self, waiting: &Waiting) {
        let mut state = self.state();
        let State { lanes, gates, .. } = &mut *state;
        lanes.announced(waiting, gates.now, gates);
        drop(state);
        self.wake.notify_one();
    }

    /// A target is known from now on.
    pub(super) fn know(&self, id: TargetId, target: Target) {
        self.state().lanes.know(id, target);
    }

    /// What was accepted up to this one is held; 0 holds nothing.
    pub(super) fn hold(&self, through: i64) {
        let mut state = self.state();
        state.held_through = through;
        state.lanes.reset(|_| true);
        drop(state);
        self.wake.notify_one();
    }

    /// Something was changed behind the lanes' back.
    pub(super) fn read_anew(&self) {
        self.state().lanes.reset(|_| true);
        self.wake.notify_one();
    }

    /// The lane's attempt is over; `again`: it may have more, in this class.
    pub(super) fn finished(&self, key: &ConversationKey, again: Option<usize>) {
        let mut state = self.state();
        let place = state.lanes.finished(key, again);
        // Mostly there is nothing to do then: what comes next is begun with its acceptance.
        let look = !state.running || state.lanes.has_work();
        drop(state);
        drop(place);
        if look {
            self.wake.notify_one();
        }
    }

    /// The exchange of the lane's attempt is over: its slot is free.
    pub(super) fn exchanged(&self, key: &ConversationKey) {
        let mut state = self.state();
        state.lanes.gives_slot(key);
        let look = state.lanes.has_work();
        drop(state);
        if look {
            self.wake.notify_one();
        }
    }

    /// On the writer's thread: a pause is durable.
    pub(super) fn paused(&self, scope: &PauseScope) {
        self.state().gates.pauses.set(scope);
    }

    /// On the writer's thread: a pause is taken back.
    pub(super) fn resumed(&self, scope: &PauseScope) {
        let mut state = self.state();
        state.gates.pauses.clear(scope);
        match scope {
            PauseScope::Channel { channel_id } => {
                state.lanes.reset(|target| *target.channel_id == **channel_id);
            }
            PauseScope::All => state.lanes.reset(|_| true),
            PauseScope::Conversation { conversation } => {
                state.lanes.reset(|target| *target.channel_id == *conversation.channel_id);
            }
        }
        drop(state);
        self.wake.notify_one();
    }

    /// What holds a conversation's notifications back at this moment, beside what is its own.
    pub(super) fn gate(&self, key: &ConversationKey, target: TargetId) -> Option<Gate> {
        let state = self.state();
        if let Some(scope) = state.gates.pauses.of(key) {
            return Some(Gate::Paused { scope });
        }
        let host = state.lanes.target(target).map(|target| Arc::clone(&target.host))?;
        state.gates.breakers.of(&host).map(|(until, reason)| Gate::Breaker {
            host: host.to_string(),
            reason: reason.to_owned(),
            until: time(until),
        })
    }

    /// The next lane that may go.
    pub(super) fn next(self: &Arc<Self>) -> Option<(Pick<Place>, Option<Probe>)> {
        let mut let_go = Vec::new();
        let mut state = self.state();
        let State { lanes, gates, running, .. } = &mut *state;
        let pick = if *running { lanes.next(gates, &mut let_go) } else { None };
        let target = pick.as_ref().and_then(|pick| lanes.target(pick.target));
        let probe = target.and_then(|target| gates.begins(target));
        drop(state);
        drop(let_go);
        Some((pick?, probe.map(|(host, number)| Probe::new(self, host, number))))
    }

    /// An attempt is about to be put on record as begun, or just was. It is under way until what is answered here is dropped.
    pub(super) fn takes_off(self: &Arc<Self>, seq: i64) -> Airborne {
        let flight = Arc::new(Flight::default());
        self.state().flights.insert(seq, Arc::clone(&flight));
        Airborne::new(self, seq, flight)
    }

    /// Its outcome is on record, or nothing more will be heard of it.
    pub(super) fn landed(&self, seq: i64) {
        let flight = self.state().flights.remove(&seq);
        if let Some(flight) = flight {
            flight.settled.cancel();
        }
    }

    /// The attempt that was to try `host` said nothing about it.
    pub(super) fn undecided(&self, host: &str, probe: ProbeNumber) {
        self.state().gates.breakers.undecided(host, probe);
        self.wake.notify_one();
    }

    pub(super) fn flight(&self, seq: i64) -> Option<Arc<Flight>> {
        self.state().flights.get(&seq).cloned()
    }

    /// The host gave an answer, whatever it was.
    pub(super) fn host_works(&self, target: TargetId) {
        let mut state = self.state();
        let Some(host) = state.lanes.target(target).map(|target| Arc::clone(&target.host)) else { return };
        if state.gates.breakers.works(&host) {
            state.lanes.reset(|target| target.host == host);
            drop(state);
            tracing::info!(host = &*host, "a host works again");
            self.wake.notify_one();
        }
    }

    /// The host could not be reached, or refuses the app's credentials.
    pub(super) fn host_fails(&self, target: TargetId, reason: &str, probe: Option<ProbeNumber>) {
        let mut state = self.state();
        let Some(host) = state.lanes.target(target).map(|target| Arc::clone(&target.host)) else { return };
        let now = state.gates.now;
        if state.gates.breakers.fails(&host, reason, now, rand::random(), probe) {
            tracing::warn!(host = &*host, reason, "a host is out of order; what waits for it uses no tries");
        }
    }

    /// The hosts that are out of order.
    pub(super) fn breakers(&self) -> Vec<OpenBreaker> {
        self.state().gates.breakers.list()
    }

    /// How long a lane's next one waits for the turns of its conversation to end.
    pub(super) fn wait_for_turn(&self) -> Duration {
        self.options.wait_for_turn
    }
}
