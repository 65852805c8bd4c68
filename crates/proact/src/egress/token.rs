//! The trait by which the guard asks for a token.

use std::fmt;

use futures_util::future::BoxFuture;

/// Gives the tokens that requests go out with. It is asked by the guard, inside the door, and only for hosts that are trusted.
///
/// Implementations cache, refresh early, and have one refresh in flight at a time: the guard asks before every request.
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// A token for `scope` (such as `https://api.botframework.com/.default`): the value that follows `Bearer `.
    ///
    /// # Errors
    /// [`TokenError`] says why there is none. Nothing has left for the request's own target then.
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<BearerToken, TokenError>>;

    /// The other side answered 401 to this token: it is not to be given again.
    fn refused(&self, scope: &str, token: &BearerToken);
}

/// A token for requests. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(String);

impl BearerToken {
    /// A token of this value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

/// Why there is no token. It never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token service says that the credentials are wrong; asking again does not help before they are changed.
    #[error(
        "the token service refuses these credentials ({code}): check MicrosoftAppId, MicrosoftAppPassword, MicrosoftAppType and MicrosoftAppTenantId"
    )]
    Refused {
        /// What the service calls it, such as `invalid_client`.
        code: String,
    },
    /// The token service could not be asked, or gave no answer that can be used; later it may.
    #[error("no token from {host}: {why}")]
    Unavailable {
        /// Whom was asked.
        host: String,
        /// What happened.
        why: String,
    },
}
