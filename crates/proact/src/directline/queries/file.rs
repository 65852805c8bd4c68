//! Files that were sent along.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::directline::commands::File;
use crate::store::{Error, Query};

/// A file that came at `since` or later.
#[derive(Debug)]
pub(in crate::directline) struct FindFile {
    pub(in crate::directline) partition: u16,
    pub(in crate::directline) id: String,
    pub(in crate::directline) since: i64,
}

impl Query for FindFile {
    type Answer = Option<File>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        Ok(connection
            .prepare_cached(
                "SELECT id, name, content_type, size, thumbnail_size FROM directline_file
                 WHERE partition = ?1 AND id = ?2 AND at >= ?3",
            )?
            .query_row(params![self.partition, self.id, self.since], |row| {
                Ok(File {
                    id: row.get::<_, String>(0)?.into(),
                    name: row.get(1)?,
                    content_type: row.get(2)?,
                    size: row.get::<_, i64>(3)?.cast_unsigned(),
                    thumbnail_size: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
                })
            })
            .optional()?)
    }
}
