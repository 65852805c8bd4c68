//! What bots do with conversations and their members.

use std::sync::Arc;

use rusqlite::params;

use super::{Closed, Kept, Place, add_member, append, hidden, open, start};
use crate::directline::members::{self, User};
use crate::store::{Command, Error, Tx};

/// The bot begins a conversation with `members` and says `first`. It is told of nobody's joining: it knows whom it has
/// put there.
#[derive(Debug)]
pub(in crate::directline) struct Create {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) members: Vec<User>,
    pub(in crate::directline) first: Option<Arc<str>>,
}

impl Command for Create {
    /// The number of the first activity.
    type Outcome = Option<i64>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, members, first } = self;
        start::make(tx, &place, None)?;
        for member in &members {
            add_member(tx, &place, member)?;
        }
        let Some(first) = first else { return Ok(None) };
        Ok(append(tx, &place, first, true, None)?.map(|kept| kept.seq))
    }
}

/// Takes a person out of a conversation.
#[derive(Debug)]
pub(in crate::directline) struct Remove {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) member: User,
}

impl Command for Remove {
    /// What the bot is to be told; `None` when they were not in it.
    type Outcome = Result<Option<Kept>, Closed>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, member } = self;
        if let Err(closed) = open(tx, &place)? {
            return Ok(Err(closed));
        }
        let removed = tx
            .prepare("DELETE FROM directline_member WHERE partition = ?1 AND conversation = ?2 AND id = ?3")?
            .execute(params![place.partition, place.id, member.id])?;
        if removed == 0 {
            return Ok(Ok(None));
        }
        Ok(Ok(hidden(tx, &place, &members::user_left(&place.id, &member))?))
    }
}
