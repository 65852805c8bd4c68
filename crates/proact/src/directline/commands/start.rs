//! A conversation begins.

use rusqlite::params;

use super::{Closed, Kept, Place, hidden, join, open};
use crate::directline::members::{self, User};
use crate::store::{Command, Error, Tx};

/// Starts a conversation, or finds it started; the bot and `user` join it, each once. One that has ended can be found
/// too: it can still be read, and nobody joins it any more.
#[derive(Debug)]
pub(in crate::directline) struct Start {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) user: Option<User>,
    pub(in crate::directline) locale: Option<String>,
    /// People in it at most.
    pub(in crate::directline) most: usize,
    /// The key that it is started with, if it is with one.
    pub(in crate::directline) key: Option<String>,
}

#[derive(Debug)]
pub(in crate::directline) struct Started {
    /// Whether it is new.
    pub(in crate::directline) created: bool,
    /// What the bot is now to be told, in order.
    pub(in crate::directline) joins: Vec<Kept>,
}

impl Command for Start {
    type Outcome = Result<Started, Closed>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, user, locale, key, most } = self;
        let created = make(tx, &place, key.as_deref())?;
        let mut joins = Vec::new();
        if created {
            let joined = members::bot_joined(&place.id, user.as_ref(), locale.as_deref());
            joins.extend(hidden(tx, &place, &joined)?);
        }
        if let Some(user) = &user
            && open(tx, &place)?.is_ok()
        {
            match join(tx, &place, user, locale.as_deref(), most)? {
                Ok(joined) => joins.extend(joined),
                Err(full) => return Ok(Err(full)),
            }
        }
        Ok(Ok(Started { created, joins }))
    }
}

/// Makes the conversation's row; `false` if it is there.
pub(super) fn make(tx: &Tx<'_>, place: &Place, key: Option<&str>) -> Result<bool, Error> {
    Ok(tx
        .prepare(
            "INSERT INTO directline_conversation (partition, id, last_seq, last_at, created_at, key_id)
             VALUES (?1, ?2, 0, 0, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![place.partition, place.id, tx.now(), key])?
        == 1)
}
