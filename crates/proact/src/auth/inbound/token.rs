//! From the `Authorization` header to the parts of a token: nothing here is proven yet.
//!
//! Everything is refused that is not exactly of the form: a second space, padding, a fourth part, a name that comes twice. No text is
//! copied before its length is known.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{Denied, claims::Claims};

/// The largest `Authorization` header that is looked at, in bytes. Tokens of the login service have about 1.5 KB.
pub const MAX_HEADER: usize = 16 * 1024;

/// A token as it came, taken apart.
#[derive(Debug)]
pub(crate) struct Unverified<'t> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    pub(super) claims: Claims,
    /// What was signed: the first two parts with the point between them.
    signed: &'t str,
    signature: &'t str,
}

/// What is read of a token's header. The rest (`jku`, `x5c` …) is not looked at.
#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if is_object(bytes) { serde_json::from_slice(bytes).ok() } else { None }
    }
}

/// Whether it is an object, if it is JSON at all: serde reads a struct from a list too.
pub(super) fn is_object(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'t> Unverified<'t> {
    /// Takes an `Authorization` header apart.
    pub(crate) fn parse(authorization: Option<&'t [u8]>) -> Result<Self, Denied> {
        let token = bearer(authorization.ok_or(Denied::Missing)?)?;
        let (signed, signature) = token.rsplit_once('.').ok_or(Denied::NotAJwt("it has no three parts"))?;
        let (header, claims) = signed.split_once('.').ok_or(Denied::NotAJwt("it has no three parts"))?;
        if claims.contains('.') {
            return Err(Denied::NotAJwt("it has more than three parts"));
        }
        let header = Header::parse(&decoded(header)?)
            .ok_or(Denied::NotAJwt("its header is not a JSON object as it should be"))?;
        let algorithm = match header.alg.as_deref() {
            Some("RS256") => Algorithm::RS256,
            Some("RS384") => Algorithm::RS384,
            Some("RS512") => Algorithm::RS512,
            _ => return Err(Denied::Algorithm),
        };
        if header.crit {
            return Err(Denied::Critical);
        }
        decoded(signature)?;
        let claims = Claims::parse(&decoded(claims)?)?;
        Ok(Self { algorithm, key_id: header.kid.filter(|kid| !kid.is_empty()), claims, signed, signature })
    }

    /// Whether `key` made the signature, by the token's algorithm.
    pub(super) fn is_signed_by(&self, key: &jsonwebtoken::DecodingKey) -> bool {
        jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, self.algorithm)
            .unwrap_or(false)
    }
}

/// The token of a header that is exactly `Bearer`, one space and a text without one.
fn bearer(authorization: &[u8]) -> Result<&str, Denied> {
    if authorization.len() > MAX_HEADER {
        return Err(Denied::TooLarge);
    }
    let text = std::str::from_utf8(authorization).map_err(|_| Denied::NotBearer)?;
    let token = text.strip_prefix("Bearer ").ok_or(Denied::NotBearer)?;
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Denied::NotBearer);
    }
    Ok(token)
}

fn decoded(part: &str) -> Result<Vec<u8>, Denied> {
    if part.is_empty() {
        return Err(Denied::NotAJwt("a part is empty"));
    }
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Denied::NotAJwt("a part is not base64url"))
}
