//! Pauses: an operator holds back a conversation, a channel, or everything.
//!
//! A pause is in force when [`Proactive::pause`] returns, also across restarts: nothing goes any more whose bytes have not left by then.
//! What is held back takes no memory, and comes back when the pause is taken back.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use rusqlite::{Connection, Row, params, params_from_iter, types::Value};
use serde::{Deserialize, Serialize};

use super::{Error, Page, Proactive, Reach, conversation::ConversationView, desk::Desk, job_queries::time};
use crate::{
    activity::ConversationKey,
    store::{self, Command, Query, Tx},
};

/// What is paused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum PauseScope {
    /// Everything.
    All,
    /// One channel.
    Channel {
        /// Its id.
        channel_id: String,
    },
    /// One conversation.
    Conversation {
        /// Which one.
        conversation: ConversationView,
    },
}

impl PauseScope {
    /// One conversation.
    #[must_use]
    pub fn conversation(key: &ConversationKey) -> Self {
        Self::Conversation { conversation: key.into() }
    }

    fn columns(&self) -> (&str, &str) {
        match self {
            Self::All => ("", ""),
            Self::Channel { channel_id } => (channel_id, ""),
            Self::Conversation { conversation } => (&conversation.channel_id, &conversation.id),
        }
    }

    fn read(channel_id: String, id: String) -> Self {
        match (channel_id.is_empty(), id.is_empty()) {
            (true, _) => Self::All,
            (false, true) => Self::Channel { channel_id },
            (false, false) => Self::Conversation { conversation: ConversationView { channel_id, id } },
        }
    }
}

impl std::fmt::Display for PauseScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("everything"),
            Self::Channel { channel_id } => write!(f, "the channel {channel_id}"),
            Self::Conversation { conversation } => {
                write!(f, "the conversation {}/{}", conversation.channel_id, conversation.id)
            }
        }
    }
}

/// A pause in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Pause {
    /// What is paused.
    #[serde(flatten)]
    pub scope: PauseScope,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Since when.
    pub at: Timestamp,
}

/// Where a page of pauses ended. It stays good when the pause that it names is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseMark {
    /// When the last pause on the page was put in force.
    pub at: Timestamp,
    /// What it holds back.
    pub scope: PauseScope,
}

/// The pauses, in memory: asked before every send.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    all: bool,
    channels: HashSet<String>,
    conversations: HashMap<String, HashSet<String>>,
}

impl Pauses {
    pub(super) fn set(&mut self, scope: &PauseScope) {
        match scope {
            PauseScope::All => self.all = true,
            PauseScope::Channel { channel_id } => {
                self.channels.insert(channel_id.clone());
            }
            PauseScope::Conversation { conversation } => {
                let of_channel = self.conversations.entry(conversation.channel_id.clone()).or_default();
                of_channel.insert(conversation.id.clone());
            }
        }
    }

    pub(super) fn clear(&mut self, scope: &PauseScope) {
        match scope {
            PauseScope::All => self.all = false,
            PauseScope::Channel { channel_id } => {
                self.channels.remove(channel_id);
            }
            PauseScope::Conversation { conversation } => {
                if let Some(of_channel) = self.conversations.get_mut(&conversation.channel_id) {
                    of_channel.remove(&conversation.id);
                    if of_channel.is_empty() {
                        self.conversations.remove(&conversation.channel_id);
                    }
                }
            }
        }
    }

    /// How many there are.
    fn len(&self) -> usize {
        let of_conversations: usize = self.conversations.values().map(HashSet::len).sum();
        usize::from(self.all) + self.channels.len() + of_conversations
    }

    /// Whether a whole channel is held back.
    pub(super) fn channel(&self, channel_id: &str) -> bool {
        self.all || self.channels.contains(channel_id)
    }

    /// What holds a conversation back.
    pub(super) fn of(&self, key: &ConversationKey) -> Option<PauseScope> {
        let channel_id = key.channel_id();
        if self.all {
            Some(PauseScope::All)
        } else if self.channels.contains(channel_id) {
            Some(PauseScope::Channel { channel_id: channel_id.to_owned() })
        } else {
            self.conversations
                .get(channel_id)
                .is_some_and(|ids| ids.contains(key.conversation_id()))
                .then(|| PauseScope::conversation(key))
        }
    }
}

/// Puts a pause in force; one that is in force stays as it is.
pub(super) struct Set {
    pub(super) desk: Arc<Desk>,
    pub(super) scope: PauseScope,
    pub(super) reason: Option<String>,
}

impl Command for Set {
    /// The pause in force.
    type Outcome = Pause;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Pause, store::Error> {
        let (channel_id, id) = self.scope.columns();
        tx.prepare("INSERT INTO pause VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?.execute(params![
            channel_id,
            id,
            self.reason,
            tx.now()
        ])?;
        let (reason, at) = tx
            .prepare("SELECT reason, at FROM pause WHERE channel_id = ?1 AND conversation_id = ?2")?
            .query_row([channel_id, id], |row| Ok((row.get(0)?, time(row.get(1)?))))?;
        let pause = Pause { scope: self.scope.clone(), reason, at };
        // On the writer's thread: an attempt that is marked begun after this commit meets the pause.
        tx.afterwards(move || self.desk.paused(&self.scope));
        Ok(pause)
    }
}

/// Takes a pause back. Answers whether there was one.
pub(super) struct Clear {
    pub(super) desk: Arc<Desk>,
    pub(super) scope: PauseScope,
}

impl Command for Clear {
    type Outcome = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, store::Error> {
        let (channel_id, id) = self.scope.columns();
        let gone = tx
            .prepare("DELETE FROM pause WHERE channel_id = ?1 AND conversation_id = ?2")?
            .execute([channel_id, id])?;
        tx.afterwards(move || self.desk.resumed(&self.scope));
        Ok(gone > 0)
    }
}

/// The pauses in force, oldest first.
#[derive(Debug)]
pub(super) struct InForce;

impl Query for InForce {
    type Answer = Vec<Pause>;

    fn run(self, connection: &Connection) -> Result<Vec<Pause>, store::Error> {
        let sql = format!("SELECT {COLUMNS} FROM pause ORDER BY {ORDER}");
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
    }
}

const COLUMNS: &str = "channel_id, conversation_id, reason, at";
const ORDER: &str = "at, channel_id, conversation_id";

fn read(row: &Row<'_>) -> rusqlite::Result<Pause> {
    let scope = PauseScope::read(row.get(0)?, row.get(1)?);
    Ok(Pause { scope, reason: row.get(2)?, at: time(row.get(3)?) })
}

/// A page of them within a reach: those of which all that they hold back is reached.
#[derive(Debug)]
struct Listed {
    after: Option<PauseMark>,
    reach: Reach,
    limit: u32,
}

impl Query for Listed {
    type Answer = Page<Pause, PauseMark>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        let (mut conditions, mut values) = (vec!["1".to_owned()], Vec::<Value>::new());
        if let Some(PauseMark { at, scope }) = &self.after {
            let (channel_id, id) = scope.columns();
            conditions.push(format!("({ORDER}) > (?, ?, ?)"));
            values.extend([at.as_millisecond().into(), channel_id.to_owned().into(), id.to_owned().into()]);
        }
        // A pause of everything has neither channel nor conversation, and one of a channel no conversation: the condition on conversations
        // lets in just what is wholly within. Who is limited to kinds of jobs reaches none of them.
        if let Some((condition, within)) = self.reach.of_conversations() {
            conditions.push(condition);
            values.extend(within);
        }
        if self.reach.kinds.is_some() {
            conditions.push("0".to_owned());
        }
        let limit = self.limit.max(1) as usize;
        values.push((limit as i64 + 1).into());
        let sql = format!(
            "SELECT {COLUMNS} FROM pause WHERE {} ORDER BY {ORDER} LIMIT ?",
            conditions.join(" AND ")
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let items = statement.query_map(params_from_iter(values), read)?.collect::<Result<_, _>>()?;
        Ok(Page::cut(items, limit, |pause| PauseMark { at: pause.at, scope: pause.scope.clone() }))
    }
}

impl Proactive {
    /// Holds back a conversation, a channel or everything until [`resume`](Self::resume). When this returns, nothing more goes there
    /// but what was on its way. A pause that is in force keeps its reason and its time, and is the answer.
    ///
    /// # Errors
    /// What the store says.
    pub async fn pause(&self, scope: PauseScope, reason: Option<String>) -> Result<Pause, Error> {
        let pause = self.inner.store.commit(Set { desk: self.desk(), scope, reason }).await?;
        failpoint!(AfterCommand);
        Ok(pause)
    }

    /// Takes a pause back; what it held back goes on. Answers whether there was one of exactly this scope.
    ///
    /// # Errors
    /// What the store says.
    pub async fn resume(&self, scope: PauseScope) -> Result<bool, Error> {
        Ok(self.inner.store.commit(Clear { desk: self.desk(), scope }).await?)
    }

    /// The pauses in force, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn pauses(&self) -> Result<Vec<Pause>, Error> {
        Ok(self.inner.store.read(InForce).await?)
    }

    /// A page of the pauses in force after `after`, oldest first: those of which all that they hold back is within `reach`. What it costs
    /// does not grow with how many there are, unless `reach` leaves out most of them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn pause_page(
        &self,
        after: Option<PauseMark>,
        limit: u32,
        reach: &Reach,
    ) -> Result<Page<Pause, PauseMark>, Error> {
        Ok(self.inner.store.read(Listed { after, reach: reach.clone(), limit }).await?)
    }

    /// How many pauses are in force, without reading them.
    #[must_use]
    pub fn paused(&self) -> usize {
        self.desk().state().gates.pauses.len()
    }
}
