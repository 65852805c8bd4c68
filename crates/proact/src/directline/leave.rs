//! By whose leave a token is good, where it is not good by itself: what a key of the API, or a session of somebody's page, has opened ends with it.
//!
//! The leave stands in the token and in the stream's ticket, signed with the rest, and is handed on when they are renewed. It is asked about with every request, and by
//! each open stream again and again ([`ASKED_EVERY`](crate::keys::ASKED_EVERY)).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::keys::{Keys, Verb};

/// By whose leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    /// The key of the API with this id.
    Key(String),
    /// This session, in the words of who keeps them.
    Session(String),
}

/// Knows whether a session still holds: for an app whose page asks for a sign-in and gets tokens by
/// [`issue_token_within`](super::Channel::issue_token_within).
#[derive(Clone)]
pub struct Sessions(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl Sessions {
    /// `hold` is asked about what was said when a token was issued. It is asked often, and must not wait.
    pub fn new(hold: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(hold))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions(…)")
    }
}

/// Who is asked.
#[derive(Clone, Debug)]
pub(super) struct Leave {
    pub(super) keys: Option<Keys>,
    pub(super) sessions: Option<Sessions>,
}

impl Leave {
    /// Whether it still holds. What is good by itself always does.
    pub(super) fn holds(&self, by: Option<&By>) -> bool {
        match by {
            None => true,
            Some(By::Key(id)) => {
                let grant = self.keys.as_ref().and_then(|keys| keys.of_id(id));
                grant.is_some_and(|grant| grant.permits(Verb::Complete))
            }
            Some(By::Session(session)) => {
                self.sessions.as_ref().is_some_and(|sessions| (sessions.0)(session))
            }
        }
    }
}
