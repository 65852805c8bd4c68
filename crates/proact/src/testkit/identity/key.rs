//! RSA keys for tests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, KeyPair as _, RsaEncoding, RsaKeyPair};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::auth::SigningKey;

/// A key pair of 2048 bits. Making one takes a while, so those that are [numbered](Self::numbered) are made once per process.
#[derive(Clone)]
pub struct TestKey {
    id: String,
    pair: Arc<RsaKeyPair>,
    endorsements: Vec<String>,
}

impl TestKey {
    /// The `number`th key of this process, under the id `key-{number}`: the same each time it is asked for.
    ///
    /// # Panics
    /// If no key can be made.
    #[must_use]
    pub fn numbered(number: usize) -> Self {
        static MADE: Mutex<Vec<Arc<RsaKeyPair>>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        while made.len() <= number {
            made.push(Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key can be made")));
        }
        Self { id: format!("key-{number}"), pair: Arc::clone(&made[number]), endorsements: Vec::new() }
    }

    /// The same key pair under another id.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// The same key, endorsed for these channels.
    #[must_use]
    pub fn endorsed_for<S: Into<String>>(self, channels: impl IntoIterator<Item = S>) -> Self {
        Self { endorsements: channels.into_iter().map(Into::into).collect(), ..self }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its public half, as an authenticator holds it.
    ///
    /// # Panics
    /// If its id is empty.
    #[must_use]
    pub fn public(&self) -> SigningKey {
        let (modulus, exponent) = self.components();
        let key = SigningKey::rsa(&self.id, &modulus, &exponent).expect("a key with an id");
        key.endorsed_for(self.endorsements.clone())
    }

    /// Its public half as a JSON Web Key.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let (modulus, exponent) = self.components();
        let mut jwk = json!({"kty": "RSA", "use": "sig", "kid": self.id, "n": modulus, "e": exponent});
        if !self.endorsements.is_empty() {
            jwk["endorsements"] = json!(self.endorsements);
        }
        jwk
    }

    /// Its public half in DER (PKCS #1): what a confused verifier takes for the secret of an HMAC.
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    pub(super) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            "RS384" => &signature::RSA_PKCS1_SHA384,
            "RS512" => &signature::RSA_PKCS1_SHA512,
            "PS256" => &signature::RSA_PSS_SHA256,
            _ => &signature::RSA_PKCS1_SHA256,
        };
        let mut signed = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message, &mut signed).expect("an RSA key signs");
        signed
    }

    fn components(&self) -> (String, String) {
        let public = self.pair.public_key();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        (
            text(public.modulus().big_endian_without_leading_zero()),
            text(public.exponent().big_endian_without_leading_zero()),
        )
    }
}

impl fmt::Debug for TestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestKey").field("id", &self.id).finish_non_exhaustive()
    }
}
