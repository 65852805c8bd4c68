//! Taking back, moving and repeating notifications.
//!
//! * *Cancel is final*: once it is acknowledged nothing is sent. One whose attempt is begun is withdrawn if its bytes have not left.
//! * *Reschedule* moves one that waits to another time; it then holds up nobody behind it.
//! * *Replay* makes a new notification of one that failed or whose outcome is unknown. To a channel that takes ids, a replay of an unknown
//!   one goes under the first one's id, so that the channel shows it once.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Error, Proactive,
    attempt::end_waiting,
    breaker::millis,
    desk::Desk,
    enqueue::{Accepted, Enqueue, accept},
    gate::Gate,
    head::Stored,
    lanes::Waiting,
    notification::{Cause, Moment, Policy, Priority},
    state::NotificationState,
    target::TargetId,
};
use crate::{
    activity::ConversationKey,
    store::{self, Change, Command, Effect, Tx},
};

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Cancelled {
    /// It is cancelled, by this or by an earlier request. Nothing is sent from now on.
    Cancelled {
        /// An attempt before had an unknown outcome: the message may have arrived all the same.
        may_have_arrived: bool,
    },
    /// It cannot be: it is under way, or it came to another end.
    TooLate(NotificationState),
    /// There is no such notification.
    NotFound,
}

/// What became of a reschedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Rescheduled {
    /// It waits until then.
    Waiting,
    /// It does not wait: it is under way, or came to its end.
    TooLate(NotificationState),
    /// There is no such notification.
    NotFound,
}

/// What became of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[must_use]
pub enum Replayed {
    /// A new notification is accepted.
    Accepted(Accepted),
    /// Only what failed, or whose outcome is unknown, is replayed.
    NotReplayable(NotificationState),
    /// There is no such notification.
    NotFound,
}

impl Effect for Replayed {
    fn took_effect(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }
}

/// What a cancel found in the store.
enum Found {
    Ended(Cancelled),
    UnderWay(i64),
}

/// How often a cancel looks at one that is on record as begun. An attempt under way is found before it is on record and until after its
/// end is; one that is not found has just ended, or is of a process that died: then nobody can say that its bytes have not left.
const LOOKS: u32 = 8;

struct Cancel(Uuid);

impl Command for Cancel {
    type Outcome = Found;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Found, store::Error> {
        let row: Option<(i64, NotificationState)> = tx
            .prepare("SELECT seq, state FROM notification WHERE id = ?1")?
            .query_row([self.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((seq, state)) = row else { return Ok(Found::Ended(Cancelled::NotFound)) };
        match state {
            NotificationState::Waiting => {
                end_waiting(tx, seq, self.0, NotificationState::Cancelled, &Gate::Cancelled.to_string())?;
            }
            NotificationState::Sending => return Ok(Found::UnderWay(seq)),
            NotificationState::Cancelled => {}
            other => return Ok(Found::Ended(Cancelled::TooLate(other))),
        }
        let may_have_arrived = tx
            .prepare("SELECT 1 FROM attempt WHERE seq = ?1 AND outcome = 'unknown' LIMIT 1")?
            .exists([seq])?;
        Ok(Found::Ended(Cancelled::Cancelled { may_have_arrived }))
    }
}

struct Reschedule {
    desk: Arc<Desk>,
    id: Uuid,
    to: i64,
}

/// A row that is to be moved.
struct Movable {
    seq: i64,
    state: NotificationState,
    conversation: (String, String),
    target: TargetId,
    priority: Priority,
    moment: Moment,
    expires_at: Option<i64>,
}

impl Movable {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            state: row.get(1)?,
            conversation: (row.get(2)?, row.get(3)?),
            target: row.get(4)?,
            priority: row.get(5)?,
            moment: row.get(6)?,
            expires_at: row.get(7)?,
        })
    }
}

impl Command for Reschedule {
    type Outcome = Result<Rescheduled, Error>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, store::Error> {
        let Self { desk, id, to } = self;
        let row = tx
            .prepare(
                "SELECT seq, state, channel_id, conversation_id, target, priority, moment, expires_at FROM notification
                 WHERE id = ?1",
            )?
            .query_row([id], Movable::read)
            .optional()?;
        let Some(Movable { seq, state, conversation, target, priority, moment, expires_at }) = row else {
            return Ok(Ok(Rescheduled::NotFound));
        };
        if state != NotificationState::Waiting {
            return Ok(Ok(Rescheduled::TooLate(state)));
        }
        if expires_at.is_some_and(|at| at <= to) {
            let why = "it expires before that".to_owned();
            return Ok(Err(Error::Invalid { field: "notBefore", why }));
        }
        let at_once = to <= tx.now();
        let (ready_at, due_at) = if at_once { (desk.place_in_lane(tx.now()), 0) } else { (to, to) };
        let too_old = ready_at.saturating_add(millis(desk.options.backoff.max_age));
        let ends_at = expires_at.map_or(too_old, |at| at.min(too_old));
        tx.prepare(
            "UPDATE notification SET not_before = ?2, ready_at = ?3, due_at = ?4, ends_at = ?5, retrying = 0, reason = NULL
             WHERE seq = ?1",
        )?
        .execute(params![seq, to, ready_at, due_at, ends_at])?;
        tx.changed(Change::Notification { id });
        let key = super::conversation::key(conversation.0, conversation.1)?;
        let waiting = Waiting { key, target, priority, due_at, interject: moment == Moment::Interject };
        tx.afterwards(move || desk.accepted(&waiting, ends_at));
        Ok(Ok(Rescheduled::Waiting))
    }
}

struct Replay {
    desk: Arc<Desk>,
    id: Uuid,
    cause: Cause,
    idempotency_key: Option<String>,
}

/// A row that is to be repeated.
struct Original {
    state: NotificationState,
    conversation: ConversationKey,
    content: Stored,
    priority: Priority,
    policy: Policy,
    moment: Moment,
    sends_as: Option<Uuid>,
}

impl Command for Replay {
    type Outcome = Replayed;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Replayed, store::Error> {
        let Self { desk, id, cause, idempotency_key } = self;
        let Some(original) = original(tx, id)? else { return Ok(Replayed::NotFound) };
        let unknown = original.state == NotificationState::Unknown;
        if !unknown && original.state != NotificationState::Failed {
            return Ok(Replayed::NotReplayable(original.state));
        }
        let mut new = Enqueue::again(
            &desk,
            original.conversation,
            original.content,
            (original.priority, original.policy, original.moment),
            cause,
            idempotency_key,
        );
        let sends_as = unknown.then(|| original.sends_as.unwrap_or(id));
        new.replay_of = Some(id);
        new.sends_as = sends_as;
        Ok(Replayed::Accepted(accept(tx, new)?))
    }
}

fn original(tx: &Tx<'_>, id: Uuid) -> Result<Option<Original>, store::Error> {
    let row = tx
        .prepare(
            "SELECT state, channel_id, conversation_id, activity, template, data, priority, policy, moment, sends_as
             FROM notification WHERE id = ?1",
        )?
        .query_row([id], |row| {
            let content = match row.get(3)? {
                Some(activity) => Stored::Activity(activity),
                None => Stored::Template { name: row.get(4)?, data: row.get(5)? },
            };
            let conversation: (String, String) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, conversation, content, row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?))
        })
        .optional()?;
    row.map(|(state, (channel_id, conversation_id), content, priority, policy, moment, sends_as)| {
        let conversation = super::conversation::key(channel_id, conversation_id)?;
        Ok(Original { state, conversation, content, priority, policy, moment, sends_as })
    })
    .transpose()
}

impl Proactive {
    /// Cancels a notification. When this answers [`Cancelled::Cancelled`], nothing is sent any more, also across a crash. One whose attempt
    /// has begun is withdrawn if its bytes have not left.
    ///
    /// # Errors
    /// What the store says.
    pub async fn cancel(&self, id: Uuid) -> Result<Cancelled, Error> {
        for _ in 0..LOOKS {
            let found = self.store().commit(Cancel(id)).await?;
            failpoint!(AfterCommand);
            let seq = match found {
                Found::Ended(ended) => return Ok(ended),
                Found::UnderWay(seq) => seq,
            };
            let Some(flight) = self.desk().flight(seq) else { continue };
            if !flight.withdraw(Gate::Cancelled) {
                return Ok(Cancelled::TooLate(NotificationState::Sending));
            }
            // Not acknowledged before its end is on record. If another gate had withdrawn it, it may wait again.
            flight.settled.cancelled().await;
        }
        Ok(Cancelled::TooLate(NotificationState::Sending))
    }

    /// Moves a notification that waits to another time; a time that has passed is at once. It then holds up nobody behind it.
    ///
    /// # Errors
    /// A time after its expiry, or what the store says.
    pub async fn reschedule(&self, id: Uuid, to: Timestamp) -> Result<Rescheduled, Error> {
        let command = Reschedule { desk: self.desk(), id, to: to.as_millisecond() };
        self.store().commit(command).await?
    }

    /// Sends a notification again that failed or whose outcome is unknown: as a new one, which says what it repeats. Its time and its expiry
    /// are not repeated.
    ///
    /// # Errors
    /// An idempotency key that was used for something else, or what the store says.
    pub async fn replay(
        &self,
        id: Uuid,
        cause: Cause,
        idempotency_key: Option<String>,
    ) -> Result<Replayed, Error> {
        let replayed = self.store().commit(Replay { desk: self.desk(), id, cause, idempotency_key }).await?;
        failpoint!(AfterCommand);
        Ok(replayed)
    }
}
