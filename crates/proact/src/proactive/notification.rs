//! A notification: one proactive message to one conversation, its states, and the attempts to deliver it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{conversation::ConversationView, gate::Gate, state::NotificationState};
use crate::activity::Activity;

/// Declares an enum of states with the one word that stands for each in the database and on the wire.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it, in the database, the API and the logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value that `word` stands for.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                Self::parse(value.as_str()?).ok_or(rusqlite::types::FromSqlError::InvalidType)
            }
        }

        impl rusqlite::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }
    };
}
pub(super) use words;

words! {
    /// How one try ended.
    AttemptOutcome {
        /// The channel answered 200, 201 or 202.
        Delivered = "delivered",
        /// The channel said that it did not take it now.
        Retry = "retry",
        /// The channel refused it for good.
        Failed = "failed",
        /// It may have arrived: no answer, a lost connection, the death of the process.
        Unknown = "unknown",
        /// No byte left.
        NotSent = "not_sent",
    }
}

words! {
    /// Which of a conversation's ready notifications goes first.
    Priority {
        /// Before all others.
        Urgent = "urgent",
        /// The usual one.
        Normal = "normal",
        /// After all others.
        Bulk = "bulk",
    }
}

words! {
    /// What to do when it cannot be known whether an attempt arrived.
    Policy {
        /// Send again; the record says why.
        AtLeastOnce = "at_least_once",
        /// Leave it as unknown, for a person to look at.
        AtMostOnce = "at_most_once",
    }
}

words! {
    /// When the message may appear, relative to the talk.
    Moment {
        /// Not inside a turn of its conversation.
        AfterTurn = "after_turn",
        /// At once, whatever goes on.
        Interject = "interject",
    }
}

/// What made a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// A job came to its end, or there was no news of it.
    Job {
        /// Its number.
        job: u64,
    },
    /// A job's progress is shown.
    Progress {
        /// Its number.
        job: u64,
        /// The message that is edited, by the channel's id; `None` when one is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edits: Option<String>,
    },
    /// The bot's own code called `notify`.
    Bot,
    /// It came over the HTTP API.
    Api,
    /// It came from the command line.
    CommandLine,
    /// Middleware sent it beside another notification.
    Beside {
        /// That notification.
        notification: Uuid,
    },
}

impl Cause {
    /// The job that is told of, if one is.
    #[must_use]
    pub const fn job(&self) -> Option<u64> {
        match self {
            Self::Job { job } | Self::Progress { job, .. } => Some(*job),
            _ => None,
        }
    }
}

/// One proactive message to one conversation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Notification {
    /// Its id, for ever.
    pub id: Uuid,
    /// Where it stands.
    pub state: NotificationState,
    /// Why it is suppressed, failed or waits for another try, if there is something to say.
    pub reason: Option<String>,
    /// To which conversation.
    pub conversation: ConversationView,
    /// Its class within its lane.
    pub priority: Priority,
    /// What to do about an unknown outcome.
    pub policy: Policy,
    /// When it may appear.
    pub moment: Moment,
    /// What made it.
    pub cause: Cause,
    /// The text of its activity, shortened; the template's name, if it is made from one.
    pub text: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Not to be tried before: the time that was asked for, or that of the next try.
    pub due_at: Timestamp,
    /// Not wanted any more after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it came to its end.
    pub settled_at: Option<Timestamp>,
    /// Attempts begun.
    pub tries: u32,
    /// A newer one with this key takes the place of one that still waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapse_key: Option<String>,
    /// It repeats this one, at somebody's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<Uuid>,
    /// What is sent; only when one notification is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// The template and its data; only when one notification is shown that is made from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<FromTemplate>,
    /// The tries, oldest first; only when one notification is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<Attempt>>,
    /// What keeps it waiting at this moment; only when one notification is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gates: Option<Vec<Gate>>,
}

impl Notification {
    /// Whether one of its attempts may have arrived without anybody knowing.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        let unknown = |attempt: &Attempt| attempt.outcome == Some(AttemptOutcome::Unknown);
        self.attempts.as_ref().is_some_and(|attempts| attempts.iter().any(unknown))
    }
}

/// A template with the data that it is filled with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FromTemplate {
    /// The template's name.
    pub name: String,
    /// What it is filled with: a JSON object.
    #[serde(default)]
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// One try to deliver a notification.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attempt {
    /// 1 is the first.
    pub number: u32,
    /// When it was on record as begun: before its bytes left.
    pub begun_at: Timestamp,
    /// When its outcome was known.
    pub ended_at: Option<Timestamp>,
    /// How it ended; `None` while it is under way.
    pub outcome: Option<AttemptOutcome>,
    /// The channel's HTTP status, if it answered.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
}
