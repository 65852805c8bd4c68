//! What the channel reads.

mod file;
mod members;
mod old;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::commands::{Closed, Kept, Place};
use super::frame;
use super::watermark::Watermark;
use crate::store::{Error, Query};

pub(super) use file::FindFile;
pub(super) use members::{FindMember, HasActivity, ListConversations, ListMembers, ListedConversation};
pub(super) use old::{IdleConversations, LongConversations, Surplus, TooLong};

/// Activities on one page at most.
const ROWS: u16 = 100;
/// Bytes on one page, after which it ends; one activity always fits.
const BYTES: usize = 512 * 1024;

/// One page of what clients are shown, after a watermark.
#[derive(Debug)]
pub(super) struct ReadPage {
    pub(super) place: Place,
    pub(super) after: Watermark,
    /// What no watermark means.
    pub(super) otherwise: Otherwise,
}

/// Where a client that names no watermark begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    Beginning,
    Now,
}

#[derive(Debug)]
pub(super) struct Page {
    /// Whole activities, as JSON.
    pub(super) activities: Vec<String>,
    /// The number that the next page begins after.
    pub(super) watermark: i64,
    /// Whether the page is full, so that there may be more.
    pub(super) full: bool,
}

impl Query for ReadPage {
    /// `None` when there is no such conversation.
    type Answer = Option<Page>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let Self { place, after, otherwise } = self;
        let Some(newest) = newest(connection, &place)? else { return Ok(None) };
        let mut page =
            Page { activities: Vec::new(), watermark: start(after, otherwise, newest), full: false };
        if page.watermark == newest {
            return Ok(Some(page));
        }
        let mut statement = connection.prepare_cached(
            "SELECT seq, at, body, id FROM directline_activity
             WHERE partition = ?1 AND conversation = ?2 AND seq > ?3 AND shown = 1 ORDER BY seq LIMIT ?4",
        )?;
        let mut rows = statement.query(params![place.partition, place.id, page.watermark, ROWS])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            let kept: Option<String> = row.get(3)?;
            let id = kept.unwrap_or_else(|| frame::id(&place.id, seq));
            let activity = frame::shown(&id, row.get(1)?, row.get_ref(2)?.as_str().map_err(corrupt)?);
            bytes += activity.len();
            page.watermark = seq;
            page.activities.push(activity);
            if page.activities.len() == usize::from(ROWS) || bytes >= BYTES {
                page.full = true;
                break;
            }
        }
        Ok(Some(page))
    }
}

/// Where a client at `after` stands in a conversation.
#[derive(Debug)]
pub(super) struct Locate {
    pub(super) place: Place,
    pub(super) after: Watermark,
    pub(super) otherwise: Otherwise,
}

impl Query for Locate {
    /// `None` when there is no such conversation.
    type Answer = Option<i64>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        Ok(newest(connection, &self.place)?.map(|newest| start(self.after, self.otherwise, newest)))
    }
}

/// Whether something can be sent to a conversation.
#[derive(Debug)]
pub(super) struct IsOpen {
    pub(super) place: Place,
}

impl Query for IsOpen {
    type Answer = Result<(), Closed>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let ended = connection
            .prepare_cached(
                "SELECT ended_at IS NOT NULL FROM directline_conversation WHERE partition = ?1 AND id = ?2",
            )?
            .query_row(params![self.place.partition, self.place.id], |row| row.get::<_, bool>(0))
            .optional()?;
        Ok(match ended {
            None => Err(Closed::Unknown),
            Some(true) => Err(Closed::Ended),
            Some(false) => Ok(()),
        })
    }
}

fn start(after: Watermark, otherwise: Otherwise, newest: i64) -> i64 {
    match (after, otherwise) {
        (Watermark::At(seq), _) if seq <= newest => seq,
        (Watermark::Absent, Otherwise::Now) => newest,
        // A watermark beyond the newest activity is void.
        (Watermark::At(_), _) | (Watermark::Absent, Otherwise::Beginning) => 0,
    }
}

fn newest(connection: &Connection, place: &Place) -> Result<Option<i64>, Error> {
    Ok(connection
        .prepare_cached("SELECT last_seq FROM directline_conversation WHERE partition = ?1 AND id = ?2")?
        .query_row(params![place.partition, place.id], |row| row.get(0))
        .optional()?)
}

/// The newest row there is: what is due at or before it when the channel opens, an earlier process left behind.
#[derive(Debug)]
pub(super) struct NewestRow;

impl Query for NewestRow {
    type Answer = i64;

    fn run(self, connection: &Connection) -> Result<i64, Error> {
        Ok(connection
            .query_row("SELECT coalesce(max(row), 0) FROM directline_activity", [], |row| row.get(0))?)
    }
}

/// The conversations with something due after a row and up to another.
#[derive(Debug)]
pub(super) struct DueConversations {
    pub(super) from: i64,
    pub(super) up_to: i64,
}

impl Query for DueConversations {
    type Answer = Vec<Place>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let mut statement = connection.prepare_cached(
            "SELECT partition, conversation FROM directline_activity INDEXED BY directline_activity_due
             WHERE hand_over = 'due' AND row <= ?1 AND row > ?2
             GROUP BY partition, conversation ORDER BY min(row)",
        )?;
        let places = statement.query_map([self.up_to, self.from], |row| {
            Ok(Place { partition: row.get(0)?, id: row.get::<_, String>(1)?.into() })
        })?;
        Ok(places.collect::<Result<_, _>>()?)
    }
}

/// The first activity of a conversation that is due, after a number, after a row and up to another.
#[derive(Debug)]
pub(super) struct NextDue {
    pub(super) place: Place,
    pub(super) after: i64,
    pub(super) from: i64,
    pub(super) up_to: i64,
}

impl Query for NextDue {
    type Answer = Option<Kept>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        Ok(connection
            .prepare_cached(
                "SELECT seq, at, body FROM directline_activity INDEXED BY directline_activity_due
                 WHERE partition = ?1 AND conversation = ?2 AND seq > ?3 AND row <= ?4 AND row > ?5 AND hand_over = 'due'
                 ORDER BY seq LIMIT 1",
            )?
            .query_row(params![self.place.partition, self.place.id, self.after, self.up_to, self.from], |row| {
                Ok(Kept { seq: row.get(0)?, at: row.get(1)?, body: row.get::<_, String>(2)?.into() })
            })
            .optional()?)
    }
}

fn corrupt(error: rusqlite::types::FromSqlError) -> Error {
    Error::Corrupt(error.to_string())
}
