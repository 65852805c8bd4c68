//! What a lane sends next, read when its turn comes; and which lanes of a stream have something due.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::{
    lanes::{CLASSES, class},
    notification::{Cause, Moment, Policy, Priority},
    outcome::Ends,
    scan::Cursor,
    target::TargetId,
};
use crate::{
    activity::{ConversationKey, ConversationReference},
    store::{self, Query},
};

/// What is to be sent: an activity, or a template with its data, both as stored.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    Activity(String),
    Template { name: String, data: String },
}

/// A notification as its delivery needs it.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) seq: i64,
    pub(super) id: Uuid,
    /// What a channel that takes ids is given.
    pub(super) sends_as: Option<Uuid>,
    pub(super) content: Stored,
    pub(super) cause: Cause,
    pub(super) priority: Priority,
    pub(super) policy: Policy,
    pub(super) moment: Moment,
    pub(super) tries: u32,
    pub(super) expires_at: Option<i64>,
    pub(super) ends_at: i64,
    pub(super) target: TargetId,
    /// As JSON; `None`: the conversation is not known.
    pub(super) reference: Option<String>,
    /// Since when it could go.
    pub(super) ready_at: i64,
}

impl Outgoing {
    pub(super) fn class(&self) -> usize {
        class(self.priority)
    }

    /// What limits its tries once one more is used.
    pub(super) fn ends_after_another(&self) -> Ends {
        Ends { tries: self.tries + 1, expires_at: self.expires_at, ends_at: self.ends_at }
    }

    pub(super) fn read_reference(&self) -> Result<Option<ConversationReference>, serde_json::Error> {
        self.reference.as_deref().map(serde_json::from_str).transpose()
    }
}

/// Reads the first one of a lane that can go: urgent before normal before bulk, each in its order; a class whose last one is being retried
/// waits for it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) key: ConversationKey,
    pub(super) now: i64,
    /// What became ready up to here, by the order of acceptance.
    pub(super) ready: i64,
    /// Only what was accepted after this one: what came before is held.
    pub(super) after: i64,
    /// Only what does not wait for a turn to end.
    pub(super) interject: bool,
}

/// What a lane sends next.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) outgoing: Outgoing,
    /// Attempts so far.
    pub(super) begun: u32,
    /// Why its conversation is dead, if it is.
    pub(super) dead: Option<String>,
}

impl Query for Head {
    type Answer = Option<Found>;

    fn run(self, connection: &Connection) -> Result<Option<Found>, store::Error> {
        let (channel_id, id) = (self.key.channel_id(), self.key.conversation_id());
        let mut retried = connection.prepare_cached(
            "SELECT 1 FROM notification INDEXED BY notification_retrying
             WHERE channel_id = ?1 AND conversation_id = ?2 AND priority = ?3 AND state = 'waiting' AND retrying = 1
                AND due_at > ?4 AND seq > ?5",
        )?;
        let mut first = self.first(connection)?;
        for priority in CLASSES {
            let found = first
                .query_row(
                    params![
                        self.key.partition(),
                        channel_id,
                        id,
                        priority,
                        self.ready,
                        self.now,
                        self.after,
                        self.interject
                    ],
                    read,
                )
                .optional()?;
            let Some(found) = found else { continue };
            let held_back = retried.exists(params![channel_id, id, priority, self.now, self.after])?;
            if !held_back {
                return found.map(Some);
            }
        }
        Ok(None)
    }
}

impl Head {
    fn first<'c>(&self, connection: &'c Connection) -> Result<CachedStatement<'c>, store::Error> {
        Ok(connection.prepare_cached(
            "SELECT n.seq, n.id, n.sends_as, n.activity, n.template, n.data, n.cause, n.priority, n.policy, n.moment, n.tries,
                n.expires_at, n.ends_at, coalesce(c.target, n.target), c.reference, n.ready_at, n.begun, c.dead_reason
             FROM notification n INDEXED BY notification_lane
             LEFT JOIN conversation c ON c.partition = ?1 AND c.channel_id = ?2 AND c.conversation_id = ?3
             WHERE n.channel_id = ?2 AND n.conversation_id = ?3 AND n.priority = ?4 AND n.state = 'waiting'
                AND n.ready_at <= ?5 AND n.due_at <= ?6 AND n.seq > ?7 AND (NOT ?8 OR n.moment = 'interject')
             ORDER BY n.ready_at, n.seq LIMIT 1",
        )?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Result<Found, store::Error>> {
    let cause: String = row.get(6)?;
    let cause = match serde_json::from_str(&cause) {
        Ok(cause) => cause,
        Err(error) => return Ok(Err(error.into())),
    };
    let content = match row.get(3)? {
        Some(activity) => Stored::Activity(activity),
        None => Stored::Template { name: row.get(4)?, data: row.get(5)? },
    };
    let outgoing = Outgoing {
        seq: row.get(0)?,
        id: row.get(1)?,
        sends_as: row.get(2)?,
        content,
        cause,
        priority: row.get(7)?,
        policy: row.get(8)?,
        moment: row.get(9)?,
        tries: row.get(10)?,
        expires_at: row.get(11)?,
        ends_at: row.get(12)?,
        target: row.get(13)?,
        reference: row.get(14)?,
        ready_at: row.get(15)?,
    };
    Ok(Ok(Found { outgoing, begun: row.get(16)?, dead: row.get(17)? }))
}

/// How many of the last are looked at for the newest place in a lane.
const LAST: i64 = 1000;

/// The newest place in a lane that was given before this process, as far as the last of those accepted tell.
#[derive(Debug)]
pub(super) struct NewestPlace;

impl Query for NewestPlace {
    type Answer = Option<i64>;

    fn run(self, connection: &Connection) -> Result<Option<i64>, store::Error> {
        // One that is for later has its time as its place; what it was accepted at is as good.
        Ok(connection
            .prepare_cached(
                "SELECT max(iif(not_before IS NULL, max(ready_at, created_at), created_at)) FROM notification
                 WHERE seq > (SELECT coalesce(max(seq), 0) FROM notification) - ?1",
            )?
            .query_row([LAST], |row| row.get(0))?)
    }
}

/// Reads on in a stream: whose notifications are due.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) target: TargetId,
    pub(super) class: usize,
    pub(super) cursor: Cursor,
    pub(super) now: i64,
    pub(super) after: i64,
    pub(super) limit: usize,
}

/// What was read.
#[derive(Debug)]
pub(super) struct FoundDue {
    /// Each conversation once.
    pub(super) keys: Vec<ConversationKey>,
    pub(super) last: Option<Cursor>,
    pub(super) end: bool,
    /// When the next one comes due; known at the end.
    pub(super) next: Option<i64>,
}

impl Query for Due {
    type Answer = FoundDue;

    fn run(self, connection: &Connection) -> Result<FoundDue, store::Error> {
        let priority = CLASSES[self.class];
        let (due, seq) = self.cursor;
        let mut statement = connection.prepare_cached(
            "SELECT channel_id, conversation_id, due_at, seq FROM notification INDEXED BY notification_due
             WHERE state = 'waiting' AND target = ?1 AND priority = ?2 AND (due_at, seq) > (?3, ?4) AND due_at <= ?5
                AND seq > ?6
             ORDER BY due_at, seq LIMIT ?7",
        )?;
        let mut rows = statement.query(params![
            self.target,
            priority,
            due,
            seq,
            self.now,
            self.after,
            self.limit as i64
        ])?;
        let mut found = FoundDue { keys: Vec::new(), last: None, end: false, next: None };
        let mut seen = std::collections::HashSet::new();
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += 1;
            let key = super::conversation::key(row.get(0)?, row.get(1)?)?;
            if seen.insert(key.clone()) {
                found.keys.push(key);
            }
            found.last = Some((row.get(2)?, row.get(3)?));
        }
        found.end = count < self.limit;
        if found.end {
            found.next = connection
                .prepare_cached(
                    "SELECT due_at FROM notification INDEXED BY notification_due
                     WHERE state = 'waiting' AND target = ?1 AND priority = ?2 AND due_at > ?3
                     ORDER BY due_at LIMIT 1",
                )?
                .query_row(params![self.target, priority, self.now], |row| row.get(0))
                .optional()?;
        }
        Ok(found)
    }
}
