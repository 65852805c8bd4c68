//! Conversations for operators: a page of them, and one with what waits for it.
//!
//! What is shown of a reference leaves out what may be a secret: members that nobody here knows, and the query of a service URL.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};
use serde::Serialize;
use url::Url;

use super::{Error, Page, PauseScope, Proactive, Reach, conversation::ConversationView, job_queries::time};
use crate::{
    activity::{ChannelAccount, ConversationAccount, ConversationKey, ConversationReference},
    store::{self, Query},
};

/// What waits is counted up to here; it is read for each answer.
const COUNTED: u32 = 10_000;

/// What is known of a conversation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConversationInfo {
    /// Which one.
    pub conversation: ConversationView,
    /// How it is reached, without what may be a secret.
    pub reference: ConversationReference,
    /// Whether its service URL was verified by a token before it was stored.
    pub service_url_verified: bool,
    /// What the channel said when it would not take anything for it; `None` while it does.
    pub dead: Option<Dead>,
    /// What holds it back, if something does: itself, its channel, or everything.
    pub paused: Option<PauseScope>,
    /// When somebody there was first met.
    pub created_at: Timestamp,
    /// When its reference changed last.
    pub updated_at: Timestamp,
    /// How many notifications wait for it, 10,000 at most; only when one is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
}

/// Why and since when a conversation cannot be written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Dead {
    /// What the channel said.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

const COLUMNS: &str = "channel_id, conversation_id, reference, service_url_verified, dead_reason, dead_at, created_at, updated_at";

struct Listed {
    after: Option<ConversationKey>,
    reach: Reach,
    limit: u32,
}

impl Query for Listed {
    type Answer = Page<ConversationInfo, ConversationView>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        let (within, more) = self.reach.of_conversations().unwrap_or_else(|| ("1".to_owned(), Vec::new()));
        let sql = format!(
            "SELECT {COLUMNS} FROM conversation WHERE (partition, channel_id, conversation_id) > (?, ?, ?) AND {within}
             ORDER BY partition, channel_id, conversation_id LIMIT ?"
        );
        let (partition, channel_id, id) = match &self.after {
            Some(key) => (i64::from(key.partition()), key.channel_id(), key.conversation_id()),
            None => (-1, "", ""),
        };
        let limit = self.limit.max(1) as usize;
        let mut statement = connection.prepare_cached(&sql)?;
        let mut values: Vec<Value> =
            vec![partition.into(), channel_id.to_owned().into(), id.to_owned().into()];
        values.extend(more);
        values.push((limit as i64 + 1).into());
        let rows = statement.query_map(params_from_iter(values), read)?;
        Ok(Page::cut(rows.collect::<Result<_, _>>()?, limit, |info| info.conversation.clone()))
    }
}

struct One(ConversationKey);

impl Query for One {
    type Answer = Option<ConversationInfo>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        let key = &self.0;
        let found = connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM conversation WHERE partition = ?1 AND channel_id = ?2 AND conversation_id = ?3"
            ))?
            .query_row(params![key.partition(), key.channel_id(), key.conversation_id()], read)
            .optional()?;
        let Some(mut info) = found else { return Ok(None) };
        let waiting = connection
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM notification INDEXED BY notification_lane
                 WHERE channel_id = ?1 AND conversation_id = ?2 AND state = 'waiting' LIMIT ?3)",
            )?
            .query_row(params![key.channel_id(), key.conversation_id(), COUNTED], |row| row.get(0))?;
        info.waiting = Some(waiting);
        Ok(Some(info))
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<ConversationInfo> {
    let reference: ConversationReference =
        serde_json::from_str(row.get_ref(2)?.as_str()?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
        })?;
    let dead = match (row.get::<_, Option<String>>(4)?, row.get::<_, Option<i64>>(5)?) {
        (Some(reason), at) => Some(Dead { reason, since: time(at.unwrap_or_default()) }),
        (None, _) => None,
    };
    Ok(ConversationInfo {
        conversation: ConversationView { channel_id: row.get(0)?, id: row.get(1)? },
        reference: shown(reference),
        service_url_verified: row.get(3)?,
        dead,
        paused: None,
        created_at: time(row.get(6)?),
        updated_at: time(row.get(7)?),
        waiting: None,
    })
}

/// A reference without what may be a secret.
fn shown(mut reference: ConversationReference) -> ConversationReference {
    reference.extra.clear();
    for account in [&mut reference.user, &mut reference.bot].into_iter().flatten() {
        let ChannelAccount { extra, .. } = account;
        extra.clear();
    }
    if let Some(ConversationAccount { extra, .. }) = &mut reference.conversation {
        extra.clear();
    }
    reference.service_url = reference.service_url.map(|text| bare(&text));
    reference
}

/// A service URL without the parts that can carry a secret.
fn bare(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return "not a URL".to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    // A URL that has no host has nobody to log in either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

impl Proactive {
    /// A page of the conversations that the bot has met, after `after`, in an order that stays. What it costs does not grow with how many
    /// there are, unless `reach` leaves out most of them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn conversations(
        &self,
        after: Option<ConversationKey>,
        limit: u32,
        reach: &Reach,
    ) -> Result<Page<ConversationInfo, ConversationKey>, Error> {
        let page = self.store().read(Listed { after, limit, reach: reach.clone() }).await?;
        let items = page.items.into_iter().map(|info| self.with_pause(info)).collect();
        Ok(Page { items, next: page.next.as_ref().and_then(key), total: None })
    }

    /// What is known of a conversation, with what waits for it, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn conversation_info(&self, key: ConversationKey) -> Result<Option<ConversationInfo>, Error> {
        Ok(self.store().read(One(key)).await?.map(|info| self.with_pause(info)))
    }

    fn with_pause(&self, mut info: ConversationInfo) -> ConversationInfo {
        info.paused = key(&info.conversation).and_then(|key| self.desk().state().gates.pauses.of(&key));
        info
    }
}

fn key(view: &ConversationView) -> Option<ConversationKey> {
    ConversationKey::new(&view.channel_id, &view.id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_url_is_shown_without_what_opens_it() {
        assert_eq!(bare("https://u:p@h.example/a/?sig=s#f"), "https://h.example/a/");
        assert_eq!(bare("http://127.0.0.1:3978/"), "http://127.0.0.1:3978/");
        assert!(!bare("secret").contains("secret"));
    }
}
