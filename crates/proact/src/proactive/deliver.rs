//! One delivery: from a lane's turn to its outcome on record.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;

use super::{
    attempt::{Ended, Next, RecoverOne, Settle},
    beside::Accept,
    breaker::ProbeNumber,
    conversation::MarkDead,
    desk::{Begun, Desk},
    flight::Flight,
    gate::Gate,
    head::Outgoing,
    job_progress_delivery::{self as progress, Told},
    lanes::{Pick, Waiting},
    notification::{AttemptOutcome, Moment, Policy},
    outcome::Tried,
    probe::Probe,
    state::NotificationState,
    take::{Departure, Take, Taken},
    target::TargetId,
};
use crate::{
    activity::{Activity, ConversationKey, ConversationReference},
    adapter::{Adapter, Asked, OutboxTurn, Place, ProactiveEnd},
    store::{self, WriteState},
    turn::{Leave, StateToSave, TurnKey},
};

/// How long to wait before an outcome that could not be written is written again, or a lane that could not be read is read again.
const AGAIN: Duration = Duration::from_secs(1);

/// Serves a lane whose turn has come: takes what it sends next, and sends it.
pub(super) async fn serve(desk: &Arc<Desk>, adapter: &Adapter, pick: Pick<Place>, probe: Option<Probe>) {
    let Pick { key, class, parked, place, .. } = pick;
    let order = adapter.order();
    failpoint!(BeforeBegin);
    let taken =
        desk.store.commit(Take { desk: Arc::downgrade(desk), order, key: key.clone(), parked, place }).await;
    let Departure { outgoing, number, place, airborne } = match taken {
        Ok(Taken::Begun(departure)) => *departure,
        Ok(Taken::Waits(class, asked)) => return park(desk, key, class, asked),
        Ok(Taken::Refused(class)) => return desk.finished(&key, Some(class)),
        Ok(Taken::Nothing) => return desk.finished(&key, None),
        Err(error) => {
            tracing::error!(conversation = %key, %error, "cannot begin an attempt; trying again");
            return later(desk, key, class);
        }
    };
    failpoint!(AfterBegin);
    let class = outgoing.class();
    let again =
        send_to_the_end(desk, adapter, &key, outgoing, number, (place, &probe), &airborne.flight).await;
    drop((airborne, probe));
    match again {
        Again::Look => desk.finished(&key, Some(class)),
        Again::Rest => desk.finished(&key, None),
    }
}

/// Sends what was begun in the commit that accepted it.
pub(super) async fn send_begun(desk: &Arc<Desk>, adapter: &Adapter, begun: Begun) {
    let Begun { mut claim, outgoing, airborne } = begun;
    let (key, place) = (claim.key.clone(), claim.take_place());
    failpoint!(AfterBegin);
    send_to_the_end(desk, adapter, &key, outgoing, 1, (place, &claim.probe), &airborne.flight).await;
    drop(airborne);
    // The claim goes with its drop: the lane looks on only if something was announced meanwhile.
    drop(claim);
}

/// The lane's next one waits for the turn under way to end; whatever interjects may pass meanwhile.
fn park(desk: &Arc<Desk>, key: ConversationKey, class: usize, asked: Asked) {
    desk.state().lanes.parked(&key, class);
    desk.wake.notify_one();
    let (most, stopping) = (desk.wait_for_turn(), desk.stopping.clone());
    let waiting = Arc::clone(desk);
    desk.deliveries.spawn(async move {
        let place = tokio::select! {
            () = stopping.cancelled() => return,
            place = asked.wait_within(most) => place,
        };
        let unwanted = waiting.state().lanes.place_came(&key, class, place);
        drop(unwanted);
        waiting.wake.notify_one();
    });
}

/// The store could not be read or written: the lane keeps its slot for a moment and is then looked at again.
fn later(desk: &Arc<Desk>, key: ConversationKey, class: usize) {
    let waiting = Arc::clone(desk);
    desk.deliveries.spawn(async move {
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = waiting.stopping.cancelled() => {}
        }
        waiting.finished(&key, Some(class));
    });
}

/// What the lane does next.
enum Again {
    Look,
    /// Nothing, until something is announced for it.
    Rest,
}

/// Sends it. A panic on the way leaves no attempt open: it is put on record as unknown, as one of a process that died.
async fn send_to_the_end(
    desk: &Arc<Desk>,
    adapter: &Adapter,
    key: &ConversationKey,
    outgoing: Outgoing,
    number: u32,
    (place, probe): (Option<Place>, &Option<Probe>),
    flight: &Arc<Flight>,
) -> Again {
    let (seq, id) = (outgoing.seq, outgoing.id);
    let probe = probe.as_ref().map(|probe| probe.number);
    // Boxed: it is large, and would move with each of the futures around it.
    let sending = Box::pin(send(desk, adapter, key, outgoing, number, (place, probe), flight));
    if let Ok(again) = AssertUnwindSafe(sending).catch_unwind().await {
        return again;
    }
    tracing::error!(notification = %id, conversation = %key, "a delivery panicked: this is a defect");
    if let Err(error) = desk.store.commit(RecoverOne { options: desk.options.clone(), seq }).await {
        tracing::error!(notification = %id, %error, "its attempt stands as begun until the next start");
    }
    desk.read_anew();
    Again::Rest
}

/// Sends, and puts the outcome on record.
async fn send(
    desk: &Arc<Desk>,
    adapter: &Adapter,
    key: &ConversationKey,
    outgoing: Outgoing,
    number: u32,
    (place, probe): (Option<Place>, Option<ProbeNumber>),
    flight: &Arc<Flight>,
) -> Again {
    let (id, target) = (outgoing.id, outgoing.target);
    let (mut message, reference) = match prepare(desk, &outgoing).await {
        Ok(prepared) => prepared,
        Err(problem) => {
            unsendable(desk, key, &outgoing, number, problem).await;
            return Again::Look;
        }
    };
    let edits = progress::of(&outgoing).and_then(|(_, edits)| edits);
    // With an id it takes the place of the message that has it.
    message.id = edits.map(str::to_owned);
    let takes_id = desk.options.takes_id(&reference);
    let turn = OutboxTurn {
        key: TurnKey(*id.as_bytes()),
        beside: Arc::new(Accept::beside(desk, id, &outgoing.cause)),
        idempotency_key: takes_id.then(|| outgoing.sends_as.unwrap_or(id).to_string()),
        leave: Arc::new(LastGate {
            desk: Arc::clone(desk),
            key: key.clone(),
            target,
            expires_at: outgoing.expires_at,
            flight: Arc::clone(flight),
        }),
        reference,
    };
    // Only of progress it is asked afterwards what the message says.
    let text = progress::of(&outgoing).map_or_else(String::new, |_| message.text().to_owned());
    // It is on record as begun.
    let end = adapter.outbox_turn(turn, message, std::future::ready(Ok(true))).await;
    // A channel that takes ids takes each once, so sending again cannot show it twice.
    let policy = if takes_id { Policy::AtLeastOnce } else { outgoing.policy };
    let tried =
        Tried { edits: edits.is_some(), policy, ends: outgoing.ends_after_another(), now: desk.now() };
    let given = match &end {
        ProactiveEnd::Sent { delivered, .. } => delivered.response.id.clone(),
        _ => None,
    };
    let (ended, meaning, state) = desk.options.judge(tried, end, flight.withdrawn());
    if meaning.host_works {
        desk.host_works(target);
    }
    if let Some(reason) = &meaning.host_fails {
        desk.host_fails(target, reason, probe);
    }
    // Once it is known whether the next may go to this host.
    desk.exchanged(key);
    if ended.outcome != AttemptOutcome::Delivered {
        let error = ended.error.as_deref().unwrap_or("");
        tracing::warn!(notification = %id, attempt = number, outcome = %ended.outcome, error, "an attempt did not deliver");
    }
    // State that was changed is saved before the conversation's next turn begins.
    let place = if state.as_ref().is_some_and(|state| !state.changes().is_empty()) { place } else { None };
    let dead = meaning.dead.map(|reason| MarkDead { desk: Arc::clone(desk), key: key.clone(), reason });
    let told = Told::of(desk, &outgoing, text, number, &ended, given);
    failpoint!(BeforeSettle);
    let waits = settle(desk, &outgoing, number, ended, (dead, told), state).await;
    failpoint!(AfterSettle);
    drop(place);
    tell_if_it_waits(desk, key, &outgoing, waits);
    Again::Look
}

/// Tells the lanes of one that is tried again.
fn tell_if_it_waits(desk: &Desk, key: &ConversationKey, outgoing: &Outgoing, waits: Option<Waits>) {
    let Some(Waits { target, due_at }) = waits else { return };
    let waiting = Waiting {
        key: key.clone(),
        target,
        priority: outgoing.priority,
        due_at,
        interject: outgoing.moment == Moment::Interject,
    };
    // One that was begun with its acceptance never told when it ends.
    desk.accepted(&waiting, outgoing.ends_at);
}

/// Why a notification cannot be made into a message.
struct Problem {
    /// It will not be better another time.
    state: NotificationState,
    reason: String,
    /// Another try may find it mended.
    again: bool,
}

/// The message and where it goes.
async fn prepare(
    desk: &Desk,
    outgoing: &Outgoing,
) -> Result<(Box<Activity>, ConversationReference), Problem> {
    let corrupt = |error: serde_json::Error| Problem {
        state: NotificationState::Failed,
        reason: format!("what is stored of it cannot be read: {error}"),
        again: false,
    };
    let Some(reference) = outgoing.read_reference().map_err(corrupt)? else {
        let gate = Gate::NoContact;
        return Err(Problem { state: NotificationState::Suppressed, reason: gate.to_string(), again: false });
    };
    let message = match &outgoing.content {
        super::head::Stored::Activity(json) => serde_json::from_str(json).map_err(corrupt)?,
        super::head::Stored::Template { name, data } => {
            let rendered = super::template::render(&desk.store, name, data).await.map_err(|error| {
                Problem { state: NotificationState::Failed, reason: error.to_string(), again: true }
            })?;
            Box::new(rendered)
        }
    };
    Ok((message, reference))
}

/// Ends what cannot be made into a message, or has it wait: a template can be mended. It counts as a try.
async fn unsendable(
    desk: &Arc<Desk>,
    key: &ConversationKey,
    outgoing: &Outgoing,
    number: u32,
    problem: Problem,
) {
    let Problem { state, reason, again } = problem;
    tracing::error!(notification = %outgoing.id, reason, "a notification cannot be made into a message");
    let next = if again {
        desk.options.try_again(&outgoing.ends_after_another(), desk.now(), &reason, None)
    } else {
        Next::Settled(state, Some(reason.clone()))
    };
    let ended =
        Ended { outcome: AttemptOutcome::NotSent, status: None, error: Some(reason), counts: true, next };
    let waits = settle(desk, outgoing, number, ended, (None, None), None).await;
    tell_if_it_waits(desk, key, outgoing, waits);
}

/// The gates once more, when the next thing to happen is that bytes leave.
struct LastGate {
    desk: Arc<Desk>,
    key: ConversationKey,
    target: i64,
    expires_at: Option<i64>,
    flight: Arc<Flight>,
}

impl Leave for LastGate {
    fn may_leave(&self) -> bool {
        let gate = if self.expires_at.is_some_and(|at| at <= self.desk.now()) {
            Some(Gate::Expired)
        } else {
            // A breaker is no reason at this point: one that tries the host is under way, or was when it opened.
            self.desk.gate(&self.key, self.target).filter(|gate| matches!(gate, Gate::Paused { .. }))
        };
        match gate {
            Some(gate) => {
                self.flight.withdraw(gate);
                false
            }
            None => self.flight.leave(),
        }
    }
}

/// It is tried again.
struct Waits {
    /// Where it is sent then: its conversation may have moved while it was under way.
    target: TargetId,
    due_at: i64,
}

/// Writes the outcome; its state goes with it. A disk without room is waited for: until then the attempt stands as begun, and a
/// process that dies meanwhile leaves it to be recorded as unknown.
async fn settle(
    desk: &Desk,
    outgoing: &Outgoing,
    number: u32,
    ended: Ended,
    beside: (Option<MarkDead>, Option<Told>),
    mut state: Option<StateToSave>,
) -> Option<Waits> {
    let (seq, id) = (outgoing.seq, outgoing.id);
    loop {
        let command = Settle { seq, id, number, ended: ended.clone() };
        let changes = state.as_ref().map(StateToSave::changes).unwrap_or_default();
        let result = desk.store.commit((command, (beside.clone(), WriteState(changes)))).await;
        match result {
            Ok((target, _)) => {
                desk.measure.settled(ended.outcome, desk.now() - outgoing.ready_at);
                let Next::Waiting { due_at, .. } = ended.next else { return None };
                return Some(Waits { target: target?, due_at });
            }
            Err(store::Error::Conflict { keys }) => {
                // Somebody changed the same values meanwhile: reapply what this turn changed, or keep theirs.
                let rebased = match &mut state {
                    Some(state) => state.rebase(&keys).await,
                    None => Ok(()),
                };
                if let Err(error) = rebased {
                    tracing::error!(notification = %id, %error, "the state of a proactive turn was not saved");
                    state = None;
                }
            }
            Err(store::Error::Broken(_)) => std::future::pending().await,
            Err(error) => {
                tracing::error!(notification = %id, %error, "cannot write an outcome; trying again");
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = desk.stopping.cancelled() => return None,
                }
            }
        }
    }
}
