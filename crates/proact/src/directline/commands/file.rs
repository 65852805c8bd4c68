//! Files that are sent along.

use std::sync::Arc;

use rusqlite::params;

use super::Place;
use crate::store::{Command, Error, Tx};

/// Notes files whose bytes are on disk. From now on they can be fetched.
#[derive(Debug)]
pub(in crate::directline) struct AddFiles {
    pub(in crate::directline) place: Place,
    pub(in crate::directline) files: Vec<File>,
}

/// A file, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::directline) struct File {
    pub(in crate::directline) id: Arc<str>,
    pub(in crate::directline) name: Option<String>,
    pub(in crate::directline) content_type: String,
    pub(in crate::directline) size: u64,
    pub(in crate::directline) thumbnail_size: Option<u64>,
}

impl Command for AddFiles {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let Self { place, files } = self;
        for File { id, name, content_type, size, thumbnail_size } in files {
            tx.prepare(
                "INSERT INTO directline_file (partition, id, conversation, name, content_type, size, thumbnail_size, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                place.partition,
                id,
                place.id,
                name,
                content_type,
                size.cast_signed(),
                thumbnail_size.map(u64::cast_signed),
                tx.now()
            ])?;
        }
        Ok(())
    }
}
