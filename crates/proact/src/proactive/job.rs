//! A job: work that finishes later, under a small number that people can type.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{conversation::ConversationView, notification::words};
use crate::store::Effect;

words! {
    /// Where a job stands.
    JobState {
        /// Accepted, not begun.
        Queued = "queued",
        /// Begun.
        Running = "running",
        /// Completed.
        Succeeded = "succeeded",
        /// Its worker reported a failure.
        Failed = "failed",
        /// Taken back.
        Cancelled = "cancelled",
        /// Its deadline passed, or its worker went silent.
        TimedOut = "timed_out",
    }
}

impl JobState {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// A row of the job log.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Job {
    /// Small, counted up, never used twice.
    pub number: u64,
    /// What kind of work, in the bot's own words.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// The conversation it was started in, which is told when it is complete.
    pub conversation: ConversationView,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it came to its end.
    pub completed_at: Option<Timestamp>,
    /// The notification that tells of its end.
    pub notification_id: Option<Uuid>,
}

/// What became of a request to complete a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "completion", rename_all = "snake_case")]
#[must_use]
pub enum Completion {
    /// This request completed it; the notification is accepted.
    Completed {
        /// The notification that was accepted in the same commit.
        notification: Uuid,
    },
    /// It had come to its end before.
    AlreadyCompleted,
    /// The log does not contain it (or not for the one who asks).
    NotFound,
}

impl Effect for Completion {
    fn took_effect(&self) -> bool {
        matches!(self, Self::Completed { .. })
    }
}

/// The outcome of starting a job, as it stands on record.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Started {
    pub(super) number: u64,
}

impl Effect for Started {
    fn took_effect(&self) -> bool {
        true
    }
}
