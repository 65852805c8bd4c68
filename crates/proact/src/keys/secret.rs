//! A key as it is handed out: `proact_<id>_<256 random bits>`.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What every key begins with, so that people and scanners of leaked secrets know one when they see it.
const PREFIX: &str = "proact_";
/// Characters of an id: 64 bits in hexadecimal.
const ID: usize = 16;
/// Characters of the secret part.
const SECRET: usize = 43;

/// A key. It does not show itself in `Debug`.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    pub(super) fn new() -> Self {
        let (mut id, mut secret) = ([0; ID / 2], [0; 32]);
        getrandom::fill(&mut id).expect("the system has random bytes");
        getrandom::fill(&mut secret).expect("the system has random bytes");
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{PREFIX}{id}_{}", BASE64_URL_SAFE_NO_PAD.encode(secret)))
    }

    /// Whether `text` means to be a key, good or not.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Reads what has the form of a key.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = id.len() == ID
            && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && secret.len() == SECRET
            && secret.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    /// What it is called.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0[PREFIX.len()..PREFIX.len() + ID]
    }

    /// The key itself, for `Authorization: Bearer …`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Whether this digest is of it; in a time that does not tell how much of it fits.
    pub(super) fn is(&self, digest: &[u8; 32]) -> bool {
        self.digest().ct_eq(digest).into()
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiKey({}…)", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_made_and_nothing_else_is() {
        let (one, two) = (ApiKey::new(), ApiKey::new());
        let text = one.expose();
        assert_ne!(text, two.expose());
        let read = ApiKey::parse(text).unwrap();
        assert!(read.id() == one.id() && read.is(&one.digest()) && !read.is(&two.digest()));
        for end in 0..text.len() {
            assert!(ApiKey::parse(&text[..end]).is_none(), "{end}");
        }
        for wrong in
            [format!("{text}A"), format!(" {text}"), text.replace("proact_", "Proact_"), text.to_uppercase()]
        {
            assert!(ApiKey::parse(&wrong).is_none(), "{wrong}");
        }
        assert!(ApiKey::parse(&format!("proact_{}_{}", "é".repeat(8), "x".repeat(43))).is_none());
    }

    #[test]
    fn it_shows_its_id_alone() {
        let key = ApiKey::new();
        let shown = format!("{key:?}");
        assert!(
            shown.contains(key.id()) && !shown.contains(key.expose()) && !shown.contains(&key.expose()[24..])
        );
    }
}
