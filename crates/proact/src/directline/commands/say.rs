//! What the bot sends.

use std::sync::Arc;

use super::{Closed, Place, append, end, open, remember, taken};
use crate::store::{Command, Error, Tx};

/// Takes an activity of the bot, once per `key`; one that `ends` the conversation is the last.
#[derive(Debug)]
pub(in crate::directline) struct Say {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) body: Arc<str>,
    pub(in crate::directline) key: Option<String>,
    pub(in crate::directline) ends: bool,
}

impl Command for Say {
    /// The activity's number.
    type Outcome = Result<i64, Closed>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Self { place, body, key, ends } = self;
        if let Some(key) = &key
            && let Some(before) = taken(tx, &place, key)?
        {
            return Ok(Ok(before));
        }
        let Some(kept) = append(tx, &place, body, true, None)? else {
            return Ok(Err(open(tx, &place)?.err().unwrap_or(Closed::Unknown)));
        };
        if let Some(key) = &key {
            remember(tx, &place, key, kept.seq)?;
        }
        if ends {
            end(tx, &place)?;
        }
        Ok(Ok(kept.seq))
    }
}
