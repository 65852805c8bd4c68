//! One key.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey};

/// A public RSA key that signatures are held against, by its id.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    decoding: DecodingKey,
    algorithm: Option<Algorithm>,
    endorsements: Vec<String>,
}

/// Why this is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key needs an id, and a modulus and an exponent in base64url")]
pub struct NotAKey;

impl SigningKey {
    /// A key by its modulus and its exponent, both as they stand in a JSON Web Key (RFC 7518, section 6.3.1): base64url. It is refused here
    /// if it cannot be read, and does not verify anything if it has fewer than 2048 bits.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn rsa(id: impl Into<String>, modulus: &str, exponent: &str) -> Result<Self, NotAKey> {
        let (id, decoding) = (id.into(), DecodingKey::from_rsa_components(modulus, exponent));
        match decoding {
            Ok(decoding) if !id.is_empty() => {
                Ok(Self { id, decoding, algorithm: None, endorsements: Vec::new() })
            }
            _ => Err(NotAKey),
        }
    }

    /// A key in DER (`RSAPublicKey`, RFC 8017), which is not looked at before it is used: one that cannot be read verifies nothing.
    ///
    /// # Errors
    /// [`NotAKey`], when the id is empty.
    pub fn rsa_der(id: impl Into<String>, der: &[u8]) -> Result<Self, NotAKey> {
        let (id, decoding) = (id.into(), DecodingKey::from_rsa_der(der));
        if id.is_empty() {
            return Err(NotAKey);
        }
        Ok(Self { id, decoding, algorithm: None, endorsements: Vec::new() })
    }

    /// The same key, endorsed for these channels and no others. A key without endorsements is for any.
    #[must_use]
    pub fn endorsed_for<S: Into<String>>(mut self, channels: impl IntoIterator<Item = S>) -> Self {
        self.endorsements = channels.into_iter().map(Into::into).collect();
        self
    }

    pub(super) const fn only_for(mut self, algorithm: Option<Algorithm>) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(in super::super) const fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    pub(in super::super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm)
    }

    pub(in super::super) fn is_endorsed_for(&self, channel: &str) -> bool {
        self.endorsements.is_empty() || self.endorsements.iter().any(|endorsed| endorsed == channel)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .field("endorsements", &self.endorsements)
            .finish_non_exhaustive()
    }
}
