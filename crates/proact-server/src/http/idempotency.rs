//! The header `Idempotency-Key`: the same key with the same request gives the same answer, with another one a conflict.
//!
//! Each key of the API names its requests for itself: what one sender calls theirs neither stands in another's way nor tells them what was
//! made under it. Who needs no key names them as they come; what a name may be then, and what it is compared with, is the engine's, in the
//! commit that accepts.

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::{problem::Problem, right::Right};

/// What the engine is to know this request by, if the client calls it anything.
#[derive(Debug)]
pub(super) struct IdempotencyKey(pub(super) Option<String>);

/// The header, in the words that errors name it by.
pub(super) const HEADER: &str = "Idempotency-Key";

/// Characters of one at most.
const LONGEST: usize = 255;

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let right = Right::from_request_parts(parts, state).await?;
        let mut keys = parts.headers.get_all(HEADER).iter();
        let Some(key) = keys.next() else { return Ok(Self(None)) };
        if keys.next().is_some() {
            return Err(Problem::field(HEADER, "give it once"));
        }
        let wrong = |_| Problem::field(HEADER, "give 1 to 255 visible ASCII characters");
        let key = of(&right, key.to_str().map_err(wrong)?.to_owned());
        key.map(|key| Self(Some(key))).map_err(|problem| problem.renamed("idempotencyKey", HEADER))
    }
}

/// What the engine is to know by this name a request of who has this right. Names of a key's bearer begin with the key's id; the rest is a
/// digest, so that all are of one length.
pub(super) fn of(right: &Right, name: String) -> Result<String, Problem> {
    let Right::Key(grant) = right else { return Ok(name) };
    if name.is_empty() || name.chars().count() > LONGEST || name.chars().any(char::is_control) {
        let detail = format!("give 1 to {LONGEST} characters, none of them control characters");
        return Err(Problem::field("idempotencyKey", detail));
    }
    Ok(format!("key:{}:{}", grant.id, BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(name))))
}
