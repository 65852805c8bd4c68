//! Sessions: values that only who has the key can make, and that end by themselves.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use uuid::Uuid;

/// How long a session lasts: a working day.
pub(crate) const LIFETIME_SECONDS: i64 = 12 * 60 * 60;
/// What the key signs here and nowhere else.
const PURPOSE: &[u8] = b"proact page session 2";

/// A session that is good by itself; whether somebody has ended it is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    /// Which one it is.
    pub(super) id: [u8; 16],
    /// When its time is over: seconds since 1970.
    pub(super) ends: i64,
}

/// What it signs for what a session has opened: the page's scripts see it, and must not see the cookie.
const PURPOSE_OPENED: &[u8] = b"proact page session opened 1";

/// The sessions of one key.
pub(super) struct Sessions(Hmac<Sha256>);

impl Sessions {
    pub(super) fn of(key: &str) -> Self {
        Self::signed_for(PURPOSE, key)
    }

    /// The same, as they stand in what they have opened.
    pub(super) fn opened_by(key: &str) -> Self {
        Self::signed_for(PURPOSE_OPENED, key)
    }

    fn signed_for(purpose: &[u8], key: &str) -> Self {
        let keyed = |key: &[u8]| Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        let derived = keyed(key.as_bytes()).chain_update(purpose).finalize().into_bytes();
        Self(keyed(&derived))
    }

    /// A session that begins now.
    pub(super) fn open(&self, now: Timestamp) -> String {
        let id = Uuid::new_v4().into_bytes();
        self.write(&Session { id, ends: now.as_second() + LIFETIME_SECONDS })
    }

    /// A session's value.
    pub(super) fn write(&self, Session { id, ends }: &Session) -> String {
        let ends = ends.to_be_bytes();
        let mac = self.0.clone().chain_update(id).chain_update(ends).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&id[..], &ends[..], &mac[..]].concat())
    }

    /// The session, if it was opened here and its time is not over. One that ends later than any that could have been opened by now is of a
    /// clock that was set: it is not believed.
    pub(super) fn read(&self, value: &str, now: Timestamp) -> Option<Session> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        let (id, rest) = bytes.split_first_chunk()?;
        let (ends, mac) = rest.split_first_chunk()?;
        self.0.clone().chain_update(id).chain_update(ends).verify_slice(mac).ok()?;
        let session = Session { id: *id, ends: i64::from_be_bytes(*ends) };
        (1..=LIFETIME_SECONDS).contains(&(session.ends - now.as_second())).then_some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_changed_byte_and_no_other_key_passes() {
        let (sessions, now) = (Sessions::of("a-key-of-the-page"), Timestamp::UNIX_EPOCH);
        let session = sessions.open(now);
        assert!(sessions.read(&session, now).is_some());
        assert!(Sessions::of("another-key-of-it").read(&session, now).is_none());
        assert_ne!(session, sessions.open(now), "each is one of its own");
        let bytes = URL_SAFE_NO_PAD.decode(&session).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_eq!(sessions.read(&URL_SAFE_NO_PAD.encode(changed), now), None, "{place}");
        }
        for garbage in ["", "x", "AAAAAAAAAAA", &session[..session.len() - 4], &format!("{session}AAAA")] {
            assert_eq!(sessions.read(garbage, now), None, "{garbage}");
        }
    }

    #[test]
    fn a_session_of_a_clock_that_ran_ahead_is_not_believed() {
        let sessions = Sessions::of("a-key-of-the-page");
        let at = |second| Timestamp::from_second(second).unwrap();
        let session = sessions.open(at(100));
        assert_eq!(sessions.read(&session, at(99)), None);
        assert!(sessions.read(&session, at(100 + LIFETIME_SECONDS - 1)).is_some());
        assert_eq!(sessions.read(&session, at(100 + LIFETIME_SECONDS)), None);
    }
}
