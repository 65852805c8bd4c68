//! What there is to forget. Conversations are looked through a stretch at a time, so that no reader is held up long.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::directline::commands::Place;
use crate::store::{Error, Query};

/// Conversations looked at in one step.
const STRETCH: i64 = 2000;

/// A stretch of the conversations: those to act on, and the last one that was looked at.
#[derive(Debug)]
pub(in crate::directline) struct Stretch {
    pub(in crate::directline) found: Vec<Place>,
    /// Where the next stretch begins; `None` at the end.
    pub(in crate::directline) last: Option<Place>,
}

/// Those with more than `keep` activities that were not pruned.
#[derive(Debug)]
pub(in crate::directline) struct LongConversations {
    pub(in crate::directline) after: Option<Place>,
    pub(in crate::directline) keep: u64,
}

impl Query for LongConversations {
    type Answer = Stretch;

    fn run(self, connection: &Connection) -> Result<Stretch, Error> {
        stretch(connection, self.after, "last_seq - pruned_seq > ?4", self.keep.cast_signed())
    }
}

/// What is too much of one conversation.
#[derive(Debug)]
pub(in crate::directline) struct TooLong {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) keep: u64,
}

#[derive(Debug)]
pub(in crate::directline) struct Surplus {
    /// The newest number that is too much; 0 when none is. What was changed has a newer number than when it was said, so
    /// there are fewer activities than numbers.
    pub(in crate::directline) up_to: i64,
    /// The number before which nothing has to be looked at again.
    pub(in crate::directline) pruned: i64,
}

impl Query for TooLong {
    type Answer = Surplus;

    fn run(self, connection: &Connection) -> Result<Surplus, Error> {
        let Self { place, keep } = self;
        let keep = keep.cast_signed();
        let newest = super::newest(connection, &place)?.unwrap_or_default();
        let up_to = connection
            .prepare_cached(
                "SELECT seq FROM directline_activity WHERE partition = ?1 AND conversation = ?2
                 ORDER BY seq DESC LIMIT 1 OFFSET ?3",
            )?
            .query_row(params![place.partition, place.id, keep], |row| row.get(0))
            .optional()?;
        Ok(Surplus { up_to: up_to.unwrap_or(0), pruned: newest.saturating_sub(keep) })
    }
}

/// Those in which nothing has happened since `before`.
#[derive(Debug)]
pub(in crate::directline) struct IdleConversations {
    pub(in crate::directline) after: Option<Place>,
    pub(in crate::directline) before: i64,
}

impl Query for IdleConversations {
    type Answer = Stretch;

    fn run(self, connection: &Connection) -> Result<Stretch, Error> {
        stretch(connection, self.after, "max(last_at, created_at) < ?4", self.before)
    }
}

fn stretch(
    connection: &Connection,
    after: Option<Place>,
    condition: &str,
    value: i64,
) -> Result<Stretch, Error> {
    let (partition, id) = after.map_or((0, "".into()), |place| (place.partition, place.id));
    let mut statement = connection.prepare_cached(&format!(
        "SELECT partition, id, {condition} FROM directline_conversation
         WHERE (partition, id) > (?1, ?2) ORDER BY partition, id LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![partition, id, STRETCH, value])?;
    let (mut found, mut last, mut looked_at) = (Vec::new(), None, 0);
    while let Some(row) = rows.next()? {
        let place = Place { partition: row.get(0)?, id: row.get::<_, String>(1)?.into() };
        looked_at += 1;
        if row.get(2)? {
            found.push(place.clone());
        }
        last = Some(place);
    }
    Ok(Stretch { found, last: if looked_at == STRETCH { last } else { None } })
}
