//! Signatures of deliveries, as Standard Webhooks has them (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
//!
//! What is signed is `<webhook-id>.<webhook-timestamp>.<body>`, the body byte by byte as it came. `v1` is HMAC-SHA256 under a secret of 24 to
//! 64 bytes (`whsec_`), `v1a` is Ed25519 under a public key (`whpk_`). There may be several signatures, and a sender may have several
//! secrets: one that fits is enough, so that secrets can be changed without a gap.
//!
//! A signature counts in its whole length or not at all: what is compared is 32 bytes with 32 bytes, in constant time, so that a piece of
//! one is none (CVE-2024-21491). A time may differ from ours by five minutes, in both directions.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::http::HeaderMap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

/// How far a delivery's time may be from ours, in seconds.
const TOLERANCE: i64 = 300;
/// Signatures in one delivery at most: each costs work before anybody is known.
const SIGNATURES: usize = 8;
/// Characters of an id at most.
const ID: usize = 255;

/// What a signature is checked with. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SigningSecret {
    /// `whsec_`: shared with the sender.
    Shared(Vec<u8>),
    /// `whpk_`: the sender's public key.
    Public([u8; 32]),
}

/// The headers of a signed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed<'h> {
    /// The delivery's id.
    pub(crate) id: &'h str,
    timestamp: &'h str,
    at: i64,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Signature {
    V1([u8; 32]),
    V1a([u8; 64]),
}

/// Why a delivery is not believed; its text names the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSigned {
    #[error("{0}: give it once")]
    Header(&'static str),
    #[error("webhook-id: give 1 to 255 visible ASCII characters without a dot")]
    Id,
    #[error("webhook-timestamp: give the seconds since 1970, in digits")]
    Timestamp,
    #[error("webhook-timestamp: this is more than five minutes away from the time here")]
    Time,
    #[error("webhook-signature: there is no whole signature of v1 or v1a among the first eight")]
    Signature,
    #[error("webhook-signature: none fits this body and a secret of the sender")]
    NoneFits,
}

/// Whether a request means to be signed.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    ["webhook-id", "webhook-timestamp", "webhook-signature"].iter().any(|name| headers.contains_key(*name))
}

impl SigningSecret {
    /// Reads `whsec_…` or `whpk_…`.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str =
            "give whsec_ and 24 to 64 bytes in Base64, or whpk_ and a public key of 32 bytes in Base64";
        let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| SHAPE);
        if let Some(text) = text.strip_prefix("whsec_") {
            let secret = bytes(text)?;
            return if (24..=64).contains(&secret.len()) { Ok(Self::Shared(secret)) } else { Err(SHAPE) };
        }
        let key = bytes(text.strip_prefix("whpk_").ok_or(SHAPE)?)?;
        key.try_into().map(Self::Public).map_err(|_| SHAPE)
    }
}

impl<'h> Signed<'h> {
    /// Reads the headers; all three must be there once.
    pub(crate) fn read(headers: &'h HeaderMap) -> Result<Self, NotSigned> {
        let id = only(headers, "webhook-id")?;
        // A dot would make two readings of what is signed.
        if !(1..=ID).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
            return Err(NotSigned::Id);
        }
        let timestamp = only(headers, "webhook-timestamp")?;
        if timestamp.is_empty() || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotSigned::Timestamp);
        }
        let at = timestamp.parse().map_err(|_| NotSigned::Timestamp)?;
        let signatures: Vec<_> = only(headers, "webhook-signature")?
            .split(' ')
            .take(SIGNATURES)
            .filter_map(Signature::read)
            .collect();
        if signatures.is_empty() {
            return Err(NotSigned::Signature);
        }
        Ok(Self { id, timestamp, at, signatures })
    }

    /// Whether one of `secrets` signed this very body, now.
    pub(crate) fn check(
        &self,
        body: &[u8],
        secrets: &[SigningSecret],
        now: Timestamp,
    ) -> Result<(), NotSigned> {
        if self.at.abs_diff(now.as_second()) > TOLERANCE.unsigned_abs() {
            return Err(NotSigned::Time);
        }
        let head = format!("{}.{}.", self.id, self.timestamp);
        // All are tried: that one fitted early shows in no time.
        let mut fits = Choice::from(0);
        for secret in secrets {
            fits |= match secret {
                SigningSecret::Shared(secret) => self.fits_shared(secret, &head, body),
                SigningSecret::Public(key) => self.fits_public(key, &head, body),
            };
        }
        if fits.into() { Ok(()) } else { Err(NotSigned::NoneFits) }
    }

    fn fits_shared(&self, secret: &[u8], head: &str, body: &[u8]) -> Choice {
        let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        let mac: [u8; 32] = mac.chain_update(head).chain_update(body).finalize().into_bytes().into();
        let mut fits = Choice::from(0);
        for signature in &self.signatures {
            if let Signature::V1(signature) = signature {
                fits |= signature.ct_eq(&mac);
            }
        }
        fits
    }

    fn fits_public(&self, key: &[u8; 32], head: &str, body: &[u8]) -> Choice {
        let mut signed = None;
        let mut fits = Choice::from(0);
        for signature in &self.signatures {
            if let Signature::V1a(signature) = signature {
                let signed = signed.get_or_insert_with(|| [head.as_bytes(), body].concat());
                let fine = UnparsedPublicKey::new(&ED25519, key).verify(signed, signature).is_ok();
                fits |= Choice::from(u8::from(fine));
            }
        }
        fits
    }
}

impl Signature {
    /// Reads one of known version and of whole length; others are passed over, as the specification has it.
    fn read(text: &str) -> Option<Self> {
        let (version, signature) = text.split_once(',')?;
        let bytes = || BASE64_STANDARD.decode(signature).ok();
        match version {
            "v1" => bytes()?.try_into().ok().map(Self::V1),
            "v1a" => bytes()?.try_into().ok().map(Self::V1a),
            _ => None,
        }
    }
}

fn only<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, NotSigned> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| NotSigned::Header(name)),
        _ => Err(NotSigned::Header(name)),
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
