//! The connector client's errors.

use super::{Class, RetryAfter, outcome};
use crate::egress;

/// Why an activity was not, or perhaps not, delivered.
///
/// Match on [`class`](Self::class) to decide, on the variants to tell.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service URL may not be called, or its host is where it may not be. Nothing left.
    #[error(transparent)]
    Refused(#[from] egress::Refused),
    /// The request cannot be written. Nothing left.
    #[error("the {what} cannot be sent: {why}")]
    Invalid {
        /// Which part of it.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// The channel's host could not be reached. Nothing left.
    #[error(transparent)]
    Unreachable {
        /// What happened.
        reason: egress::Error,
    },
    /// There is no token to send it with. Nothing left for the channel.
    #[error(transparent)]
    NoToken {
        /// What happened.
        reason: egress::Error,
    },
    /// No answer that could be read; the activity may have arrived.
    #[error(transparent)]
    Unknown {
        /// What happened.
        reason: egress::Error,
    },
    /// The channel answered 200, 201 or 202, but not with what was asked for.
    #[error(
        "the channel answered {status}, but not with {expected}: see whether the service URL is the channel's own"
    )]
    Unexpected {
        /// The status code.
        status: u16,
        /// What was asked for.
        expected: &'static str,
    },
    /// The channel answered with something other than 200, 201 or 202.
    #[error("the channel answered {status}{}{}; {}", told(" ", code.as_deref()), told(": ", message.as_deref()), advice(*status))]
    Status {
        /// The status code.
        status: u16,
        /// The error's code, as the channel names it: at most 100 characters, none of them control characters.
        code: Option<String>,
        /// The error's message: at most 300 characters, none of them control characters.
        message: Option<String>,
        /// When to try again at the earliest, if the channel said so.
        retry_after: Option<RetryAfter>,
    },
}

impl Error {
    /// What it means for the next step.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            // What a name server says can be other in a moment; what the URL says cannot.
            Self::Refused(refused) if refused.is_by_resolution() => Class::Unreachable,
            Self::Refused(_) | Self::Invalid { .. } => Class::Refused,
            Self::Unreachable { .. } => Class::Unreachable,
            Self::NoToken { .. } => Class::NoToken,
            Self::Unknown { .. } | Self::Unexpected { .. } => Class::Unknown,
            // A `Status` with a status that is delivered is never made.
            Self::Status { status, .. } => outcome::class_of(*status).unwrap_or(Class::Unknown),
        }
    }

    /// Whether sending again later may succeed and cannot show the activity twice. An [unknown](Self::is_unknown)
    /// outcome is not among these: there the notification's policy decides.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.class().is_retryable()
    }

    /// Whether the activity may have arrived all the same.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.class() == Class::Unknown
    }

    /// When to try again at the earliest, if the channel said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The status that the channel answered with.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } | Self::Unexpected { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The error's code, as the channel names it (`MessageWritesBlocked`, …).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Status { code, .. } => code.as_deref(),
            _ => None,
        }
    }
}

fn told(before: &str, what: Option<&str>) -> String {
    what.map_or_else(String::new, |what| format!("{before}{what}"))
}

fn advice(status: u16) -> &'static str {
    match (status, outcome::class_of(status)) {
        (401, _) => {
            "it was not taken, with a new token neither: see whether the app's id and secret are those registered with the channel"
        }
        (_, Some(Class::Throttled)) => "it was not taken: send it again later and more slowly",
        (_, Some(Class::Busy)) => "it was not taken: send it again later",
        (_, Some(Class::Permanent)) => "it was not taken and will not be",
        (300..=399, _) => {
            "redirects are not followed, and it may have arrived: see whether the service URL is the channel's own"
        }
        _ => "it may have arrived",
    }
}
