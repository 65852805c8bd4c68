//! What the channel commits. Each is whole or not at all; what is unknown or ended is an outcome, not an error.

mod change;
mod create;
mod file;
mod forget;
mod history;
mod say;
mod start;
mod take;

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use super::CHANNEL_ID;
use super::members::{self, User};
use crate::activity::{Activity, ConversationKey};
use crate::store::{Change as Changed, Error, Tx};

pub(super) use change::{Became, Change, Outcome};
pub(super) use create::{Create, Remove};
pub(super) use file::{AddFiles, File};
pub(super) use forget::{Expire, ForgetActivities, ForgetFiles, ForgetIds, ForgetLong};
pub(super) use history::{AddHistory, Past};
pub(super) use say::Say;
pub(super) use start::Start;
pub(super) use take::{Again, HandOver, IsDue, Settle, Take, Taken};

/// A conversation of this channel, with the partition that every statement names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

/// Why something cannot be sent to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// There is none.
    Unknown,
    /// Its client or its bot has ended it.
    Ended,
    /// It has as many members as it may have, and the sender is none of them.
    Full { most: usize },
}

/// Whether something can be sent to the conversation.
fn open(tx: &Tx<'_>, place: &Place) -> Result<Result<(), Closed>, Error> {
    let ended = tx
        .prepare("SELECT ended_at IS NOT NULL FROM directline_conversation WHERE partition = ?1 AND id = ?2")?
        .query_row(params![place.partition, place.id], |row| row.get::<_, bool>(0))
        .optional()?;
    Ok(match ended {
        None => Err(Closed::Unknown),
        Some(true) => Err(Closed::Ended),
        Some(false) => Ok(()),
    })
}

/// Ends the conversation, if nobody has yet.
fn end(tx: &Tx<'_>, place: &Place) -> Result<(), Error> {
    tx.prepare(
        "UPDATE directline_conversation SET ended_at = ?3 WHERE partition = ?1 AND id = ?2 AND ended_at IS NULL",
    )?
    .execute(params![place.partition, place.id, tx.now()])?;
    Ok(())
}

/// Puts `user` among the members, once.
fn add_member(tx: &Tx<'_>, place: &Place, user: &User) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO directline_member (partition, conversation, id, name, joined_at)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?
    .execute(params![place.partition, place.id, user.id, user.name, tx.now()])?;
    Ok(())
}

/// What the bot is to be told if `user` has not been here before. Of whom there are `most` already, there is not one more.
fn join(
    tx: &mut Tx<'_>,
    place: &Place,
    user: &User,
    locale: Option<&str>,
    most: usize,
) -> Result<Result<Option<Kept>, Closed>, Error> {
    let is_member = tx
        .prepare("SELECT 1 FROM directline_member WHERE partition = ?1 AND conversation = ?2 AND id = ?3")?
        .exists(params![place.partition, place.id, user.id])?;
    if is_member {
        return Ok(Ok(None));
    }
    // As far as to the last that may be, in the index, and only when somebody is new.
    let is_full = tx
        .prepare(
            "SELECT 1 FROM directline_member WHERE partition = ?1 AND conversation = ?2 LIMIT 1 OFFSET ?3 - 1",
        )?
        .exists(params![place.partition, place.id, i64::try_from(most.max(1)).unwrap_or(i64::MAX)])?;
    if is_full {
        return Ok(Err(Closed::Full { most }));
    }
    add_member(tx, place, user)?;
    hidden(tx, place, &members::user_joined(&place.id, user, locale)).map(Ok)
}

/// Appends what only the bot is to see.
fn hidden(tx: &mut Tx<'_>, place: &Place, activity: &Activity) -> Result<Option<Kept>, Error> {
    append(tx, place, super::frame::body(activity), false, Some("due"))
}

/// The next number of a conversation that goes on, and a time that is later than any before. `None` when there is no
/// such conversation, or it has ended.
fn next(tx: &Tx<'_>, place: &Place) -> Result<Option<(i64, i64)>, Error> {
    Ok(tx
        .prepare(
            "UPDATE directline_conversation SET last_seq = last_seq + 1, last_at = max(?3, last_at + 1)
             WHERE partition = ?1 AND id = ?2 AND ended_at IS NULL RETURNING last_seq, last_at",
        )?
        .query_row(params![place.partition, place.id, tx.now()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Gives the activity its number and its time. `None` when there is no such conversation, or it has ended.
fn append(
    tx: &mut Tx<'_>,
    place: &Place,
    body: Arc<str>,
    shown: bool,
    hand_over: Option<&str>,
) -> Result<Option<Kept>, Error> {
    let Some((seq, at)) = next(tx, place)? else { return Ok(None) };
    tx.prepare(
        "INSERT INTO directline_activity (partition, conversation, seq, at, shown, hand_over, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![place.partition, place.id, seq, at, shown, hand_over, body])?;
    if shown {
        tell(tx, place, seq);
    }
    Ok(Some(Kept { seq, at, body }))
}

/// Wakes the conversation's sockets after the commit.
fn tell(tx: &mut Tx<'_>, place: &Place, seq: i64) {
    tx.changed(Changed::Channel { conversation: place.id.to_string(), seq });
}

/// The number that was given to whatever came under this key before.
fn taken(tx: &Tx<'_>, place: &Place, key: &str) -> Result<Option<i64>, Error> {
    Ok(tx
        .prepare(
            "SELECT seq FROM directline_taken_id WHERE partition = ?1 AND conversation = ?2 AND key = ?3",
        )?
        .query_row(params![place.partition, place.id, key], |row| row.get(0))
        .optional()?)
}

fn remember(tx: &Tx<'_>, place: &Place, key: &str, seq: i64) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO directline_taken_id (partition, conversation, key, seq, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![place.partition, place.id, key, seq, tx.now()])?;
    Ok(())
}
