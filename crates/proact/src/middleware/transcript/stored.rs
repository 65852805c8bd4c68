//! Transcripts in the store's file.

use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    TranscriptConversation, TranscriptEntry, TranscriptError, TranscriptFilter, TranscriptKind,
    TranscriptLine, TranscriptPage, TranscriptStore,
};
use crate::{
    activity::ConversationKey,
    store::{Command, Error, Query, Store, Tx},
};

/// Rows that one commit forgets at most, so that nobody waits long behind it.
const STEP: usize = 500;

/// Keeps transcripts in the file that everything else is in. The store must have been opened with their
/// [migration](super::MIGRATION). Clones are the same.
#[derive(Debug, Clone)]
pub struct StoredTranscripts(Store);

impl StoredTranscripts {
    /// In this store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self(store)
    }
}

impl TranscriptStore for StoredTranscripts {
    fn append(&self, entries: Vec<TranscriptEntry>) -> BoxFuture<'_, Result<(), TranscriptError>> {
        let appended = self.0.commit(Append(entries));
        async move { Ok(appended.await?) }.boxed()
    }

    fn page(
        &self,
        conversation: &ConversationKey,
        filter: TranscriptFilter,
    ) -> BoxFuture<'_, Result<TranscriptPage, TranscriptError>> {
        let page = self.0.read(ReadPage { conversation: conversation.clone(), filter });
        async move { Ok(page.await?) }.boxed()
    }

    fn conversations(
        &self,
        after: Option<ConversationKey>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<TranscriptConversation>, TranscriptError>> {
        let found = self.0.read(Conversations { after, limit });
        async move { Ok(found.await?) }.boxed()
    }

    fn forget(&self, conversation: &ConversationKey) -> BoxFuture<'_, Result<u64, TranscriptError>> {
        let conversation = conversation.clone();
        async move {
            let mut forgotten = 0;
            loop {
                let rows = self.0.commit(Forget(conversation.clone())).await?;
                forgotten += rows as u64;
                if rows < STEP {
                    return Ok(forgotten);
                }
            }
        }
        .boxed()
    }

    fn prune(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<u64, TranscriptError>> {
        let pruned = self.0.commit(Prune { before: before.as_millisecond(), limit });
        async move { Ok(pruned.await? as u64) }.boxed()
    }
}

struct Append(Vec<TranscriptEntry>);

impl Command for Append {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let mut insert = tx.prepare(
            "INSERT INTO transcript (partition, channel_id, conversation_id, at, kind, activity)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for TranscriptEntry { conversation, at, kind, activity } in self.0 {
            insert.execute(params![
                conversation.partition(),
                conversation.channel_id(),
                conversation.conversation_id(),
                at.as_millisecond(),
                kind.as_str(),
                serde_json::to_string(&activity)?,
            ])?;
        }
        Ok(())
    }
}

struct ReadPage {
    conversation: ConversationKey,
    filter: TranscriptFilter,
}

impl Query for ReadPage {
    type Answer = TranscriptPage;

    fn run(self, connection: &Connection) -> Result<TranscriptPage, Error> {
        let Self { conversation, filter } = self;
        let rows = filter.rows();
        // Two statements, because each is one walk along the index.
        let (sql, beyond) = if filter.newest_first {
            (
                "SELECT seq, at, kind, activity FROM transcript INDEXED BY transcript_by_conversation
                 WHERE channel_id = ?1 AND conversation_id = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT ?4",
                filter.after.unwrap_or(u64::MAX),
            )
        } else {
            (
                "SELECT seq, at, kind, activity FROM transcript INDEXED BY transcript_by_conversation
                 WHERE channel_id = ?1 AND conversation_id = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4",
                filter.after.unwrap_or_default(),
            )
        };
        let beyond = i64::try_from(beyond).unwrap_or(i64::MAX);
        let mut statement = connection.prepare_cached(sql)?;
        let mut found = statement.query(params![
            conversation.channel_id(),
            conversation.conversation_id(),
            beyond,
            rows as i64 + 1
        ])?;
        let mut lines = Vec::new();
        while let Some(row) = found.next()? {
            let kind: String = row.get(2)?;
            let entry = TranscriptEntry {
                conversation: conversation.clone(),
                at: time(row.get(1)?)?,
                kind: TranscriptKind::parse(&kind).ok_or_else(|| Error::Corrupt(format!("kind `{kind}`")))?,
                activity: serde_json::from_str(&row.get::<_, String>(3)?)?,
            };
            lines.push(TranscriptLine { seq: row.get::<_, i64>(0)?.unsigned_abs(), entry });
        }
        Ok(TranscriptPage::of(lines, rows))
    }
}

struct Conversations {
    after: Option<ConversationKey>,
    limit: usize,
}

impl Query for Conversations {
    type Answer = Vec<TranscriptConversation>;

    /// From each conversation's rows to the next one's: what lies between is not read.
    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let mut next = connection.prepare_cached(
            "SELECT channel_id, conversation_id, at FROM transcript INDEXED BY transcript_by_conversation
             WHERE (channel_id, conversation_id) > (?1, ?2)
             ORDER BY channel_id, conversation_id, seq LIMIT 1",
        )?;
        let mut last = connection.prepare_cached(
            "SELECT at FROM transcript INDEXED BY transcript_by_conversation
             WHERE channel_id = ?1 AND conversation_id = ?2 ORDER BY seq DESC LIMIT 1",
        )?;
        let mut after = self
            .after
            .map(|key| (key.channel_id().to_owned(), key.conversation_id().to_owned()))
            .unwrap_or_default();
        let mut found = Vec::new();
        while found.len() < self.limit {
            let row = next
                .query_row(params![after.0, after.1], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?))
                })
                .optional()?;
            let Some((channel, conversation, first_at)) = row else { break };
            let last_at = last.query_row(params![channel, conversation], |row| row.get(0))?;
            let key = ConversationKey::new(channel.as_str(), conversation.as_str())
                .map_err(|missing| Error::Corrupt(missing.to_string()))?;
            found.push(TranscriptConversation {
                conversation: key,
                first_at: time(first_at)?,
                last_at: time(last_at)?,
            });
            after = (channel, conversation);
        }
        Ok(found)
    }
}

struct Forget(ConversationKey);

impl Command for Forget {
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, Error> {
        let delete = "DELETE FROM transcript WHERE seq IN
             (SELECT seq FROM transcript INDEXED BY transcript_by_conversation
              WHERE channel_id = ?1 AND conversation_id = ?2 ORDER BY seq LIMIT ?3)";
        let rows = params![self.0.channel_id(), self.0.conversation_id(), STEP as i64];
        Ok(tx.prepare(delete)?.execute(rows)?)
    }
}

struct Prune {
    before: i64,
    limit: usize,
}

impl Command for Prune {
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, Error> {
        let delete = "DELETE FROM transcript WHERE seq IN
             (SELECT seq FROM transcript INDEXED BY transcript_by_age WHERE at < ?1 ORDER BY at, seq LIMIT ?2)";
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        Ok(tx.prepare(delete)?.execute(params![self.before, limit])?)
    }
}

fn time(millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(millis).map_err(|error| Error::Corrupt(error.to_string()))
}
