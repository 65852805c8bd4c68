//! What there is to forget. Conversations are looked through a stretch at a time, so that no reader is held up long.

use rusqlite::{Connection, params};

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
