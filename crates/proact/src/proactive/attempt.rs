//! Attempts on record: begun before bytes leave, settled when the outcome is known, recovered when the process died between.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::dispatcher::DeliveryOptions;
use super::notification::{AttemptOutcome, Cause, Moment, NotificationState, Policy};
use crate::{
    activity::{Activity, ConversationReference},
    store::{self, Change, Command, Query, Tx, Waiting},
};

/// What a delivery needs to know, read when its turn comes.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) activity: Activity,
    pub(super) cause: Cause,
    pub(super) policy: Policy,
    pub(super) moment: Moment,
    /// When its first attempt was begun, or this was read when there was none: what its age counts from.
    pub(super) since: i64,
    /// `None`: the conversation is not known (any more).
    pub(super) reference: Option<ConversationReference>,
}

/// Reads a waiting notification and how to reach its conversation; `None` when it no longer waits.
#[derive(Debug)]
pub(super) struct ToDeliver {
    pub(super) seq: i64,
    pub(super) now: i64,
}

impl Query for ToDeliver {
    type Answer = Option<Delivery>;

    fn run(self, connection: &Connection) -> Result<Option<Delivery>, store::Error> {
        let row = connection
            .prepare_cached(
                "SELECT n.activity, n.policy, n.moment,
                    coalesce((SELECT begun_at FROM attempt WHERE seq = n.seq AND number = 1), ?2), c.reference, n.cause
                 FROM notification n
                 LEFT JOIN conversation c USING (partition, channel_id, conversation_id)
                 WHERE n.seq = ?1 AND n.state = 'waiting'",
            )?
            .query_row(params![self.seq, self.now], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get::<_, Option<String>>(4)?,
                    row.get::<_, String>(5)?,
                ))
            })
            .optional()?;
        row.map(|(activity, policy, moment, since, reference, cause)| {
            Ok(Delivery {
                activity: serde_json::from_str(&activity)?,
                cause: serde_json::from_str(&cause)?,
                policy,
                moment,
                since,
                reference: reference.as_deref().map(serde_json::from_str).transpose()?,
            })
        })
        .transpose()
    }
}

/// Puts an attempt on record as begun. Answers its number, or `None` when the notification no longer waits.
#[derive(Debug)]
pub(super) struct Begin {
    pub(super) seq: i64,
    pub(super) id: Uuid,
}

impl Command for Begin {
    type Outcome = Option<u32>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Option<u32>, store::Error> {
        let number: Option<u32> = tx
            .prepare(
                "UPDATE notification SET state = 'sending', tries = tries + 1 WHERE seq = ?1 AND state = 'waiting'
                 RETURNING tries",
            )?
            .query_row([self.seq], |row| row.get(0))
            .optional()?;
        if let Some(number) = number {
            tx.prepare("INSERT INTO attempt (seq, number, begun_at) VALUES (?1, ?2, ?3)")?
                .execute(params![self.seq, number, tx.now()])?;
            tx.changed(Change::Notification { id: self.id, waiting: None });
        }
        Ok(number)
    }
}

/// What becomes of the notification after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// It is settled.
    Settled(NotificationState, Option<String>),
    /// It waits for another try until `due_at`.
    Waiting { due_at: i64, reason: String },
}

/// Puts an attempt's outcome on record, with what becomes of the notification.
#[derive(Debug)]
pub(super) struct Settle {
    pub(super) seq: i64,
    pub(super) id: Uuid,
    /// The attempt; `None` when it came to its end without one.
    pub(super) number: Option<u32>,
    pub(super) outcome: AttemptOutcome,
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
    pub(super) next: Next,
}

impl Command for Settle {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        if let Some(number) = self.number {
            tx.prepare(
                "UPDATE attempt SET ended_at = ?3, outcome = ?4, status = ?5, error = ?6
                 WHERE seq = ?1 AND number = ?2 AND outcome IS NULL",
            )?
            .execute(params![
                self.seq,
                number,
                tx.now(),
                self.outcome,
                self.status,
                self.error
            ])?;
        }
        match self.next {
            Next::Settled(state, reason) => tx
                .prepare(
                    "UPDATE notification SET state = ?2, reason = ?3, settled_at = ?4
                     WHERE seq = ?1 AND settled_at IS NULL",
                )?
                .execute(params![self.seq, state, reason, tx.now()])?,
            Next::Waiting { due_at, reason } => tx
                .prepare(
                    "UPDATE notification SET state = 'waiting', reason = ?2, due_at = ?3
                     WHERE seq = ?1 AND settled_at IS NULL",
                )?
                .execute(params![self.seq, reason, due_at])?,
        };
        tx.changed(Change::Notification { id: self.id, waiting: None });
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

/// An open attempt's notification: seq, id, policy, tries, when it was first tried, the service URL of its conversation.
type Open = (i64, Uuid, Policy, u32, i64, Option<String>);

impl Command for Recover {
    /// How many attempts were open.
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let open = tx
            .prepare(
                "SELECT n.seq, n.id, n.policy, n.tries,
                    coalesce((SELECT begun_at FROM attempt WHERE seq = n.seq AND number = 1), n.created_at),
                    c.reference ->> '$.serviceUrl'
                 FROM notification n INDEXED BY notification_by_state
                 LEFT JOIN conversation c USING (partition, channel_id, conversation_id)
                 WHERE n.state = 'sending'",
            )?
            .query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            })?
            .collect::<Result<Vec<Open>, _>>()?;
        let count = open.len();
        for (seq, id, policy, tries, since, service_url) in open {
            let takes_id = self.options.takes_ids.is_some() && service_url == self.options.takes_ids;
            let next = if policy == Policy::AtMostOnce && !takes_id {
                Next::Settled(NotificationState::Unknown, Some(DIED.to_owned()))
            } else {
                self.options.try_again(tries, since, tx.now(), DIED, None)
            };
            let outcome = AttemptOutcome::Unknown;
            let error = Some(DIED.to_owned());
            Settle { seq, id, number: Some(tries), outcome, status: None, error, next }.apply(tx)?;
        }
        Ok(count)
    }
}

/// Reads what waits and is not held, in the order of acceptance, after `after`.
#[derive(Debug)]
pub(super) struct WaitingAfter {
    pub(super) after: i64,
    pub(super) limit: usize,
}

impl Query for WaitingAfter {
    type Answer = Vec<Waiting>;

    fn run(self, connection: &Connection) -> Result<Vec<Waiting>, store::Error> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, id, channel_id, conversation_id, due_at FROM notification INDEXED BY notification_open
             WHERE state IN ('waiting', 'sending') AND seq > ?1 AND state = 'waiting' ORDER BY seq LIMIT ?2",
        )?;
        let after = self.after.max(super::hold::notifications(connection)?);
        let rows = statement.query_map(params![after, self.limit as i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?, row.get(4)?))
        })?;
        let mut found = Vec::new();
        for row in rows {
            let (seq, id, channel_id, conversation_id, due_at) = row?;
            let conversation = super::conversation::key(channel_id, conversation_id)?;
            found.push(Waiting { seq, id, conversation, due_at });
        }
        Ok(found)
    }
}
