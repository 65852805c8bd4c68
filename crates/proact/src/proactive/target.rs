//! Targets: where conversations are reached. A pause of a channel, a breaker and a share of the slots are about a target, not about one
//! conversation.
//!
//! A target has a small number in the store, so that what waits can be found by it without reading what cannot go.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use url::Url;

use crate::store::{self, Query, Tx};

/// A target's number in the store; [`UNKNOWN`] for a conversation that nothing is known of.
pub(super) type TargetId = i64;

/// The target of a conversation that nothing is known of.
pub(super) const UNKNOWN: TargetId = 0;

/// A target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) channel_id: Arc<str>,
    /// Scheme, host and port: what can be up or down.
    pub(super) host: Arc<str>,
}

impl Target {
    pub(super) fn new(channel_id: &str, service_url: &str) -> Self {
        let host = Url::parse(service_url)
            .map_or_else(|_| service_url.to_owned(), |url| url.origin().ascii_serialization());
        Self { channel_id: channel_id.into(), host: host.into() }
    }
}

/// The number of a target; it gets one if it has none.
pub(super) fn number(tx: &Tx<'_>, channel_id: &str, service_url: &str) -> Result<TargetId, store::Error> {
    let known = tx
        .prepare("SELECT id FROM target WHERE channel_id = ?1 AND service_url = ?2")?
        .query_row([channel_id, service_url], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    tx.prepare("INSERT INTO target (channel_id, service_url) VALUES (?1, ?2)")?
        .execute([channel_id, service_url])?;
    Ok(tx.connection().last_insert_rowid())
}

/// What was reached at `from` is reached at `to` from now on.
pub(super) fn move_to(tx: &Tx<'_>, channel_id: &str, from: &str, to: &str) -> Result<(), store::Error> {
    let of = |url: &str| {
        tx.prepare("SELECT id FROM target WHERE channel_id = ?1 AND service_url = ?2")?
            .query_row([channel_id, url], |row| row.get::<_, TargetId>(0))
            .optional()
            .map_err(store::Error::from)
    };
    let Some(old) = of(from)? else { return Ok(()) };
    match of(to)? {
        None => {
            tx.prepare("UPDATE target SET service_url = ?2 WHERE id = ?1")?.execute(params![old, to])?;
        }
        // It was there before: the two become one.
        Some(new) => {
            tx.prepare("UPDATE conversation SET target = ?2 WHERE channel_id = ?3 AND target = ?1")?
                .execute(params![old, new, channel_id])?;
            tx.prepare("UPDATE notification SET target = ?2 WHERE state = 'waiting' AND target = ?1")?
                .execute([old, new])?;
        }
    }
    Ok(())
}

/// All targets.
#[derive(Debug)]
pub(super) struct All;

impl Query for All {
    type Answer = Vec<(TargetId, Target)>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        let mut statement = connection.prepare("SELECT id, channel_id, service_url FROM target")?;
        let rows = statement.query_map([], |row| {
            let (channel, url): (String, String) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, Target::new(&channel, &url)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_scheme_name_and_port() {
        let host = |url| Target::new("test", url).host.to_string();
        assert_eq!(host("https://smba.example/emea/"), "https://smba.example");
        assert_eq!(host("https://smba.example/amer/"), host("https://smba.example:443"));
        assert_eq!(host("http://127.0.0.1:3978/x"), "http://127.0.0.1:3978");
        assert_eq!(host("not a url"), "not a url");
    }
}
