//! What a target is shown: a token, and whom to ask for it.

use std::{fmt, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt, ready};

use super::{BearerToken, TokenError, TokenSource};

/// What requests to a target carry: a token for a scope, from a source. A target has one of its own or none.
#[derive(Debug, Clone)]
pub struct Credential {
    pub(super) source: Arc<dyn TokenSource>,
    pub(super) scope: String,
}

impl Credential {
    /// Tokens for `scope`, from `source`.
    #[must_use]
    pub fn new(source: Arc<dyn TokenSource>, scope: impl Into<String>) -> Self {
        Self { source, scope: scope.into() }
    }

    /// Always the same token, such as an API key. When it is refused there is no other.
    #[must_use]
    pub fn fixed(token: BearerToken) -> Self {
        Self::new(Arc::new(Fixed(token)), "")
    }
}

struct Fixed(BearerToken);

impl TokenSource for Fixed {
    fn token<'a>(&'a self, _scope: &'a str) -> BoxFuture<'a, Result<BearerToken, TokenError>> {
        ready(Ok(self.0.clone())).boxed()
    }

    fn refused(&self, _scope: &str, _token: &BearerToken) {}
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fixed(…)")
    }
}
