//! Ending a hold: first what it holds, then what becomes of it.
//!
//! A release drops in small steps, each a commit of its own, and lifts the hold in the last one. Should the process die in between,
//! the hold stands, what was dropped is dropped, and the release can be asked for again. Nothing of what is dropped can be
//! sent any more, because the hold stands while it is dropped.

use std::{sync::atomic::Ordering, time::Duration};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Error, Proactive,
    attempt::moved,
    breaker::millis,
    conversation::ConversationView,
    hold::{self, Held, Lift, ReadHold},
    job_queries::time,
    state::NotificationState,
    turn_rows::End,
};
use crate::{
    activity::Activity,
    store::{self, Command, Query, Tx},
    turn::TurnKey,
};

/// Rows in one step of dropping.
const STEP: usize = 500;
/// Characters of a text that a summary shows.
const TEXT: usize = 80;

/// Why a notification was dropped.
const DROPPED: &str = "dropped at release after a restore";

/// What becomes of what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// All of it goes.
    Send,
    /// None of it: notifications end cancelled, owed turns are not run.
    Drop,
    /// What came due within this time, or comes due later, goes; the rest is dropped. An owed turn counts from when it was answered.
    SendDueWithin(Duration),
}

impl Release {
    /// What was due before this time is dropped; in milliseconds since 1970, as `now` is.
    pub(crate) fn drops_before(self, now: i64) -> i64 {
        match self {
            Self::Send => i64::MIN,
            Self::Drop => i64::MAX,
            Self::SendDueWithin(age) => {
                now.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }
}

/// What is held, for an operator to decide on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HeldSummary {
    /// When the backup was put in place.
    pub since: Timestamp,
    /// Notifications that would go.
    pub notifications: u64,
    /// Conversations that they would go to.
    pub conversations: u64,
    /// When the one that has waited longest was due.
    pub oldest_due: Option<Timestamp>,
    /// When the youngest was or comes due.
    pub newest_due: Option<Timestamp>,
    /// Turns that would be run again: answered, but not at their end.
    pub turns: u64,
    /// The conversations with the most, and what each would be told first.
    pub sample: Vec<HeldLane>,
}

/// What one conversation would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HeldLane {
    /// Which conversation.
    pub conversation: ConversationView,
    /// How many notifications.
    pub notifications: u64,
    /// When the first of them was or comes due.
    pub first_due: Timestamp,
    /// The text of the first, shortened.
    pub text: String,
}

/// What became of what was held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Released {
    /// Notifications that go.
    pub sent: u64,
    /// Notifications that were dropped.
    pub dropped: u64,
    /// Turns that are run again.
    pub turns_run: u64,
    /// Turns that were dropped.
    pub turns_dropped: u64,
}

impl Proactive {
    /// What a restore holds back; `None` while nothing is held.
    ///
    /// # Errors
    /// What the store says.
    pub async fn held(&self) -> Result<Option<Held>, Error> {
        Ok(self.store().read(ReadHold).await?)
    }

    /// What a restore holds back, counted, with the `lanes` conversations that have the most; `None` while nothing is held. It costs
    /// what is held.
    ///
    /// # Errors
    /// What the store says.
    pub async fn held_summary(&self, lanes: u32) -> Result<Option<HeldSummary>, Error> {
        Ok(self.store().read(Summary { lanes }).await?)
    }

    /// Ends the hold. `None` when there is none (any more).
    ///
    /// Owed turns that are to go are run when the adapter [resumes](crate::adapter::Adapter::resume).
    ///
    /// # Errors
    /// What the store says: the hold then still stands.
    pub async fn release(&self, release: Release) -> Result<Option<Released>, Error> {
        let store = self.store();
        let before = release.drops_before(store.clock().now().as_millisecond());
        let mut released = Released::default();
        loop {
            let Some(step) = store.commit(Drop { before, limit: STEP }).await? else { return Ok(None) };
            released.dropped += step.notifications;
            released.turns_dropped += step.turns;
            if step.notifications == 0 && step.turns == 0 {
                break;
            }
        }
        let ends_at = self.renew().await?;
        if let Some(left) = self.held_summary(0).await? {
            (released.sent, released.turns_run) = (left.notifications, left.turns);
        }
        let lifted = store.commit(Lift).await?;
        // What goes ends again some day.
        let desk = self.desk();
        desk.next_end.fetch_min(ends_at, Ordering::SeqCst);
        desk.ends.notify_one();
        Ok(lifted.then_some(released))
    }

    /// Gives what is to go its time anew. Answers the end of it.
    async fn renew(&self) -> Result<i64, Error> {
        let (now, max_age) = (self.desk().now(), millis(self.desk().options.backoff.max_age));
        while self.store().commit(Renew { now, max_age, limit: STEP }).await? == STEP {}
        Ok(now.saturating_add(max_age))
    }
}

/// Counts what is held.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) lanes: u32,
}

impl Query for Summary {
    type Answer = Option<HeldSummary>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        let Some(held) = ReadHold.run(connection)? else { return Ok(None) };
        let (notifications, conversations, oldest, newest) = connection
            .prepare(
                "SELECT coalesce(sum(n), 0), count(*), min(oldest), max(newest) FROM (
                    SELECT count(*) AS n, min(max(due_at, created_at)) AS oldest, max(max(due_at, created_at)) AS newest FROM notification
                    WHERE state = 'waiting' AND seq <= ?1 GROUP BY partition, channel_id, conversation_id)",
            )?
            .query_row([held.notifications], |row| {
                let at = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(time));
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, at(2)?, at(3)?))
            })?;
        let turns: i64 = connection
            .prepare("SELECT count(*) FROM turn WHERE activity IS NOT NULL AND at <= ?1")?
            .query_row([held.turns], |row| row.get(0))?;
        // SQLite takes the bare columns from the row that has the minimum.
        let mut statement = connection.prepare(
            "SELECT channel_id, conversation_id, count(*), max(due_at, created_at), coalesce(activity, ''), min(seq), template FROM notification
             WHERE state = 'waiting' AND seq <= ?1 GROUP BY partition, channel_id, conversation_id
             ORDER BY count(*) DESC, min(seq) LIMIT ?2",
        )?;
        let sample = statement
            .query_map(params![held.notifications, self.lanes], |row| {
                let activity: Option<Activity> = serde_json::from_str(row.get_ref(4)?.as_str()?).ok();
                Ok(HeldLane {
                    conversation: ConversationView { channel_id: row.get(0)?, id: row.get(1)? },
                    notifications: row.get::<_, i64>(2)?.unsigned_abs(),
                    first_due: time(row.get(3)?),
                    text: match activity {
                        Some(activity) => activity.text().chars().take(TEXT).collect(),
                        None => row.get::<_, Option<String>>(6)?.unwrap_or_default(),
                    },
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(Some(HeldSummary {
            since: held.since,
            notifications: notifications.unsigned_abs(),
            conversations: conversations.unsigned_abs(),
            oldest_due: oldest,
            newest_due: newest,
            turns: turns.unsigned_abs(),
            sample,
        }))
    }
}

/// Lets the age limit hold again for a few of those that do not expire by themselves, counted from now.
#[derive(Debug)]
struct Renew {
    now: i64,
    max_age: i64,
    limit: usize,
}

impl Command for Renew {
    /// How many.
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let of_now = tx
            .prepare(
                "UPDATE notification SET ends_at = max(ready_at, ?1) + ?2 WHERE seq IN (
                    SELECT seq FROM notification INDEXED BY notification_ends
                    WHERE state = 'waiting' AND ends_at = ?3 LIMIT ?4)",
            )?
            .execute(params![self.now, self.max_age, hold::NEVER, self.limit as i64])?;
        Ok(of_now)
    }
}

/// Drops a few of those that were due before a time.
#[derive(Debug)]
struct Drop {
    before: i64,
    limit: usize,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    notifications: u64,
    turns: u64,
}

impl Command for Drop {
    /// `None` when nothing is held: somebody else has released it.
    type Outcome = Option<Step>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, store::Error> {
        let Some(turns) = hold::turns(tx.connection())? else { return Ok(None) };
        let limit = self.limit as i64;
        let dropped = tx
            .prepare(
                "UPDATE notification SET state = ?4, reason = ?5, settled_at = ?6 WHERE seq IN (
                    SELECT seq FROM notification WHERE state = 'waiting' AND seq <= ?1 AND max(due_at, created_at) < ?2
                    ORDER BY seq LIMIT ?3)
                 RETURNING id",
            )?
            .query_map(
                params![
                    hold::notifications(tx.connection())?,
                    self.before,
                    limit,
                    NotificationState::Cancelled,
                    DROPPED,
                    tx.now()
                ],
                |row| row.get(0),
            )?
            .collect::<Result<Vec<Uuid>, _>>()?;
        let owed = tx
            .prepare(
                "SELECT partition, key FROM turn WHERE activity IS NOT NULL AND at <= ?1 AND at < ?2 LIMIT ?3",
            )?
            .query_map(params![turns, self.before, limit], |row| Ok((row.get(0)?, TurnKey(row.get(1)?))))?
            .collect::<Result<Vec<(u16, TurnKey)>, _>>()?;
        for &(partition, key) in &owed {
            // It was answered 200 when it was accepted; that stays its answer.
            End { partition, key, status: 200, body: None }.apply(tx)?;
        }
        let step = Step { notifications: dropped.len() as u64, turns: owed.len() as u64 };
        for id in dropped {
            moved(tx, id, NotificationState::Waiting, NotificationState::Cancelled);
        }
        Ok(Some(step))
    }
}
