//! Who is in a conversation, and which conversations there are.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::newest;
use crate::directline::commands::Place;
use crate::directline::{User, frame};
use crate::store::{Error, Query};

/// People of a conversation in the order of their ids, after one of them.
#[derive(Debug)]
pub(in crate::directline) struct ListMembers {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) after: String,
    pub(in crate::directline) limit: usize,
}

impl Query for ListMembers {
    /// `None` when there is no such conversation.
    type Answer = Option<Vec<User>>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let Self { place, after, limit } = self;
        if newest(connection, &place)?.is_none() {
            return Ok(None);
        }
        Ok(Some(list(connection, &place, &after, limit)?))
    }
}

fn list(connection: &Connection, place: &Place, after: &str, limit: usize) -> Result<Vec<User>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name FROM directline_member
         WHERE partition = ?1 AND conversation = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
    )?;
    let people = statement.query_map(params![place.partition, place.id, after, limit as i64], |row| {
        Ok(User { id: row.get(0)?, name: row.get(1)? })
    })?;
    Ok(people.collect::<Result<_, _>>()?)
}

/// One person of a conversation.
#[derive(Debug)]
pub(in crate::directline) struct FindMember {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) id: String,
}

impl Query for FindMember {
    /// `None` when there is no such conversation; then `None` when they are not in it.
    type Answer = Option<Option<User>>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let Self { place, id } = self;
        if newest(connection, &place)?.is_none() {
            return Ok(None);
        }
        let found = connection
            .prepare_cached(
                "SELECT id, name FROM directline_member WHERE partition = ?1 AND conversation = ?2 AND id = ?3",
            )?
            .query_row(params![place.partition, place.id, id], |row| {
                Ok(User { id: row.get(0)?, name: row.get(1)? })
            })
            .optional()?;
        Ok(Some(found))
    }
}

/// Conversations with their people, in a stable order, after one of them.
#[derive(Debug)]
pub(in crate::directline) struct ListConversations {
    pub(in crate::directline) after: Option<Place>,
    pub(in crate::directline) limit: usize,
    /// People shown of one conversation at most.
    pub(in crate::directline) members: usize,
}

#[derive(Debug)]
pub(in crate::directline) struct ListedConversation {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) members: Vec<User>,
}

impl Query for ListConversations {
    type Answer = Vec<ListedConversation>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let Self { after, limit, members } = self;
        let (partition, id) = after.map_or((0, "".into()), |place| (place.partition, place.id));
        let mut statement = connection.prepare_cached(
            "SELECT partition, id FROM directline_conversation
             WHERE (partition, id) > (?1, ?2) ORDER BY partition, id LIMIT ?3",
        )?;
        let places = statement.query_map(params![partition, id, limit as i64], |row| {
            Ok(Place { partition: row.get(0)?, id: row.get::<_, String>(1)?.into() })
        })?;
        let places = places.collect::<Result<Vec<_>, _>>()?;
        places
            .into_iter()
            .map(|place| Ok(ListedConversation { members: list(connection, &place, "", members)?, place }))
            .collect()
    }
}

/// Whether an activity is shown under this id.
#[derive(Debug)]
pub(in crate::directline) struct HasActivity {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) id: String,
}

impl Query for HasActivity {
    type Answer = bool;

    fn run(self, connection: &Connection) -> Result<bool, Error> {
        let Self { place, id } = self;
        let kept = connection
            .prepare_cached(
                "SELECT 1 FROM directline_activity
                 WHERE partition = ?1 AND conversation = ?2 AND id = ?3 AND shown = 1",
            )?
            .exists(params![place.partition, place.id, id])?;
        let Some(seq) = frame::number(&place.id, &id).filter(|_| !kept) else { return Ok(kept) };
        Ok(connection
            .prepare_cached(
                "SELECT 1 FROM directline_activity
                 WHERE partition = ?1 AND conversation = ?2 AND seq = ?3 AND id IS NULL AND shown = 1",
            )?
            .exists(params![place.partition, place.id, seq])?)
    }
}
