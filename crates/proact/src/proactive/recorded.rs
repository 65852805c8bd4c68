//! What an idempotency key has made, for a request that would be refused if it were new: its expiry has passed since, or its template is
//! gone. The same key and request get the same answer all the same.

use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::{Accepted, Error, NewNotification, Proactive, enqueue::Enqueue};
use crate::store::{self, Query};

/// What was accepted under a key, with the digest of what was asked for.
pub(super) fn under(connection: &Connection, key: &str) -> Result<Option<(Uuid, [u8; 16])>, store::Error> {
    Ok(connection
        .prepare_cached("SELECT id, idempotency_digest FROM notification WHERE idempotency_key = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

struct UnderKey(String);

impl Query for UnderKey {
    type Answer = Option<(Uuid, [u8; 16])>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        under(connection, &self.0)
    }
}

impl Proactive {
    /// What this very request made before under its idempotency key, if it did: the answer to give before it is refused for what has
    /// changed since. `None` as well when the key was used for something else; accepting it says so.
    ///
    /// # Errors
    /// What cannot be sent, or what the store says.
    pub async fn accepted_before(&self, new: &NewNotification) -> Result<Option<Accepted>, Error> {
        let Some(key) = new.idempotency_key.clone() else { return Ok(None) };
        let digest = Enqueue::new(&self.desk(), new.clone())?.digest();
        let found = self.store().read(UnderKey(key)).await?;
        Ok(found.filter(|(_, on_record)| *on_record == digest).map(|(id, _)| Accepted { id, repeated: true }))
    }
}
