//! Sessions: values that only who has the key can make, and that end by themselves.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

/// How long a session lasts: a working day.
pub(crate) const LIFETIME_SECONDS: i64 = 12 * 60 * 60;
/// What the key signs here and nowhere else.
const PURPOSE: &[u8] = b"proact page session 1";

/// The sessions of one key.
pub(super) struct Sessions(Hmac<Sha256>);

impl Sessions {
    pub(super) fn of(key: &str) -> Self {
        let keyed = |key: &[u8]| Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        let derived = keyed(key.as_bytes()).chain_update(PURPOSE).finalize().into_bytes();
        Self(keyed(&derived))
    }

    /// A session that begins now.
    pub(super) fn open(&self, now: Timestamp) -> String {
        let ends = (now.as_second() + LIFETIME_SECONDS).to_be_bytes();
        let mac = self.0.clone().chain_update(ends).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&ends[..], &mac[..]].concat())
    }

    /// Whether it was opened here, and has not ended. One that ends later than any that could have been opened by now is of a clock that
    /// was set: it is not believed.
    pub(super) fn is_open(&self, value: &str, now: Timestamp) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(value) else { return false };
        let Some((ends, mac)) = bytes.split_first_chunk::<8>() else { return false };
        if self.0.clone().chain_update(ends).verify_slice(mac).is_err() {
            return false;
        }
        let left = i64::from_be_bytes(*ends) - now.as_second();
        (1..=LIFETIME_SECONDS).contains(&left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_changed_byte_and_no_other_key_passes() {
        let (sessions, now) = (Sessions::of("a-key-of-the-page"), Timestamp::UNIX_EPOCH);
        let session = sessions.open(now);
        assert!(sessions.is_open(&session, now));
        assert!(!Sessions::of("another-key-of-it").is_open(&session, now));
        let bytes = URL_SAFE_NO_PAD.decode(&session).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(!sessions.is_open(&URL_SAFE_NO_PAD.encode(changed), now), "{place}");
        }
        for garbage in ["", "x", "AAAAAAAAAAA", &session[..session.len() - 4], &format!("{session}AAAA")] {
            assert!(!sessions.is_open(garbage, now), "{garbage}");
        }
    }

    #[test]
    fn a_session_of_a_clock_that_ran_ahead_is_not_believed() {
        let sessions = Sessions::of("a-key-of-the-page");
        let at = |second| Timestamp::from_second(second).unwrap();
        let session = sessions.open(at(100));
        assert!(!sessions.is_open(&session, at(99)));
        assert!(sessions.is_open(&session, at(100 + LIFETIME_SECONDS - 1)));
        assert!(!sessions.is_open(&session, at(100 + LIFETIME_SECONDS)));
    }
}
