//! Attempts on record: begun before bytes leave, settled when the outcome is known, recovered when the process died between.
//!
//! Every statement that settles names the attempt: one that was settled some other way stays as it is.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::{
    desk::Desk,
    dispatcher::DeliveryOptions,
    gate::{Gate, Meaning},
    notification::{AttemptOutcome, Policy},
    state::NotificationState,
    target::TargetId,
};
use crate::{
    activity::ConversationKey,
    store::{self, Change, Command, Tx},
};

/// What became of an attempt to begin.
#[derive(Debug)]
pub(super) enum Beginning {
    /// It is on record as begun, under this number.
    Begun(u32),
    /// It no longer waits, or not for now.
    Gone,
    /// A gate closed meanwhile.
    Refused(Gate),
}

/// Puts an attempt on record as begun, if it still waits and no gate is closed.
pub(super) struct Begin {
    pub(super) desk: Arc<Desk>,
    pub(super) seq: i64,
    pub(super) id: Uuid,
    pub(super) key: ConversationKey,
    pub(super) target: TargetId,
    /// What is sent, if that is newer than what is on record.
    pub(super) activity: Option<String>,
}

impl Command for Begin {
    type Outcome = Beginning;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Beginning, store::Error> {
        let now = tx.now();
        if let Some(gate) = self.own_gate(tx)? {
            if let Some((state, reason)) = ending(&gate) {
                end_waiting(tx, self.seq, self.id, state, &reason)?;
            }
            return Ok(Beginning::Refused(gate));
        }
        // A breaker that opened since is asked when the lane is chosen; the attempt that tries the host goes through here.
        if let Some(gate @ Gate::Paused { .. }) = self.desk.gate(&self.key, self.target) {
            return Ok(Beginning::Refused(gate));
        }
        let number: Option<u32> = tx
            .prepare(
                "UPDATE notification SET state = 'sending', begun = begun + 1, begun_at = ?2, retrying = 0,
                    activity = coalesce(?3, activity)
                 WHERE seq = ?1 AND state = 'waiting' AND due_at <= ?2 RETURNING begun",
            )?
            .query_row(params![self.seq, now, self.activity], |row| row.get(0))
            .optional()?;
        let Some(number) = number else { return Ok(Beginning::Gone) };
        moved(tx, self.id, NotificationState::Waiting, NotificationState::Sending);
        Ok(Beginning::Begun(number))
    }
}

impl Begin {
    /// What stands against it in the store.
    fn own_gate(&self, tx: &Tx<'_>) -> Result<Option<Gate>, store::Error> {
        let found: Option<(bool, Option<String>, Option<i64>, i64)> = tx
            .prepare(
                "SELECT c.reference IS NOT NULL, c.dead_reason, n.expires_at, n.ends_at FROM notification n
                 LEFT JOIN conversation c ON c.partition = n.partition AND c.channel_id = n.channel_id
                    AND c.conversation_id = n.conversation_id
                 WHERE n.seq = ?1 AND n.state = 'waiting'",
            )?
            .query_row([self.seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((known, dead, expires_at, ends_at)) = found else { return Ok(None) };
        Ok(match (known, dead) {
            (false, _) => Some(Gate::NoContact),
            (_, Some(reason)) => Some(Gate::Dead { reason }),
            _ if expires_at.is_some_and(|at| at <= tx.now()) => Some(Gate::Expired),
            _ if ends_at <= tx.now() => Some(Gate::TooOld),
            _ => None,
        })
    }
}

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
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        let Self { seq, id, number, ended } = self;
        let Ended { outcome, status, error, counts, next } = ended;
        let at_once = number == 1 && outcome == AttemptOutcome::Delivered;
        if !at_once {
            // One that is delivered at once is told by the notification's own row.
            tx.prepare(
                "INSERT INTO attempt SELECT seq, begun, begun_at, ?3, ?4, ?5, ?6 FROM notification
                 WHERE seq = ?1 AND begun = ?2 AND state = 'sending'",
            )?
            .execute(params![seq, number, tx.now(), outcome, status, error])?;
        }
        let (changed, state) = match next {
            Next::Settled(state, reason) => {
                let changed = tx
                    .prepare(
                        "UPDATE notification SET state = ?3, reason = ?4, settled_at = ?5, status = ?6, tries = tries + ?7
                         WHERE seq = ?1 AND begun = ?2 AND state = 'sending'",
                    )?
                    .execute(params![seq, number, state, reason, tx.now(), status, counts])?;
                (changed, state)
            }
            Next::Waiting { due_at, reason } => {
                // An edit that is tried again holds up nobody: what it shows is not part of the talk's order.
                let changed = tx
                    .prepare(
                        "UPDATE notification SET state = 'waiting', reason = ?3, due_at = ?4, tries = tries + ?5,
                            retrying = cause ->> '$.edits' IS NULL
                         WHERE seq = ?1 AND begun = ?2 AND state = 'sending'",
                    )?
                    .execute(params![seq, number, reason, due_at, counts])?;
                (changed, NotificationState::Waiting)
            }
        };
        if changed == 1 {
            moved(tx, id, NotificationState::Sending, state);
        }
        Ok(())
    }
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

/// An open attempt's notification: seq, id, policy, attempts begun, tries, expiry, end, the service URL of its conversation.
type Open = (i64, Uuid, Policy, u32, u32, Option<i64>, i64, Option<String>);

impl Command for Recover {
    /// How many attempts were open.
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let open = tx
            .prepare(
                "SELECT n.seq, n.id, n.policy, n.begun, n.tries, n.expires_at, n.ends_at, c.reference ->> '$.serviceUrl'
                 FROM notification n INDEXED BY notification_sending
                 LEFT JOIN conversation c ON c.partition = n.partition AND c.channel_id = n.channel_id
                    AND c.conversation_id = n.conversation_id
                 WHERE n.state = 'sending'",
            )?
            .query_map([], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                    row.get(7)?,
                ))
            })?
            .collect::<Result<Vec<Open>, _>>()?;
        let count = open.len();
        for (seq, id, policy, number, tries, expires_at, ends_at, service_url) in open {
            let takes_id = self.options.takes_ids.is_some() && service_url == self.options.takes_ids;
            let next = if policy == Policy::AtMostOnce && !takes_id {
                Next::Settled(NotificationState::Unknown, Some(DIED.to_owned()))
            } else {
                let ends = super::outcome::Ends { tries: tries + 1, expires_at, ends_at };
                self.options.try_again(&ends, tx.now(), DIED, None)
            };
            let error = Some(DIED.to_owned());
            let ended = Ended { outcome: AttemptOutcome::Unknown, status: None, error, counts: true, next };
            Settle { seq, id, number, ended }.apply(tx)?;
        }
        Ok(count)
    }
}
