//! Gates: each is one reason not to send now, with what it means and when to look again.
//!
//! They are asked three times: when a lane looks for its next notification, in the commit that marks the attempt begun, and when the
//! next thing to happen is that bytes leave. What is refused in the commit never begins; what is refused after it ends *not sent*.

use jiff::Timestamp;
use serde::Serialize;

use super::pause::PauseScope;

/// One reason not to send now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "gate", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Gate {
    /// The bot has never met the conversation: nobody there has talked to it.
    NoContact,
    /// The channel said that the conversation cannot be written to, and nothing came from there since.
    Dead {
        /// What the channel said.
        reason: String,
    },
    /// It was cancelled.
    Cancelled,
    /// Its own expiry has passed.
    Expired,
    /// It waited longer than any notification may.
    TooOld,
    /// It is for a later time, or its next try is.
    NotYet {
        /// Look again then.
        until: Timestamp,
    },
    /// An earlier one of its class in the conversation is being retried.
    Behind {
        /// Look again then.
        until: Timestamp,
    },
    /// A turn of its conversation is under way; look again when it ends.
    InsideTurn,
    /// An operator holds it back; look again when that is taken back.
    Paused {
        /// What is paused.
        scope: PauseScope,
    },
    /// Its host cannot be reached, or refuses the app's credentials.
    Breaker {
        /// The host.
        host: String,
        /// What happened there last.
        reason: String,
        /// The host is tried again then.
        until: Timestamp,
    },
    /// A backup was restored, and nobody has said yet what to do with what waited in it.
    Held,
}

/// What a gate means for a notification that meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is not to be sent at all.
    Suppress,
    /// It was taken back.
    Cancel,
    /// Its time ran out.
    Expire,
    /// It failed: nobody would want it now.
    Fail,
    /// It goes on waiting.
    Wait,
}

impl Gate {
    pub(super) const fn meaning(&self) -> Meaning {
        match self {
            Self::NoContact | Self::Dead { .. } => Meaning::Suppress,
            Self::Cancelled => Meaning::Cancel,
            Self::Expired => Meaning::Expire,
            Self::TooOld => Meaning::Fail,
            Self::NotYet { .. }
            | Self::Behind { .. }
            | Self::InsideTurn
            | Self::Paused { .. }
            | Self::Breaker { .. }
            | Self::Held => Meaning::Wait,
        }
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoContact => {
                f.write_str("no contact on record: nobody in the conversation has talked to the bot")
            }
            Self::Dead { reason } => write!(f, "the conversation cannot be written to: {reason}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Expired => f.write_str("its expiry passed before it could be sent"),
            Self::TooOld => f.write_str("gave up: it waited longer than any notification may"),
            Self::NotYet { until } => write!(f, "not before {until}"),
            Self::Behind { until } => {
                write!(f, "an earlier one of the conversation is tried again at {until}")
            }
            Self::InsideTurn => f.write_str("a turn of the conversation is under way"),
            Self::Paused { scope } => write!(f, "paused: {scope}"),
            Self::Breaker { host, reason, until } => {
                write!(f, "{host} is out of order until {until}: {reason}")
            }
            Self::Held => f.write_str("held since a backup was restored: `proact release` decides"),
        }
    }
}
