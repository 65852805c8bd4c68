//! What a restore must not undo: that a key was revoked.

use rusqlite::{Connection, params};

use crate::store::{Command, Error, Tx};

/// The keys that were revoked in the data that a backup replaces: revoked in the backup too.
#[derive(Debug, Default)]
pub(crate) struct Revoked(Vec<(String, i64)>);

impl Revoked {
    /// Reads them. Data of before there were keys has none.
    pub(crate) fn read(old: &Connection) -> rusqlite::Result<Self> {
        if !old.table_exists(None, "api_key")? {
            return Ok(Self::default());
        }
        let mut statement = old.prepare("SELECT id, revoked_at FROM api_key WHERE revoked_at IS NOT NULL")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self(rows.collect::<Result<_, _>>()?))
    }
}

impl Command for Revoked {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for (id, at) in self.0 {
            tx.prepare("UPDATE api_key SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1")?
                .execute(params![id, at])?;
        }
        Ok(())
    }
}
