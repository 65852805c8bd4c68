//! What the channel commits. Each is whole or not at all; what is unknown is an outcome, not an error.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use super::CHANNEL_ID;
use super::members::{self, User};
use crate::activity::{Activity, ConversationKey};
use crate::store::{Change, Command, Error, Tx};

/// A conversation of this channel, with the partition that every statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) partition: u16,
    pub(super) id: Arc<str>,
}

impl Place {
    /// `None` for an empty id, which names no conversation.
    pub(super) fn new(conversation: &str) -> Option<Self> {
        let key = ConversationKey::new(CHANNEL_ID, conversation).ok()?;
        Some(Self { partition: key.partition(), id: conversation.into() })
    }
}

/// An activity as it is kept: its JSON without id and time, and what gives them.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) seq: i64,
    pub(super) at: i64,
    pub(super) body: Arc<str>,
}

/// Starts a conversation, or finds it started; the bot and `user` join it, each once.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) place: Place,
    pub(super) user: Option<User>,
    pub(super) locale: Option<String>,
}

#[derive(Debug)]
pub(super) struct Started {
    /// Whether it is new.
    pub(super) created: bool,
    /// What the bot is now to be told, in order.
    pub(super) joins: Vec<Kept>,
}

impl Command for Start {
    type Outcome = Started;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Started, Error> {
        let Self { place, user, locale } = self;
        let created = tx
            .prepare(
                "INSERT INTO directline_conversation (partition, id, last_seq, last_at, created_at)
                 VALUES (?1, ?2, 0, 0, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute(params![place.partition, place.id, tx.now()])?
            == 1;
        let mut joins = Vec::new();
        if created {
            let joined = members::bot_joined(&place.id, user.as_ref(), locale.as_deref());
            joins.extend(hidden(tx, &place, &joined)?);
        }
        if let Some(user) = &user {
            joins.extend(join(tx, &place, user, locale.as_deref())?);
        }
        Ok(Started { created, joins })
    }
}

/// Takes an activity of a person; that person joins if they have not yet.
#[derive(Debug)]
pub(super) struct Take {
    pub(super) place: Place,
    pub(super) user: User,
    pub(super) locale: Option<String>,
    pub(super) body: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Taken {
    pub(super) join: Option<Kept>,
    pub(super) activity: Kept,
}

impl Command for Take {
    /// `None` when there is no such conversation.
    type Outcome = Option<Taken>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, user, locale, body } = self;
        if !exists(tx, &place)? {
            return Ok(None);
        }
        let join = join(tx, &place, &user, locale.as_deref())?;
        let activity = append(tx, &place, body, true, Some("due"))?;
        Ok(activity.map(|activity| Taken { join, activity }))
    }
}

/// Takes an activity of the bot, once per `key`.
#[derive(Debug)]
pub(super) struct Say {
    pub(super) place: Place,
    pub(super) body: Arc<str>,
    pub(super) key: Option<String>,
}

impl Command for Say {
    /// The activity's number; `None` when there is no such conversation.
    type Outcome = Option<i64>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, body, key } = self;
        if let Some(key) = &key {
            let before = tx
                .prepare(
                    "SELECT seq FROM directline_taken_id WHERE partition = ?1 AND conversation = ?2 AND key = ?3",
                )?
                .query_row(params![place.partition, place.id, key], |row| row.get(0))
                .optional()?;
            if before.is_some() {
                return Ok(before);
            }
        }
        let Some(kept) = append(tx, &place, body, true, None)? else { return Ok(None) };
        if let Some(key) = &key {
            tx.prepare(
                "INSERT INTO directline_taken_id (partition, conversation, key, seq, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![place.partition, place.id, key, kept.seq, tx.now()])?;
        }
        Ok(Some(kept.seq))
    }
}

/// Records how handing an activity to the bot ended. Only the first end counts.
#[derive(Debug)]
pub(super) struct Settle {
    pub(super) place: Place,
    pub(super) seq: i64,
    pub(super) taken: bool,
}

impl Command for Settle {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Self { place, seq, taken } = self;
        tx.prepare(
            "UPDATE directline_activity SET hand_over = ?4
             WHERE partition = ?1 AND conversation = ?2 AND seq = ?3 AND hand_over = 'due'",
        )?
        .execute(params![
            place.partition,
            place.id,
            seq,
            if taken { "taken" } else { "rejected" }
        ])?;
        Ok(())
    }
}

fn exists(tx: &Tx<'_>, place: &Place) -> Result<bool, Error> {
    Ok(tx
        .prepare("SELECT 1 FROM directline_conversation WHERE partition = ?1 AND id = ?2")?
        .exists(params![place.partition, place.id])?)
}

/// What the bot is to be told if `user` has not been here before.
fn join(tx: &mut Tx<'_>, place: &Place, user: &User, locale: Option<&str>) -> Result<Option<Kept>, Error> {
    let new = tx
        .prepare(
            "INSERT INTO directline_member (partition, conversation, id, name, joined_at)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![place.partition, place.id, user.id, user.name, tx.now()])?
        == 1;
    if new { hidden(tx, place, &members::user_joined(&place.id, user, locale)) } else { Ok(None) }
}

/// Appends what only the bot is to see.
fn hidden(tx: &mut Tx<'_>, place: &Place, activity: &Activity) -> Result<Option<Kept>, Error> {
    append(tx, place, super::frame::body(activity), false, Some("due"))
}

/// Gives the activity its number and its time. `None` when there is no such conversation.
fn append(
    tx: &mut Tx<'_>,
    place: &Place,
    body: Arc<str>,
    shown: bool,
    hand_over: Option<&str>,
) -> Result<Option<Kept>, Error> {
    let Some((seq, at)) = tx
        .prepare(
            "UPDATE directline_conversation SET last_seq = last_seq + 1, last_at = max(?3, last_at + 1)
             WHERE partition = ?1 AND id = ?2 RETURNING last_seq, last_at",
        )?
        .query_row(params![place.partition, place.id, tx.now()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
    else {
        return Ok(None);
    };
    tx.prepare(
        "INSERT INTO directline_activity (partition, conversation, seq, at, shown, hand_over, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![place.partition, place.id, seq, at, shown, hand_over, body])?;
    if shown {
        tx.changed(Change::Channel { conversation: place.id.to_string(), seq });
    }
    Ok(Some(Kept { seq, at, body }))
}
