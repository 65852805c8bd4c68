//! Conversations that were started with a key of the API as the secret: a job system's way to tell the bot something.
//!
//! Whoever starts one has shown a key that permits `complete`. The key opens the conversations that it started, and no others. What is
//! said in one may be believed as far as the key reaches *when it is said*: [`teller`] asks again each time.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{CHANNEL_ID, commands::Place};
use crate::{
    activity::ConversationKey,
    keys::{Grant, Keys, Verb},
    store::{Error, Query, Store},
};

pub(super) struct StartedWith(pub(super) Place);

impl Query for StartedWith {
    type Answer = Option<String>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let found = connection
            .prepare_cached("SELECT key_id FROM directline_conversation WHERE partition = ?1 AND id = ?2")?
            .query_row(params![self.0.partition, self.0.id], |row| row.get(0))
            .optional()?;
        Ok(found.flatten())
    }
}

/// What the key permits that `conversation` was started with; `None` when it was started with none, or with one that is revoked, expired
/// or does not permit `complete`.
///
/// That an activity is of this conversation is only worth believing of the built-in channel itself: ask
/// [`TurnContext::caller`](crate::turn::TurnContext::caller) first.
///
/// # Errors
/// What the store says.
pub async fn teller(
    store: &Store,
    keys: &Keys,
    conversation: &ConversationKey,
) -> Result<Option<Grant>, Error> {
    if conversation.channel_id() != CHANNEL_ID {
        return Ok(None);
    }
    let Some(place) = Place::new(conversation.conversation_id()) else { return Ok(None) };
    let Some(id) = store.read(StartedWith(place)).await? else { return Ok(None) };
    Ok(keys.of_id(&id).filter(|grant| grant.permits(Verb::Complete)))
}
