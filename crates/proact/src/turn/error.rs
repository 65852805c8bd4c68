//! What sending can come to, and the one failure that is nobody's fault.

use std::{fmt, sync::Arc};

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
    /// What is to be updated or deleted has no id.
    #[error(
        "the activity to update or delete has no id: give it the one that the channel answered when it was sent"
    )]
    NoActivityId,
    /// A [hook](super::OutgoingHook) did not let the message of a notification go on.
    #[error("a hook stopped the message")]
    Stopped,
    /// The activity was sent beside a message of the outbox, and could not be put on record as a notification of its own.
    #[error("what was sent beside a notification could not be accepted as one of its own")]
    Beside(#[source] BotError),
    /// The message of the outbox is not to be sent any more, or not now: it was cancelled, its time ran out, its conversation was
    /// paused. No byte left.
    #[error("the notification was withheld at the last moment: its own record says why")]
    Withheld,
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

    /// What the channel's side says, as the type of who sends: for the adapter that is a
    /// [`connector::Error`](crate::connector::Error), with the channel's status in it.
    ///
    /// ```
    /// # use proact::{connector, turn::{BotError, SendError, TurnContext}};
    /// # async fn tidy(ctx: &TurnContext, id: &str) -> Result<(), SendError> {
    /// match ctx.delete(id).await {
    ///     Err(error) if error.cause::<connector::Error>().and_then(connector::Error::status) == Some(404) => Ok(()),
    ///     other => other,
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn cause<E: std::error::Error + 'static>(&self) -> Option<&E> {
        let Self::Channel { source, .. } = self else { return None };
        let shared = source.downcast_ref::<Shared>();
        shared.map_or_else(|| source.downcast_ref(), |shared| shared.0.downcast_ref())
    }

    /// The same error twice: for who keeps it, and for who is told.
    pub(super) fn share(self) -> (Self, Self) {
        let split = |source: BotError| {
            let shared = Shared(Arc::new(source));
            (BotError::from(shared.clone()), BotError::from(shared))
        };
        match self {
            Self::Channel { source, may_have_arrived } => {
                let (kept, told) = split(source);
                (
                    Self::Channel { source: kept, may_have_arrived },
                    Self::Channel { source: told, may_have_arrived },
                )
            }
            Self::Beside(source) => {
                let (kept, told) = split(source);
                (Self::Beside(kept), Self::Beside(told))
            }
            Self::Empty => (Self::Empty, Self::Empty),
            Self::NoTarget(field) => (Self::NoTarget(field), Self::NoTarget(field)),
            Self::Answered => (Self::Answered, Self::Answered),
            Self::NoActivityId => (Self::NoActivityId, Self::NoActivityId),
            Self::Stopped => (Self::Stopped, Self::Stopped),
            Self::Withheld => (Self::Withheld, Self::Withheld),
        }
    }
}

/// An error that two hold.
#[derive(Clone, Debug)]
struct Shared(Arc<BotError>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // Itself, so that who looks for a type among the sources finds it.
        Some(&**self.0)
    }
}

/// The store cannot take a write now (full, read-only, overloaded), or takes none any more (a sync failed). Found anywhere in the sources of a handler's error, the turn is
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
