//! The keys: one that signs, and those before it that still verify.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKey as RsaPublicKey};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::LIFETIME_SECONDS;
use crate::auth::{SigningKey as VerifyingKey, inbound::SKEW_SECONDS};
use crate::secret_file::LOOKED_AT_EVERY_SECONDS;

/// The keys at one time.
pub(super) struct Ring {
    pub(super) signing: SigningKey,
    pub(super) retired: Vec<RetiredKey>,
}

/// The key that signs.
pub(super) struct SigningKey {
    pub(super) public: PublicKey,
    pair: KeyPair,
}

/// A key that signed before. Its private half is gone.
pub(super) struct RetiredKey {
    pub(super) public: PublicKey,
    /// Until when it verifies: when the last of its tokens has expired.
    pub(super) until: Timestamp,
}

/// What verifies.
pub(super) struct PublicKey {
    /// The name in a token's header: the beginning of the key's hash, so that it cannot stand for another one.
    pub(super) kid: String,
    /// `RSAPublicKey` (RFC 8017).
    pub(super) der: Vec<u8>,
    verifies: Arc<VerifyingKey>,
}

impl PublicKey {
    /// The one in this `RSAPublicKey`, if it is one.
    pub(super) fn new(der: Vec<u8>) -> Option<Self> {
        let kid = URL_SAFE_NO_PAD.encode(&Sha256::digest(&der)[..16]);
        let key = RsaPublicKey::from_der(&der).ok()?;
        let text = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        let modulus = text(key.modulus().big_endian_without_leading_zero());
        let exponent = text(key.exponent().big_endian_without_leading_zero());
        let verifies = Arc::new(VerifyingKey::rsa(&*kid, &modulus, &exponent).ok()?);
        Some(Self { kid, der, verifies })
    }
}

impl SigningKey {
    /// A new one; `None` when the system has no random bytes.
    pub(super) fn make() -> Option<Self> {
        Self::of(KeyPair::generate(KeySize::Rsa2048).ok()?)
    }

    /// The one in this PKCS #8, if it is one that signs.
    pub(super) fn read(pkcs8: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(pkcs8).ok()?;
        if pair.public_modulus_len() >= KeySize::Rsa2048.len() { Self::of(pair) } else { None }
    }

    fn of(pair: KeyPair) -> Option<Self> {
        Some(Self { public: PublicKey::new(pair.public_key().as_ref().to_vec())?, pair })
    }

    pub(super) fn pkcs8(&self) -> Vec<u8> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().expect("a key that was made or read can be written");
        der.as_ref().to_vec()
    }

    /// The signature of RS256 (RFC 7518, 3.3).
    pub(super) fn sign(&self, text: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .expect("a key of 2048 bits signs any text");
        signature
    }
}

impl Ring {
    pub(super) fn new(signing: SigningKey) -> Self {
        Self { signing, retired: Vec::new() }
    }

    /// With `signing` in the place of the key that signs now, which verifies on until its tokens have expired. A process that runs
    /// notices a little later, and signs with the old one until then.
    pub(super) fn rotated(self, signing: SigningKey, now: Timestamp) -> Self {
        let last = LOOKED_AT_EVERY_SECONDS + LIFETIME_SECONDS + i64::from(SKEW_SECONDS);
        let until = now.saturating_add(SignedDuration::from_secs(last)).unwrap_or(Timestamp::MAX);
        let mut retired = self.retired;
        retired.retain(|key| key.until > now);
        retired.push(RetiredKey { public: self.signing.public, until });
        Self { signing, retired }
    }

    /// The key of this name, if it verifies now.
    pub(super) fn verifying(&self, kid: &str, now: Timestamp) -> Option<Arc<VerifyingKey>> {
        if self.signing.public.kid == kid {
            return Some(Arc::clone(&self.signing.public.verifies));
        }
        let retired = self.retired.iter().find(|key| key.public.kid == kid && now < key.until)?;
        Some(Arc::clone(&retired.public.verifies))
    }
}
