//! What workers outside asked and were told: jobs that a program starts, and everything that is reported of them with their tokens.
//!
//! Plain data, as the rest of a [history](crate::history). A job's title is its own in the whole run, and everything that people are told of the
//! job names it.

use crate::history::{Reply, Told};

/// How the titles of such jobs begin.
pub const WORK: &str = "work ";

/// A job that a program started, with what it did about it, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// The `Idempotency-Key` that it was started under.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The conversation's id.
    pub conversation: String,
    /// It was to end within a time.
    pub deadline: bool,
    /// Its worker was to be heard of.
    pub heartbeat: bool,
    /// The answers to its start; the id in each is the job's number.
    pub starts: Vec<Reply>,
    /// What was reported of it.
    pub reports: Vec<Report>,
}

/// One report and every answer to it; the id in each is the answer's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was said.
    pub what: What,
    /// The answers, in order.
    pub replies: Vec<Reply>,
}

/// What was said of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Its worker lives.
    Heartbeat,
    /// It is so far: as people are to see it after the title.
    Progress(String),
    /// It is done; the conversation is sent this.
    Complete(String),
    /// It failed; the conversation is sent this.
    Fail {
        /// Why.
        reason: String,
        /// What is sent.
        message: String,
    },
    /// It was taken back, by who may do everything; the conversation is sent this.
    Cancel(String),
    /// Its worker reports another end than the one before.
    Another(String),
    /// Somebody with the token of another job says that it is done.
    Stranger(String),
}

impl What {
    /// The state that it brings the job to, and what the conversation is sent.
    #[must_use]
    pub fn end(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Complete(message) => Some(("succeeded", message)),
            Self::Fail { message, .. } => Some(("failed", message)),
            Self::Cancel(message) => Some(("cancelled", message)),
            _ => None,
        }
    }
}

impl Report {
    /// Whether it was acknowledged at least once.
    #[must_use]
    pub fn acknowledged(&self) -> bool {
        self.replies.iter().any(|reply| reply.told == Told::Acknowledged)
    }

    /// Whether it can have had an effect.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        !self.replies.iter().all(|reply| reply.told.for_good())
    }
}

impl Work {
    /// The number that its program was told.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let acknowledged = self.starts.iter().find(|reply| reply.told == Told::Acknowledged)?;
        acknowledged.id.as_deref()?.parse().ok()
    }

    /// The reports that end it, other than those that must be refused.
    pub fn ends(&self) -> impl Iterator<Item = (&Report, &'static str, &str)> {
        self.reports.iter().filter_map(|report| {
            let (state, message) = report.what.end()?;
            Some((report, state, message))
        })
    }
}

/// Whether a text shows how far such a job is.
#[must_use]
pub fn is_progress(text: &str) -> bool {
    // The title, and a colon at once after it.
    text.strip_prefix(WORK).and_then(|rest| rest.split(' ').next()).is_some_and(|name| name.ends_with(':'))
}
