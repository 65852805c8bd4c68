//! A lane's turn, in one commit: what it sends next is read and put on record as begun.
//!
//! It is the writer that reads, so what is read is what is begun, and neither waits for a thread of its own. Nothing is begun that a
//! gate holds back, that is held since a restore, or whose conversation is in a turn: then the lane waits, and nothing was written. If
//! the commit fails, the place among the turns goes back and the attempt is under way no more.

use std::sync::{Arc, Weak};

use rusqlite::params;

use super::{
    attempt::{end_waiting, ending, moved},
    desk::Desk,
    flight::Airborne,
    gate::Gate,
    head::{Found, Head, Outgoing, Stored},
    job_progress_delivery as progress,
    notification::Moment,
    state::NotificationState,
};
use crate::{
    activity::ConversationKey,
    adapter::{Asked, Place, TurnOrder},
    store::{self, Command, Query, Tx, Writes},
};

/// Takes what a lane sends next.
pub(super) struct Take {
    /// Weak: one that waits for the writer when its runtime is gone is not to keep the store open.
    pub(super) desk: Weak<Desk>,
    pub(super) order: Arc<TurnOrder>,
    pub(super) key: ConversationKey,
    /// Only what interjects: the rest waits for a turn to end.
    pub(super) parked: bool,
    /// It has waited for a turn: with its place among them, or with none because that took too long.
    pub(super) place: Option<Option<Place>>,
}

/// What a lane's turn came to.
pub(super) enum Taken {
    /// There is nothing that can go.
    Nothing,
    /// The next one, of this class, waits for the turn under way to end.
    Waits(usize, Asked),
    /// A gate is closed for the next one, of this class: it has come to its end, or goes on waiting.
    Refused(usize),
    /// It is on record as begun.
    Begun(Box<Departure>),
}

/// An attempt that is on record as begun.
pub(super) struct Departure {
    pub(super) outgoing: Outgoing,
    /// The attempt.
    pub(super) number: u32,
    pub(super) place: Option<Place>,
    pub(super) airborne: Airborne,
}

/// Puts an attempt on record as begun.
pub(super) const BEGIN: &str = "UPDATE OR FAIL notification SET state = 'sending', begun = ?3, begun_at = ?2, retrying = 0, activity = coalesce(?4, activity)
    WHERE seq = ?1";

impl Command for Take {
    type Outcome = Taken;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Taken, store::Error> {
        let Self { desk, order, key, parked, place } = self;
        let Some(desk) = desk.upgrade() else { return Ok(Taken::Nothing) };
        let (now, after) = {
            // The time at which it was found due: the clock may have gone a little back since.
            let state = desk.state();
            (state.gates.now.max(tx.now()), state.held_through)
        };
        let head = Head { key: key.clone(), now, ready: desk.ready_through(now), after, interject: parked };
        let Some(Found { mut outgoing, begun, dead }) = head.run(tx.connection())? else {
            return Ok(Taken::Nothing);
        };
        let class = outgoing.class();
        // Waited for once, it goes beside a turn that takes too long.
        let place = match (outgoing.moment, place) {
            (_, Some(place)) => place,
            (Moment::Interject, None) => None,
            (Moment::AfterTurn, None) => match order.enter(&key) {
                Asked::Free(place) => Some(place),
                asked @ Asked::After(_) => return Ok(Taken::Waits(class, asked)),
            },
        };
        if let Some(gate) = stands_against(&outgoing, dead, now) {
            if let Some((state, reason)) = ending(&gate) {
                end_waiting(tx, outgoing.seq, outgoing.id, state, &reason)?;
            }
            return Ok(Taken::Refused(class));
        }
        // A breaker that opened since is asked when the lane is chosen; the attempt that tries the host goes through here.
        if let Some(Gate::Paused { .. }) = desk.gate(&key, outgoing.target) {
            return Ok(Taken::Refused(class));
        }
        let newest = progress::newest(tx.connection(), &outgoing)?;
        let number = begun + 1;
        tx.prepare(BEGIN)?.execute(params![outgoing.seq, now, number, newest])?;
        moved(tx, outgoing.id, NotificationState::Waiting, NotificationState::Sending);
        if let Some(newest) = newest {
            outgoing.content = Stored::Activity(newest);
        }
        // Before the commit: a cancel that meets it as begun finds it.
        let airborne = desk.takes_off(outgoing.seq);
        Ok(Taken::Begun(Box::new(Departure { outgoing, number, place, airborne })))
    }

    fn writes(&self) -> Writes {
        Writes::Surely
    }
}

/// What stands against it in the store.
fn stands_against(outgoing: &Outgoing, dead: Option<String>, now: i64) -> Option<Gate> {
    match (&outgoing.reference, dead) {
        (None, _) => Some(Gate::NoContact),
        (_, Some(reason)) => Some(Gate::Dead { reason }),
        _ if outgoing.expires_at.is_some_and(|at| at <= now) => Some(Gate::Expired),
        _ if outgoing.ends_at <= now => Some(Gate::TooOld),
        _ => None,
    }
}
