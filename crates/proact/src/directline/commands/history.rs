//! A conversation's past, brought along from elsewhere.

use std::sync::Arc;

use rusqlite::params;

use super::{Closed, Place, next, open, tell};
use crate::directline::frame;
use crate::store::{Command, Error, Tx};

/// Adds activities of the past, under the ids and times that they have. One whose id is there already is left out, so
/// that the same past can be brought along twice.
#[derive(Debug)]
pub(in crate::directline) struct AddHistory {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) past: Vec<Past>,
}

#[derive(Debug)]
pub(in crate::directline) struct Past {
    /// `None` for one that takes the id of its number.
    pub(in crate::directline) id: Option<String>,
    /// In milliseconds since 1970; `None` for now.
    pub(in crate::directline) at: Option<i64>,
    pub(in crate::directline) body: Arc<str>,
}

impl Command for AddHistory {
    /// The number of the last one that was added; `None` when all were there.
    type Outcome = Result<Option<i64>, Closed>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, past } = self;
        if let Err(closed) = open(tx, &place)? {
            return Ok(Err(closed));
        }
        let mut last = None;
        for Past { id, at, body } in past {
            if let Some(id) = &id
                && super::change::is_there(tx, &place, id)?
            {
                continue;
            }
            // A number of this conversation's own is not given from outside: it may be another activity's one day.
            let id = id.filter(|id| frame::number(&place.id, id).is_none());
            let Some((seq, now)) = next(tx, &place)? else { return Ok(Err(Closed::Unknown)) };
            tx.prepare(
                "INSERT INTO directline_activity (partition, conversation, seq, at, shown, hand_over, body, id, came_at)
                 VALUES (?1, ?2, ?3, ?4, 1, NULL, ?5, ?6, ?7)",
            )?
            .execute(params![place.partition, place.id, seq, at.unwrap_or(now), body, id, now])?;
            last = Some(seq);
        }
        if let Some(seq) = last {
            tell(tx, &place, seq);
        }
        Ok(Ok(last))
    }
}
