//! The header `Idempotency-Key`: the same key with the same request gives the same answer, with another one a conflict.
//!
//! The key is taken as it came; what it may be and what it is compared with is the engine's, in the commit that accepts.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::problem::Problem;

/// What the client calls this request, if it does.
#[derive(Debug)]
pub(super) struct IdempotencyKey(pub(super) Option<String>);

/// The header, in the words that errors name it by.
pub(super) const HEADER: &str = "Idempotency-Key";

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut keys = parts.headers.get_all(HEADER).iter();
        let Some(key) = keys.next() else { return Ok(Self(None)) };
        if keys.next().is_some() {
            return Err(Problem::field(HEADER, "give it once"));
        }
        let wrong = |_| Problem::field(HEADER, "give 1 to 255 visible ASCII characters");
        Ok(Self(Some(key.to_str().map_err(wrong)?.to_owned())))
    }
}
