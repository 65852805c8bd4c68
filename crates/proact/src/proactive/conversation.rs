//! Conversations: their references, remembered on inbound activities and written only when a field changed.
//!
//! What is stored leaves out the activity id (it changes with each activity and says nothing about how to reach the
//! conversation). A message-extension invoke does not touch what is known: its service URL can be another region's.
//!
//! Whether a token vouched for the service URL is remembered with it. A reference that was vouched for is replaced by one that is vouched
//! for too, and by no other: who may speak to the bot in another way (a skill's caller, the Emulator) does not lead a conversation of a
//! channel elsewhere. A bot without credentials asks nobody who they are; there every activity counts.

use std::sync::Arc;

use moka::sync::Cache;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Error,
    desk::Desk,
    target::{self, Target},
};
use crate::{
    activity::{Activity, ActivityType, ConversationKey, ConversationReference},
    auth::{Caller, CallerKind},
    store::{self, Command, Query, Tx},
};

/// Conversations whose stored reference is known to be current, so that most turns write nothing.
const KNOWN: u64 = 100_000;

/// How to reach a conversation again, as stored.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoredConversation {
    /// The newest reference, without the activity it came with.
    pub reference: ConversationReference,
    /// Whether its service URL was verified by a token before it was stored (A7560).
    pub service_url_verified: bool,
    /// What the channel said when it would not take anything for it; `None` while it does, and again once something came from there.
    pub dead: Option<String>,
}

/// A conversation's key, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationView {
    /// The channel.
    pub channel_id: String,
    /// The conversation's id on that channel.
    pub id: String,
}

/// What this process knows to be stored: the digest of each conversation's reference.
pub(super) struct Known {
    digests: Cache<ConversationKey, [u8; 16]>,
}

impl From<&ConversationKey> for ConversationView {
    fn from(key: &ConversationKey) -> Self {
        Self { channel_id: key.channel_id().to_owned(), id: key.conversation_id().to_owned() }
    }
}

impl Known {
    pub(super) fn new() -> Self {
        Self { digests: Cache::new(KNOWN) }
    }

    /// What to write so that the reference of `activity` is remembered; `None` when nothing changed.
    pub(super) fn to_remember(
        &self,
        activity: &Activity,
        key: &ConversationKey,
        caller: &Caller,
    ) -> Result<Option<Remember>, Error> {
        if is_message_extension(activity) {
            return Ok(None);
        }
        self.changed(&activity.reference().without_activity(), key, Vouched::by(caller))
    }

    /// What to write so that `reference`, which names no activity, is remembered; `None` when it is.
    pub(super) fn changed(
        &self,
        reference: &ConversationReference,
        key: &ConversationKey,
        vouched: Vouched,
    ) -> Result<Option<Remember>, Error> {
        let json = serde_json::to_string(reference).map_err(|e| Error::Activity(e.to_string()))?;
        let mut digest = [0; 16];
        let whole = Sha256::new().chain_update([vouched as u8]).chain_update(&json).finalize();
        digest.copy_from_slice(&whole[..16]);
        if self.digests.get(key).is_some_and(|known| known == digest) {
            return Ok(None);
        }
        let service_url = reference.service_url.clone().unwrap_or_default();
        Ok(Some(Remember { key: key.clone(), json, service_url, vouched, digest }))
    }

    /// Forgets that it is stored: the next activity from there is news.
    pub(super) fn forget(&self, key: &ConversationKey) {
        self.digests.invalidate(key);
    }

    /// Notes that `digest` is what is stored.
    pub(super) fn stored(&self, key: ConversationKey, digest: [u8; 16]) {
        self.digests.insert(key, digest);
    }
}

fn is_message_extension(activity: &Activity) -> bool {
    activity.activity_type == ActivityType::Invoke
        && activity.name.as_deref().is_some_and(|name| name.starts_with("composeExtension/"))
}

/// Who says that a reference's service URL is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vouched {
    /// Nobody: it is kept only where nothing better is.
    No,
    /// Nobody, and nobody is asked: the bot has no credentials.
    NobodyAsks,
    /// The token that the activity came with.
    ByToken,
}

impl Vouched {
    fn by(caller: &Caller) -> Self {
        match caller {
            Caller { service_url_verified: true, .. } => Self::ByToken,
            Caller { kind: CallerKind::Anonymous, .. } => Self::NobodyAsks,
            _ => Self::No,
        }
    }
}

/// Stores a reference, if it is new or differs.
#[derive(Debug, Clone)]
pub(super) struct Remember {
    pub(super) key: ConversationKey,
    json: String,
    service_url: String,
    vouched: Vouched,
    pub(super) digest: [u8; 16],
}

/// [`Remember`], with the desk that is told of a new target.
pub(super) struct RememberAt {
    pub(super) desk: Arc<Desk>,
    pub(super) remember: Remember,
}

impl Command for RememberAt {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        let Self { desk, remember: Remember { key, json, service_url, vouched, .. } } = self;
        let target = target::number(tx, key.channel_id(), &service_url)?;
        // An equal one costs no write at all. Something came from there: if it was dead, it is not.
        let changed = tx
            .prepare(
                "INSERT INTO conversation
                    (partition, channel_id, conversation_id, reference, target, created_at, updated_at, service_url_verified)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)
                 ON CONFLICT DO UPDATE SET reference = excluded.reference, target = excluded.target,
                    updated_at = excluded.updated_at, dead_at = NULL, dead_reason = NULL,
                    service_url_verified = excluded.service_url_verified
                 WHERE (reference <> excluded.reference OR dead_at IS NOT NULL OR target <> excluded.target
                        OR service_url_verified <> excluded.service_url_verified)
                    AND (service_url_verified = 0 OR ?8)",
            )?
            .execute(params![
                key.partition(),
                key.channel_id(),
                key.conversation_id(),
                json,
                target,
                tx.now(),
                vouched == Vouched::ByToken,
                vouched != Vouched::No
            ])?;
        if changed == 0 {
            return Ok(());
        }
        // What waits for it is found where it is reached now.
        let moved = tx
            .prepare(
                "UPDATE notification INDEXED BY notification_lane SET target = ?3 WHERE channel_id = ?1 AND conversation_id = ?2
                    AND state = 'waiting' AND target <> ?3",
            )?
            .execute(params![key.channel_id(), key.conversation_id(), target])?;
        tx.afterwards(move || {
            desk.know(target, Target::new(key.channel_id(), &service_url));
            if moved > 0 {
                desk.read_anew();
            }
        });
        Ok(())
    }
}

/// Notes that the channel says that a conversation cannot be written to. What waits for it is suppressed when its turn comes; an
/// activity that comes from there takes this back.
#[derive(Clone)]
pub(super) struct MarkDead {
    pub(super) desk: Arc<Desk>,
    pub(super) key: ConversationKey,
    pub(super) reason: String,
}

impl Command for MarkDead {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        let Self { desk, key, reason } = self;
        tx.prepare(
            "UPDATE conversation SET dead_at = ?4, dead_reason = ?5
             WHERE partition = ?1 AND channel_id = ?2 AND conversation_id = ?3 AND dead_at IS NULL",
        )?
        .execute(params![
            key.partition(),
            key.channel_id(),
            key.conversation_id(),
            tx.now(),
            reason
        ])?;
        tx.afterwards(move || desk.conversations.forget(&key));
        Ok(())
    }
}

/// Reads what is stored of one conversation.
#[derive(Debug)]
pub(super) struct ByKey(pub(super) ConversationKey);

impl Query for ByKey {
    type Answer = Option<StoredConversation>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        let row: Option<(String, bool, Option<String>)> = connection
            .prepare_cached(
                "SELECT reference, service_url_verified, dead_reason FROM conversation
                 WHERE partition = ?1 AND channel_id = ?2 AND conversation_id = ?3",
            )?
            .query_row(params![self.0.partition(), self.0.channel_id(), self.0.conversation_id()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        row.map(|(json, service_url_verified, dead)| {
            Ok(StoredConversation { reference: serde_json::from_str(&json)?, service_url_verified, dead })
        })
        .transpose()
    }
}

/// Notes where a channel that this process itself serves is reached. If it was reached elsewhere before, what is stored about its
/// conversations moves with it: references, and activities of turns that are owed.
#[derive(Debug)]
pub(super) struct ReachedAt {
    pub(super) channel_id: String,
    pub(super) service_url: String,
}

impl Command for ReachedAt {
    /// How many conversations moved.
    type Outcome = u64;

    fn apply(self, tx: &mut Tx<'_>) -> Result<u64, store::Error> {
        let Self { channel_id, service_url } = self;
        let name = format!("service-url/{channel_id}");
        let last: Option<String> = tx
            .prepare("SELECT value FROM fact WHERE name = ?1")?
            .query_row([&name], |row| row.get(0))
            .optional()?;
        if last.as_ref() == Some(&service_url) {
            return Ok(0);
        }
        tx.prepare("INSERT INTO fact VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")?
            .execute([&name, &service_url])?;
        let Some(last) = last else { return Ok(0) };
        let moved = tx
            .prepare(
                "UPDATE conversation SET reference = json_set(reference, '$.serviceUrl', ?3)
                 WHERE channel_id = ?1 AND reference ->> '$.serviceUrl' = ?2",
            )?
            .execute([&channel_id, &last, &service_url])?;
        target::move_to(tx, &channel_id, &last, &service_url)?;
        tx.prepare(
            "UPDATE turn SET activity = CAST(json_set(CAST(activity AS TEXT), '$.serviceUrl', ?3) AS BLOB)
             WHERE activity IS NOT NULL AND CAST(activity AS TEXT) ->> '$.channelId' = ?1
                AND CAST(activity AS TEXT) ->> '$.serviceUrl' = ?2",
        )?
        .execute([&channel_id, &last, &service_url])?;
        Ok(moved as u64)
    }
}

/// A stored key. An empty part was not written by us.
pub(super) fn key(channel_id: String, conversation_id: String) -> Result<ConversationKey, store::Error> {
    ConversationKey::new(channel_id, conversation_id).map_err(|e| store::Error::Corrupt(e.to_string()))
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
