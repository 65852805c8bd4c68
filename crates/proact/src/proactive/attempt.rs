//! Attempts on record: begun before bytes leave, settled when the outcome is known, recovered when the process died between.
//!
//! Every statement that settles names the attempt: one that was settled some other way stays as it is.

use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::{
    dispatcher::DeliveryOptions,
    gate::{Gate, Meaning},
    notification::{AttemptOutcome, Policy},
    outcome::Ends,
    state::NotificationState,
    target::TargetId,
};
use crate::store::{self, Change, Command, Tx, Writes};

/// The state in which a gate ends what meets it, and the reason to be read there; `None` when it goes on waiting.
pub(super) fn ending(gate: &Gate) -> Option<(NotificationState, String)> {
    let state = match gate.meaning() {
        Meaning::Suppress => NotificationState::Suppressed,
        Meaning::Cancel => NotificationState::Cancelled,
        Meaning::Expire => NotificationState::Expired,
        Meaning::Fail => NotificationState::Failed,
        Meaning::Wait => return None,
    };
    Some((state, gate.to_string()))
}

/// Ends a notification that waits. Whether it did.
pub(super) fn end_waiting(
    tx: &mut Tx<'_>,
    seq: i64,
    id: Uuid,
    state: NotificationState,
    reason: &str,
) -> Result<bool, store::Error> {
    let ended = tx
        .prepare(
            "UPDATE notification SET state = ?2, reason = ?3, settled_at = ?4, retrying = 0
             WHERE seq = ?1 AND state = 'waiting'",
        )?
        .execute(params![seq, state, reason, tx.now()])?;
    if ended == 1 {
        moved(tx, id, NotificationState::Waiting, state);
    }
    Ok(ended == 1)
}

/// Counts and announces that a notification went from one state to another.
pub(super) fn moved(tx: &mut Tx<'_>, id: Uuid, from: NotificationState, to: NotificationState) {
    tx.tally(from.tally(), -1);
    tx.tally(to.tally(), 1);
    tx.changed(Change::Notification { id });
}

/// What becomes of the notification after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// It is settled.
    Settled(NotificationState, Option<String>),
    /// It waits, for another try until `due_at`.
    Waiting { due_at: i64, reason: String },
}

/// How an attempt ended, and what becomes of its notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) outcome: AttemptOutcome,
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
    /// It counts as a try.
    pub(super) counts: bool,
    pub(super) next: Next,
}

/// Puts a notification on record as settled.
pub(super) const SETTLE: &str = "UPDATE OR FAIL notification SET state = ?3, reason = ?4, settled_at = ?5, status = ?6, tries = tries + ?7
    WHERE seq = ?1 AND begun = ?2 AND state = 'sending'";

/// Puts an attempt's outcome on record, with what becomes of the notification.
#[derive(Debug)]
pub(super) struct Settle {
    pub(super) seq: i64,
    pub(super) id: Uuid,
    /// The attempt.
    pub(super) number: u32,
    pub(super) ended: Ended,
}

impl Command for Settle {
    /// Where it is sent next, if it waits again: its conversation may have moved meanwhile.
    type Outcome = Option<TargetId>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Option<TargetId>, store::Error> {
        let Self { seq, id, number, ended } = self;
        let Ended { outcome, status, error, counts, next } = ended;
        if !is_at_once(number, outcome) {
            // One that is delivered at once is told by the notification's own row.
            tx.prepare(
                "INSERT INTO attempt SELECT seq, begun, begun_at, ?3, ?4, ?5, ?6 FROM notification
                 WHERE seq = ?1 AND begun = ?2 AND state = 'sending'",
            )?
            .execute(params![seq, number, tx.now(), outcome, status, error])?;
        }
        let (changed, state, target) = match next {
            Next::Settled(state, reason) => {
                let changed = tx.prepare(SETTLE)?.execute(params![
                    seq,
                    number,
                    state,
                    reason,
                    tx.now(),
                    status,
                    counts
                ])?;
                (changed == 1, state, None)
            }
            Next::Waiting { due_at, reason } => {
                // An edit that is tried again holds up nobody: what it shows is not part of the talk's order.
                let target: Option<TargetId> = tx
                    .prepare(
                        "UPDATE notification SET state = 'waiting', reason = ?3, due_at = ?4, tries = tries + ?5,
                            retrying = cause ->> '$.edits' IS NULL,
                            target = coalesce((SELECT c.target FROM conversation c WHERE c.partition = notification.partition
                                AND c.channel_id = notification.channel_id
                                AND c.conversation_id = notification.conversation_id), target)
                         WHERE seq = ?1 AND begun = ?2 AND state = 'sending' RETURNING target",
                    )?
                    .query_row(params![seq, number, reason, due_at, counts], |row| row.get(0))
                    .optional()?;
                (target.is_some(), NotificationState::Waiting, target)
            }
        };
        if changed {
            moved(tx, id, NotificationState::Sending, state);
        }
        Ok(target)
    }

    fn writes(&self) -> Writes {
        if is_at_once(self.number, self.ended.outcome) { Writes::Surely } else { Writes::Many }
    }
}

/// A first try that delivers.
fn is_at_once(number: u32, outcome: AttemptOutcome) -> bool {
    number == 1 && outcome == AttemptOutcome::Delivered
}

/// What is said of an attempt that was under way when the process ended.
const DIED: &str = "the process ended while the attempt was under way: it may have arrived";

/// Settles every attempt that an earlier process left open, as *unknown*. The policy decides what becomes of its notification; one
/// whose channel takes ids is sent again under either. A message whose sending ends the process is not sent for ever: tries and age
/// have the ceilings of any other.
#[derive(Debug)]
pub(super) struct Recover {
    pub(super) options: DeliveryOptions,
}

impl Command for Recover {
    /// How many attempts were open.
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let open = Open::read(tx, None)?;
        let count = open.len();
        for open in open {
            open.settle(tx, &self.options, DIED)?;
        }
        Ok(count)
    }
}

/// What is said of an attempt whose delivery panicked.
const PANICKED: &str = "the delivery panicked while the attempt was under way: it may have arrived";

/// The same for the one attempt of this process whose delivery panicked, if it is open.
#[derive(Debug)]
pub(super) struct RecoverOne {
    pub(super) options: DeliveryOptions,
    pub(super) seq: i64,
}

impl Command for RecoverOne {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        for open in Open::read(tx, Some(self.seq))? {
            open.settle(tx, &self.options, PANICKED)?;
        }
        Ok(())
    }
}

/// The notification of an attempt that nobody settles any more.
struct Open {
    seq: i64,
    id: Uuid,
    policy: Policy,
    /// The number of its attempt.
    begun: u32,
    tries: u32,
    expires_at: Option<i64>,
    ends_at: i64,
    service_url: Option<String>,
}

impl Open {
    /// All of them, or that of one notification.
    fn read(tx: &Tx<'_>, only: Option<i64>) -> Result<Vec<Self>, store::Error> {
        let open = tx
            .prepare(
                "SELECT n.seq, n.id, n.policy, n.begun, n.tries, n.expires_at, n.ends_at, c.reference ->> '$.serviceUrl'
                 FROM notification n INDEXED BY notification_sending
                 LEFT JOIN conversation c ON c.partition = n.partition AND c.channel_id = n.channel_id
                    AND c.conversation_id = n.conversation_id
                 WHERE n.state = 'sending' AND (?1 IS NULL OR n.seq = ?1)",
            )?
            .query_map([only], |row| {
                Ok(Self {
                    seq: row.get(0)?,
                    id: row.get(1)?,
                    policy: row.get(2)?,
                    begun: row.get(3)?,
                    tries: row.get(4)?,
                    expires_at: row.get(5)?,
                    ends_at: row.get(6)?,
                    service_url: row.get(7)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(open)
    }

    /// Puts its attempt on record as unknown, because of `what`.
    fn settle(self, tx: &mut Tx<'_>, options: &DeliveryOptions, what: &str) -> Result<(), store::Error> {
        let Self { seq, id, policy, begun: number, tries, expires_at, ends_at, service_url } = self;
        let takes_id = options.takes_ids.is_some() && service_url == options.takes_ids;
        let next = if policy == Policy::AtMostOnce && !takes_id {
            Next::Settled(NotificationState::Unknown, Some(what.to_owned()))
        } else {
            let ends = Ends { tries: tries + 1, expires_at, ends_at };
            options.try_again(&ends, tx.now(), what, None)
        };
        let error = Some(what.to_owned());
        let ended = Ended { outcome: AttemptOutcome::Unknown, status: None, error, counts: true, next };
        Settle { seq, id, number, ended }.apply(tx)?;
        Ok(())
    }
}
