//! What can go wrong on the way out, by what is known about the request afterwards.

use std::fmt;
use std::time::Duration;

use http::HeaderMap;

use super::exchange::Names;
use super::{Refused, TokenError};

/// Why there is no whole response.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The guard did not let the request out. Nothing left.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The host could not be resolved, connected to or shaken hands with. Nothing left.
    #[error("cannot reach {host}: {reason}; see whether it runs and listens there")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The innermost cause.
        reason: String,
    },
    /// There is no token for the target. Nothing left for it.
    #[error("nothing can be sent to {host}: {reason}")]
    NoToken {
        /// Host and port.
        host: String,
        /// Why there is none.
        reason: TokenError,
    },
    /// There was a connection, and no whole response within the time allowed.
    #[error("no whole response from {host} within {after:?}; the request may have been acted on")]
    TimedOut {
        /// Host and port.
        host: String,
        /// The time allowed.
        after: Duration,
        /// The response's head, if it had come.
        head: Option<Box<Head>>,
    },
    /// The connection broke, or what came over it was not HTTP.
    #[error("the exchange with {host} broke off: {reason}; the request may have been acted on")]
    Lost {
        /// Host and port.
        host: String,
        /// The innermost cause.
        reason: String,
        /// The response's head, if it had come.
        head: Option<Box<Head>>,
    },
    /// The response's body is larger than allowed.
    #[error("the response from {host} is larger than the {limit} bytes allowed; the request was acted on")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The size allowed.
        limit: usize,
        /// The response's head.
        head: Option<Box<Head>>,
    },
}

/// The head of a response whose body did not follow.
#[derive(Clone)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
}

impl Error {
    /// Whether the other side may have received the request, wholly or in part. If not, sending again repeats nothing.
    #[must_use]
    pub fn bytes_may_have_left(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Unreachable { .. } | Self::NoToken { .. } => false,
            Self::TimedOut { .. } | Self::Lost { .. } | Self::TooLarge { .. } => true,
        }
    }

    /// The response's head, if it came before the failure.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        match self {
            Self::Refused(_) | Self::Unreachable { .. } | Self::NoToken { .. } => None,
            Self::TimedOut { head, .. } | Self::Lost { head, .. } | Self::TooLarge { head, .. } => {
                head.as_deref()
            }
        }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("status", &self.status).field("headers", &Names(&self.headers)).finish()
    }
}
