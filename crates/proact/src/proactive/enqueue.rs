//! Accepting a notification: its row, in the commit of its cause; and if it can go at once, its attempt, begun in that same commit.
//!
//! In this order: an idempotency key that is on record answers with what it made. What can never be sent is accepted as *suppressed*. One
//! that still waits under the same collapse key is folded into the new one. If the lane is empty, every gate is open and there is a slot,
//! the notification is written as already begun; otherwise it waits.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    attempt::moved,
    breaker::millis,
    desk::{Claim, Desk},
    gate::Gate,
    head::{Outgoing, Stored},
    lanes::Waiting,
    new::NewNotification,
    notification::{Cause, Moment, Policy, Priority},
    state::NotificationState,
    target::{self, TargetId},
};
use crate::{
    activity::ConversationKey,
    store::{self, Change, Command, Effect, Keyed, Tx, Writes},
};

/// Accepts one notification.
pub(super) struct Enqueue {
    desk: Arc<Desk>,
    conversation: ConversationKey,
    content: Stored,
    priority: Priority,
    policy: Policy,
    pub(super) moment: Moment,
    pub(super) not_before: Option<i64>,
    expires_at: Option<i64>,
    collapse_key: Option<String>,
    idempotency_key: Option<String>,
    pub(super) cause: Cause,
    /// Its place in its lane, if it is not the end.
    pub(super) place: Option<i64>,
    pub(super) replay_of: Option<Uuid>,
    pub(super) sends_as: Option<Uuid>,
}

/// The answer to an accepted notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its id.
    pub id: Uuid,
    /// It was accepted before, under the same idempotency key.
    #[serde(default)]
    pub repeated: bool,
}

impl Effect for Accepted {
    fn took_effect(&self) -> bool {
        true
    }
}

impl Enqueue {
    /// What `new` asks for. It is checked before.
    pub(super) fn new(desk: &Arc<Desk>, new: NewNotification) -> Result<Self, super::Error> {
        let content = super::new::stored(new.content)?;
        Ok(Self {
            desk: Arc::clone(desk),
            content,
            conversation: new.conversation,
            priority: new.priority,
            policy: new.policy,
            moment: new.moment,
            not_before: new.not_before.map(jiff::Timestamp::as_millisecond),
            expires_at: new.expires_at.map(jiff::Timestamp::as_millisecond),
            collapse_key: new.collapse_key,
            idempotency_key: new.idempotency_key,
            cause: new.cause,
            place: None,
            replay_of: None,
            sends_as: None,
        })
    }

    /// The usual one, of an activity that is JSON already.
    pub(super) fn of(
        desk: &Arc<Desk>,
        conversation: ConversationKey,
        activity: String,
        cause: Cause,
    ) -> Self {
        Self {
            desk: Arc::clone(desk),
            conversation,
            content: Stored::Activity(activity),
            priority: Priority::Normal,
            policy: Policy::AtLeastOnce,
            moment: Moment::AfterTurn,
            not_before: None,
            expires_at: None,
            collapse_key: None,
            idempotency_key: None,
            cause,
            place: None,
            replay_of: None,
            sends_as: None,
        }
    }

    /// One that was there before, with another cause.
    pub(super) fn again(
        desk: &Arc<Desk>,
        conversation: ConversationKey,
        content: Stored,
        (priority, policy, moment): (Priority, Policy, Moment),
        cause: Cause,
        idempotency_key: Option<String>,
    ) -> Self {
        let usual = Self::of(desk, conversation, String::new(), cause);
        Self { content, priority, policy, moment, idempotency_key, ..usual }
    }

    /// Everything that its caller chose comes down to this: what makes a repeated request the same.
    pub(super) fn digest(&self) -> [u8; 16] {
        let content = match &self.content {
            Stored::Activity(json) => format!("activity {json}"),
            Stored::Template { name, data } => format!("template {name} {data}"),
        };
        let chosen = format!(
            "{} {} {} {:?} {:?} {:?} {:?}",
            self.priority,
            self.policy,
            self.moment,
            self.not_before,
            self.expires_at,
            self.collapse_key,
            self.replay_of
        );
        let (channel_id, id) = (self.conversation.channel_id(), self.conversation.conversation_id());
        Keyed::<()>::digest(&[channel_id.as_bytes(), id.as_bytes(), content.as_bytes(), chosen.as_bytes()])
    }
}

impl Command for Enqueue {
    type Outcome = Accepted;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Accepted, store::Error> {
        accept(tx, self)
    }

    fn writes(&self) -> Writes {
        // With a collapse key, those that give way come before.
        if self.collapse_key.is_none() { Writes::Surely } else { Writes::Many }
    }
}

/// What the store knows of a conversation that something is accepted for.
struct Contact {
    target: TargetId,
    reference: Option<String>,
    gate: Option<Gate>,
}

/// Accepts it as part of a larger command.
pub(super) fn accept(tx: &mut Tx<'_>, new: Enqueue) -> Result<Accepted, store::Error> {
    let digest = new.idempotency_key.is_some().then(|| new.digest());
    if let (Some(key), Some(digest)) = (&new.idempotency_key, &digest)
        && let Some(accepted) = on_record(tx, key, digest)?
    {
        return Ok(accepted);
    }
    let now = tx.now();
    let contact = contact(tx, &new.conversation)?;
    let at_once = new.not_before.is_none_or(|at| at <= now);
    let ready_at = match (new.place, at_once) {
        (Some(place), true) => place,
        (None, true) => new.desk.place_in_lane(now),
        (_, false) => new.not_before.unwrap_or(now),
    };
    let id = Uuid::now_v7();
    let suppressed = contact.gate.as_ref().filter(|_| at_once).map(ToString::to_string);
    // What is not sent itself takes the place of nothing: those that wait for later may be sent yet.
    if new.collapse_key.is_some() && suppressed.is_none() {
        fold(tx, &new, id)?;
    }
    let claim = if at_once && suppressed.is_none() { claim(tx, &new, &contact, ready_at)? } else { None };
    let state = match (&suppressed, &claim) {
        (Some(_), _) => NotificationState::Suppressed,
        (_, Some(_)) => NotificationState::Sending,
        _ => NotificationState::Waiting,
    };
    let due_at = if at_once { 0 } else { ready_at };
    let too_old = ready_at.saturating_add(millis(new.desk.options.backoff.max_age));
    let ends_at = new.expires_at.map_or(too_old, |at| at.min(too_old));
    let row =
        Row { id, state, reason: suppressed, target: contact.target, ready_at, due_at, ends_at, digest };
    let seq = insert(tx, &new, row)?;
    tx.tally(state.tally(), 1);
    tx.changed(Change::Notification { id });
    let Enqueue { desk, conversation, content, priority, policy, moment, cause, .. } = new;
    match (state, claim) {
        (NotificationState::Sending, Some(claim)) => {
            let outgoing = Outgoing {
                seq,
                id,
                sends_as: new.sends_as,
                content,
                cause,
                priority,
                policy,
                moment,
                tries: 0,
                expires_at: new.expires_at,
                ends_at,
                target: contact.target,
                reference: contact.reference,
                ready_at,
            };
            tx.afterwards(move || desk.begun(claim, outgoing));
        }
        (NotificationState::Waiting, _) => {
            let interject = moment == Moment::Interject;
            let waiting = Waiting { key: conversation, target: contact.target, priority, due_at, interject };
            tx.afterwards(move || desk.accepted(&waiting, ends_at));
        }
        _ => {}
    }
    Ok(Accepted { id, repeated: false })
}

/// What an idempotency key made, if it was used before; with other content it is refused.
fn on_record(tx: &Tx<'_>, key: &str, digest: &[u8; 16]) -> Result<Option<Accepted>, store::Error> {
    match super::recorded::under(tx.connection(), key)? {
        Some((_, other)) if other != *digest => Err(store::Error::KeyReused { key: key.to_owned() }),
        Some((id, _)) => Ok(Some(Accepted { id, repeated: true })),
        None => Ok(None),
    }
}

fn contact(tx: &Tx<'_>, key: &ConversationKey) -> Result<Contact, store::Error> {
    let found = tx
        .prepare(
            "SELECT target, reference, dead_reason FROM conversation
             WHERE partition = ?1 AND channel_id = ?2 AND conversation_id = ?3",
        )?
        .query_row(params![key.partition(), key.channel_id(), key.conversation_id()], |row| {
            let dead: Option<String> = row.get(2)?;
            let gate = dead.map(|reason| Gate::Dead { reason });
            Ok(Contact { target: row.get(0)?, reference: Some(row.get(1)?), gate })
        })
        .optional()?;
    Ok(found.unwrap_or(Contact { target: target::UNKNOWN, reference: None, gate: Some(Gate::NoContact) }))
}

/// Whether something of a class waits in the lane that could go by now.
macro_rules! waits {
    ($priority:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM notification INDEXED BY notification_lane
                WHERE channel_id = ?1 AND conversation_id = ?2 AND priority = '",
            $priority,
            "' AND state = 'waiting' AND ready_at <= ?3)"
        )
    };
}

/// Takes the lane for it, if nothing of the lane could go before it and everything is open and free.
fn claim(
    tx: &Tx<'_>,
    new: &Enqueue,
    contact: &Contact,
    ready_at: i64,
) -> Result<Option<Claim>, store::Error> {
    let key = &new.conversation;
    let Some(claim) = new.desk.claim(key, contact.target, new.priority, new.moment) else {
        return Ok(None);
    };
    // One question for all classes that go before: it is asked for everything that is accepted.
    let waits = match new.priority {
        Priority::Urgent => concat!("SELECT ", waits!("urgent")),
        Priority::Normal => concat!("SELECT ", waits!("urgent"), " OR ", waits!("normal")),
        Priority::Bulk => {
            concat!("SELECT ", waits!("urgent"), " OR ", waits!("normal"), " OR ", waits!("bulk"))
        }
    };
    let waits: bool = tx
        .prepare(waits)?
        .query_row(params![key.channel_id(), key.conversation_id(), ready_at], |row| row.get(0))?;
    Ok((!waits).then_some(claim))
}

/// One that waits under the same key, of which no attempt was begun and which would be treated the same, gives way to the new one.
fn fold(tx: &mut Tx<'_>, new: &Enqueue, into: Uuid) -> Result<(), store::Error> {
    let key = &new.conversation;
    let folded = tx
        .prepare(
            "UPDATE notification SET state = ?7, reason = ?8, settled_at = ?9
             WHERE channel_id = ?1 AND conversation_id = ?2 AND collapse_key = ?3 AND state = 'waiting' AND begun = 0
                AND priority = ?4 AND policy = ?5 AND moment = ?6
             RETURNING id",
        )?
        .query_map(
            params![
                key.channel_id(),
                key.conversation_id(),
                new.collapse_key,
                new.priority,
                new.policy,
                new.moment,
                NotificationState::Suppressed,
                format!("collapsed into {into}"),
                tx.now()
            ],
            |row| row.get(0),
        )?
        .collect::<Result<Vec<Uuid>, _>>()?;
    for id in folded {
        moved(tx, id, NotificationState::Waiting, NotificationState::Suppressed);
    }
    Ok(())
}

/// What the row has beside what was asked for.
struct Row {
    id: Uuid,
    state: NotificationState,
    reason: Option<String>,
    target: TargetId,
    ready_at: i64,
    due_at: i64,
    ends_at: i64,
    digest: Option<[u8; 16]>,
}

/// Puts an accepted notification on record.
pub(super) const INSERT: &str = "INSERT OR FAIL INTO notification (id, partition, channel_id, conversation_id, target, state, reason, priority, policy, moment,
    cause, activity, template, data, collapse_key, idempotency_key, idempotency_digest, replay_of, sends_as, created_at,
    not_before, expires_at, ready_at, due_at, ends_at, settled_at, begun, begun_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
    ?25, ?26, ?27, ?28)";

fn insert(tx: &Tx<'_>, new: &Enqueue, row: Row) -> Result<i64, store::Error> {
    let key = &new.conversation;
    let (activity, template, data) = match &new.content {
        Stored::Activity(activity) => (Some(activity), None, None),
        Stored::Template { name, data } => (None, Some(name), Some(data)),
    };
    let begun = row.state == NotificationState::Sending;
    let settled_at = row.state.is_settled().then_some(tx.now());
    tx.prepare(INSERT)?.execute(params![
        row.id,
        key.partition(),
        key.channel_id(),
        key.conversation_id(),
        row.target,
        row.state,
        row.reason,
        new.priority,
        new.policy,
        new.moment,
        serde_json::to_string(&new.cause)?,
        activity,
        template,
        data,
        new.collapse_key,
        new.idempotency_key,
        row.digest,
        new.replay_of,
        new.sends_as,
        tx.now(),
        new.not_before,
        new.expires_at,
        row.ready_at,
        row.due_at,
        row.ends_at,
        settled_at,
        begun,
        begun.then_some(tx.now()),
    ])?;
    Ok(tx.connection().last_insert_rowid())
}
