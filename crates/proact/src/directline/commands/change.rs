//! The bot changes what it has said.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use super::{Closed, Place, next, open, tell};
use crate::directline::frame;
use crate::store::{Command, Error, Tx};

/// Puts another body under an activity's id. The activity takes a new number, so that whoever reads on meets it again,
/// and whoever reads from the beginning meets it once; it keeps its id, and its time unless it is deleted.
#[derive(Debug)]
pub(in crate::directline) struct Change {
    pub(in crate::directline) place: Place,
    /// The id under which it is shown.
    pub(in crate::directline) id: String,
    pub(in crate::directline) became: Became,
}

#[derive(Debug)]
pub(in crate::directline) enum Became {
    /// Another activity.
    Updated(Arc<str>),
    /// The sign that it was deleted.
    Deleted(Arc<str>),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::directline) enum Outcome {
    /// It is so now.
    Done,
    /// There is no such activity (any more).
    NotThere,
    /// A person has said it: it is not the bot's to change.
    NotTheBots,
}

struct Found {
    row: i64,
    at: i64,
    of_person: bool,
    body: String,
}

impl Command for Change {
    type Outcome = Result<Outcome, Closed>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, id, became } = self;
        if let Err(closed) = open(tx, &place)? {
            return Ok(Err(closed));
        }
        let Some(found) = find(tx, &place, &id)? else { return Ok(Ok(Outcome::NotThere)) };
        if found.of_person {
            return Ok(Ok(Outcome::NotTheBots));
        }
        let gone = frame::is_delete(&found.body);
        let (body, deletes) = match became {
            // It is so already: a repetition adds nothing.
            Became::Updated(body) if *body == *found.body => return Ok(Ok(Outcome::Done)),
            Became::Deleted(_) if gone => return Ok(Ok(Outcome::Done)),
            Became::Updated(_) if gone => return Ok(Ok(Outcome::NotThere)),
            Became::Updated(body) => (body, false),
            Became::Deleted(body) => (body, true),
        };
        let Some((seq, now)) = next(tx, &place)? else { return Ok(Err(Closed::Unknown)) };
        let at = if deletes { now } else { found.at };
        tx.prepare("UPDATE directline_activity SET seq = ?2, id = ?3, at = ?4, body = ?5 WHERE row = ?1")?
            .execute(params![found.row, seq, id, at, body])?;
        tell(tx, &place, seq);
        Ok(Ok(Outcome::Done))
    }
}

/// The activity that is shown under `id`: an id that was kept, or else the one that its number gives.
fn find(tx: &Tx<'_>, place: &Place, id: &str) -> Result<Option<Found>, Error> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Found { row: row.get(0)?, at: row.get(1)?, of_person: row.get(2)?, body: row.get(3)? })
    };
    let kept = tx
        .prepare(
            "SELECT row, at, hand_over IS NOT NULL, body FROM directline_activity
             WHERE partition = ?1 AND conversation = ?2 AND id = ?3 AND shown = 1",
        )?
        .query_row(params![place.partition, place.id, id], read)
        .optional()?;
    if kept.is_some() {
        return Ok(kept);
    }
    let Some(seq) = frame::number(&place.id, id) else { return Ok(None) };
    Ok(tx
        .prepare(
            "SELECT row, at, hand_over IS NOT NULL, body FROM directline_activity
             WHERE partition = ?1 AND conversation = ?2 AND seq = ?3 AND id IS NULL AND shown = 1",
        )?
        .query_row(params![place.partition, place.id, seq], read)
        .optional()?)
}

/// Whether an activity is shown under `id`.
pub(super) fn is_there(tx: &Tx<'_>, place: &Place, id: &str) -> Result<bool, Error> {
    Ok(find(tx, place, id)?.is_some())
}
