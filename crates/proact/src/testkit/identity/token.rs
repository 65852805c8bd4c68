//! Tokens, right ones and every kind of wrong one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::TestKey;

/// A token that is being made. As it comes from the [`IdentityProvider`](super::IdentityProvider) it is valid; whatever is to be wrong with
/// it is said then. What is signed is what is said: a claim that is changed here is under the signature.
///
/// ```
/// # use proact::testkit::{IdentityProvider, TestClock};
/// # use std::sync::Arc;
/// # let provider = IdentityProvider::start_by(Arc::new(TestClock::default()));
/// let token = provider.channel_token("my-app", "http://127.0.0.1:1/").claim("aud", "another-app").bearer();
/// assert!(token.starts_with("Bearer ey"));
/// ```
#[derive(Clone, Debug)]
pub struct TestToken {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    key: TestKey,
    /// The bytes to put in place of the header and of the claims.
    raw: [Option<Vec<u8>>; 2],
    sign: Sign,
}

#[derive(Clone, Debug)]
enum Sign {
    ByKey,
    ByHmac(Vec<u8>),
    These(Vec<u8>),
}

impl TestToken {
    pub(super) fn new(key: TestKey, claims: Value) -> Self {
        let Value::Object(claims) = claims else { unreachable!("claims are an object") };
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!("RS256"));
        header.insert("typ".to_owned(), json!("JWT"));
        header.insert("kid".to_owned(), json!(key.id()));
        Self { header, claims, key, raw: [None, None], sign: Sign::ByKey }
    }

    /// With this claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Without this claim.
    #[must_use]
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// With this in its header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Without this in its header.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// By this algorithm, said and done: RS256, RS384, RS512 or PS256.
    #[must_use]
    pub fn algorithm(self, algorithm: &str) -> Self {
        self.header("alg", algorithm)
    }

    /// Signed by this key, which the header does not say.
    #[must_use]
    pub fn signed_by(mut self, key: &TestKey) -> Self {
        self.key = key.clone();
        self
    }

    /// With HS256, keyed by these bytes: by a public key, mostly.
    #[must_use]
    pub fn hmac(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.sign = Sign::ByHmac(key.into());
        self.header("alg", "HS256")
    }

    /// With these bytes for a signature; none leave the third part empty.
    #[must_use]
    pub fn signature(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.sign = Sign::These(bytes.into());
        self
    }

    /// With these bytes in place of the header's JSON, under the signature.
    #[must_use]
    pub fn raw_header(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw[0] = Some(bytes.into());
        self
    }

    /// With these bytes in place of the claims' JSON, under the signature.
    #[must_use]
    pub fn raw_claims(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw[1] = Some(bytes.into());
        self
    }

    /// The claims as JSON.
    #[must_use]
    pub fn claims_json(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The token.
    #[must_use]
    pub fn sign(&self) -> String {
        let part = |raw: &Option<Vec<u8>>, map: &Map<String, Value>| match raw {
            Some(bytes) => URL_SAFE_NO_PAD.encode(bytes),
            None => URL_SAFE_NO_PAD.encode(Value::Object(map.clone()).to_string()),
        };
        let signed = format!("{}.{}", part(&self.raw[0], &self.header), part(&self.raw[1], &self.claims));
        let signature = match &self.sign {
            Sign::ByKey => {
                let algorithm = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
                self.key.sign(algorithm, signed.as_bytes())
            }
            Sign::ByHmac(key) => Hmac::<Sha256>::new_from_slice(key)
                .expect("an HMAC takes keys of any length")
                .chain_update(&signed)
                .finalize()
                .into_bytes()
                .to_vec(),
            Sign::These(bytes) => bytes.clone(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The value of an `Authorization` header.
    #[must_use]
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.sign())
    }
}
