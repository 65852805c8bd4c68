//! A job: work that finishes later, under a small number that people can type.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{conversation::ConversationView, job_progress::ProgressWay, job_state::JobState};
use crate::store::Effect;

/// A row of the job log. What was not asked for or has not come yet is left out of its JSON.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Job {
    /// Small, counted up, never used twice.
    pub number: u64,
    /// What kind of work, in the bot's own words.
    pub kind: String,
    /// What people are told that it is; by its number if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// Why it failed, if it did and somebody said why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The conversation it was started in, which is told when it is complete.
    pub conversation: ConversationView,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it must be at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// When its worker was last heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// When its conversation was told that its worker is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_at: Option<Timestamp>,
    /// How far it is, if that was ever reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<JobProgress>,
    /// When it came to its end.
    pub completed_at: Option<Timestamp>,
    /// The notification that tells of its end.
    pub notification_id: Option<Uuid>,
}

/// How far a job is, and how its conversation sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobProgress {
    /// From 0 to 100.
    pub percent: Option<u8>,
    /// A line about what is going on.
    pub text: Option<String>,
    /// When it was reported.
    pub updated_at: Timestamp,
    /// How it is shown.
    pub way: ProgressWay,
}

/// What became of a request to complete a job, or to bring it to another end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "completion", rename_all = "snake_case")]
#[must_use]
pub enum Completion {
    /// This request did it; the notification is accepted.
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

/// What became of a report of progress, or of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
#[must_use]
pub enum Reported {
    /// It is on record.
    Noted,
    /// The job has come to its end: nothing was changed.
    Finished {
        /// How it ended.
        state: JobState,
    },
    /// The log does not contain it.
    NotFound,
}

impl Effect for Reported {
    fn took_effect(&self) -> bool {
        matches!(self, Self::Noted)
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
