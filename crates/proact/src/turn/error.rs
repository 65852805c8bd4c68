//! What sending can come to, and the one failure that is nobody's fault.

use super::BotError;

/// Why an activity was not, or perhaps not, sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There was nothing to send.
    #[error("there is no activity to send: give at least one")]
    Empty,
    /// The turn's activity does not say where to send to.
    #[error("the turn's activity has no {0}, so nothing can be sent to its conversation")]
    NoTarget(&'static str),
    /// The turn's replies were wanted in its answer (`expectReplies`), and the answer is given.
    #[error(
        "the turn is over and its answer given: send before its end, or continue the conversation proactively"
    )]
    Answered,
    /// The activity was sent beside a message of the outbox, and could not be put on record as a notification of its own.
    #[error("what was sent beside a notification could not be accepted as one of its own")]
    Beside(#[source] BotError),
    /// The channel, or the way to it, failed; the source says how.
    #[error("the activity was not taken by the channel")]
    Channel {
        /// What happened.
        #[source]
        source: BotError,
        /// Whether it may have arrived all the same.
        may_have_arrived: bool,
    },
}

impl SendError {
    /// Whether the activity may have arrived all the same: then sending it again may show it twice.
    #[must_use]
    pub const fn bytes_may_have_left(&self) -> bool {
        matches!(self, Self::Channel { may_have_arrived: true, .. })
    }
}

/// The store cannot take a write now (full, read-only, overloaded). Found anywhere in the sources of a handler's error, the turn is
/// answered 503 instead of an apology, so that the channel tries again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(String);

impl Unavailable {
    /// With the reason, in words for the log.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// Whether `error` is, or comes from, an unavailable store.
    #[must_use]
    pub fn is_in(error: &(dyn std::error::Error + 'static)) -> bool {
        std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<Self>())
    }
}
