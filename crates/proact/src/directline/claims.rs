//! What a token says: one conversation, perhaps one person, and until when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::User;
use super::leave::By;
use super::origins::Origins;

/// How long a token is good for, in seconds; clients count on half an hour.
pub(super) const LIFETIME_SECONDS: i64 = 1800;

/// The claims under their names in Direct Line's own tokens: clients read `user`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// The conversation it opens.
    pub(super) conv: String,
    /// The person it speaks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    /// That person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Whose pages may use it.
    #[serde(default, skip_serializing_if = "Origins::is_empty")]
    pub(super) origins: Origins,
    /// By whose leave it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<By>,
    /// When it ends, in seconds since 1970.
    pub(super) exp: i64,
}

impl Claims {
    pub(super) fn new(conversation: &str, user: Option<&User>, now: Timestamp) -> Self {
        Self {
            conv: conversation.to_owned(),
            user: user.map(|user| user.id.clone()),
            name: user.and_then(|user| user.name.clone()),
            origins: Origins::default(),
            by: None,
            exp: now.as_second() + LIFETIME_SECONDS,
        }
    }

    /// The same, for pages of these origins only.
    pub(super) fn for_origins(self, origins: Origins) -> Self {
        Self { origins, ..self }
    }

    /// The same, by this leave.
    pub(super) fn by(self, by: Option<By>) -> Self {
        Self { by, ..self }
    }

    /// The same, with its whole time before it.
    pub(super) fn renewed(self, now: Timestamp) -> Self {
        Self { exp: now.as_second() + LIFETIME_SECONDS, ..self }
    }

    /// The person it speaks for.
    pub(super) fn user(&self) -> Option<User> {
        self.user.clone().map(|id| User { id, name: self.name.clone() })
    }
}
