//! Whether a token was made here, for whom, and whether it is still good.

use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};

use super::ring::Ring;
use super::{Audience, Claims, ISSUER, SKEW_SECONDS};

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotVerified {
    /// It is no JSON Web Token that can be read, or lacks a claim.
    #[error("it is not a token of this channel")]
    Malformed,
    /// It names another algorithm than RS256.
    #[error("it is signed by another algorithm than RS256")]
    Algorithm,
    /// It names no key of this channel, or one whose time is over.
    #[error("it is signed by a key that is not this channel's, or no longer")]
    Key,
    /// Its signature is another's.
    #[error("its signature is not right")]
    Signature,
    /// It names another issuer.
    #[error("it is of another issuer")]
    Issuer,
    /// It is for somebody else.
    #[error("it is for another audience")]
    Audience,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it is not good yet: compare the clocks")]
    NotYet,
}

pub(super) fn verify(
    ring: &Ring,
    now: Timestamp,
    token: &str,
    audience: Audience,
) -> Result<Claims, NotVerified> {
    let header = decode_header(token).map_err(|error| reason(&error))?;
    if header.alg != Algorithm::RS256 {
        return Err(NotVerified::Algorithm);
    }
    let key = header.kid.and_then(|kid| ring.verifying(&kid, now)).ok_or(NotVerified::Key)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience.name()]);
    // By the clock that signed, which is not the library's.
    validation.validate_exp = false;
    let claims: Claims = decode(token, key, &validation).map_err(|error| reason(&error))?.claims;
    let now = now.as_second();
    if now >= claims.exp.saturating_add(SKEW_SECONDS) {
        return Err(NotVerified::Expired);
    }
    if now < claims.nbf.saturating_sub(SKEW_SECONDS) {
        return Err(NotVerified::NotYet);
    }
    Ok(claims)
}

fn reason(error: &jsonwebtoken::errors::Error) -> NotVerified {
    match error.kind() {
        ErrorKind::InvalidSignature => NotVerified::Signature,
        ErrorKind::InvalidIssuer => NotVerified::Issuer,
        ErrorKind::InvalidAudience => NotVerified::Audience,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => NotVerified::Algorithm,
        _ => NotVerified::Malformed,
    }
}
