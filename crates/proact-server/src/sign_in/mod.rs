//! The sign-in to the page: one key for the operator, and the sessions that it opens.
//!
//! The page may do everything, so who reaches it from another machine must show the key first: once, in a form, and from then on by a
//! cookie. A session is signed with the key and not stored: it outlives the process, one is [ended](ended) by who has it, and another key
//! ends all of them. What is compared is compared in constant time; who shows a wrong key too often is not listened to for a while.

mod cookie;
mod ended;
mod failures;
mod key;
mod session;

use std::{fmt, io, net::IpAddr, path::Path, sync::Arc};

use proact::clock::Clock;

use self::{
    cookie::Cookie,
    ended::Ended,
    failures::Failures,
    session::{Session, Sessions},
};
pub(crate) use self::{
    key::{PageKey, rotate},
    session::LIFETIME_SECONDS,
};

/// The sign-in.
pub(crate) struct SignIn {
    key: PageKey,
    ended: Ended,
    failures: Failures,
    clock: Arc<dyn Clock>,
    cookie: Cookie,
}

/// What came of a try to sign in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The value of the session's cookie.
    In(String),
    /// It is not the key.
    Wrong,
    /// Too many tries from this address: not even looked at.
    TooOften,
}

impl SignIn {
    /// With this key, or else the one in the data folder, which is made if there is none; of the server that listens at `port`.
    pub(crate) fn open(
        given: Option<PageKey>,
        data: &Path,
        clock: Arc<dyn Clock>,
        port: u16,
    ) -> Result<Self, String> {
        let key = match given {
            Some(key) => key,
            None => PageKey::of_folder(data, clock.now())?,
        };
        let cookie = Cookie::of(port);
        Ok(Self { key, ended: Ended::open(data)?, failures: Failures::default(), clock, cookie })
    }

    /// The cookie that a session is shown in.
    pub(crate) fn cookie(&self) -> &Cookie {
        &self.cookie
    }

    /// Somebody at `address` shows a key.
    pub(crate) fn try_key(&self, address: Option<IpAddr>, shown: &str) -> Tried {
        let now = self.clock.now();
        if !self.failures.may_try(address, now) {
            return Tried::TooOften;
        }
        if !self.key.is(shown, now) {
            self.failures.failed(address, now);
            return Tried::Wrong;
        }
        self.failures.succeeded(address);
        Tried::In(Sessions::of(&self.key.current(now)).open(now))
    }

    /// Whether this is the value of a session that is good.
    pub(crate) fn is_session(&self, value: &str) -> bool {
        self.session(value).is_some()
    }

    /// What names the session of this value in what it opens: it opens nothing itself.
    pub(crate) fn named(&self, value: &str) -> Option<String> {
        let session = self.session(value)?;
        Some(Sessions::opened_by(&self.key.current(self.clock.now())).write(&session))
    }

    /// Whether the session of this name is good.
    pub(crate) fn holds(&self, name: &str) -> bool {
        let now = self.clock.now();
        let session = Sessions::opened_by(&self.key.current(now)).read(name, now);
        session.is_some_and(|session| !self.ended.has(&session))
    }

    /// Ends the session of this value, if there is one. It waits for the disk.
    ///
    /// # Errors
    /// That it has ended could not be written.
    pub(crate) fn end(&self, value: &str) -> io::Result<()> {
        // One that has ended is written again: the first time may have failed.
        self.signed(value).map_or(Ok(()), |session| self.ended.end(&session, self.clock.now()))
    }

    fn session(&self, value: &str) -> Option<Session> {
        self.signed(value).filter(|session| !self.ended.has(session))
    }

    /// The session of this value, ended or not.
    fn signed(&self, value: &str) -> Option<Session> {
        let now = self.clock.now();
        Sessions::of(&self.key.current(now)).read(value, now)
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proact::testkit::TestClock;

    use super::*;

    const KEY: &str = "the-key-of-the-page";

    fn opened(clock: &TestClock) -> SignIn {
        let key = PageKey::new(KEY).unwrap();
        SignIn::open(Some(key), Path::new("/nowhere"), Arc::new(clock.clone()), 3978).unwrap()
    }

    fn session(tried: Tried) -> String {
        match tried {
            Tried::In(session) => session,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_key_opens_a_session_for_a_while() {
        let clock = TestClock::default();
        let sign_in = opened(&clock);
        let session = session(sign_in.try_key(None, KEY));
        assert!(sign_in.is_session(&session));
        // It outlives the process, not its time.
        assert!(opened(&clock).is_session(&session));
        clock.advance(Duration::from_secs(LIFETIME_SECONDS.unsigned_abs() - 1));
        assert!(sign_in.is_session(&session));
        clock.advance(Duration::from_secs(1));
        assert!(!sign_in.is_session(&session));
        assert!(!format!("{sign_in:?}").contains("the-key"));
    }

    #[test]
    fn who_signs_out_ends_their_own_session_for_good() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::default());
        let opened = || {
            let key = PageKey::new(KEY).unwrap();
            SignIn::open(Some(key), folder.path(), Arc::new(clock.clone()), 3978).unwrap()
        };
        let sign_in = opened();
        let [one, other] = [(); 2].map(|()| session(sign_in.try_key(None, KEY)));
        sign_in.end("no session").unwrap();
        let name = sign_in.named(&one).unwrap();
        assert!(sign_in.holds(&name) && !sign_in.is_session(&name) && !sign_in.holds(&one));
        sign_in.end(&one).unwrap();
        assert!(!sign_in.holds(&name) && sign_in.named(&one).is_none());
        for sign_in in [sign_in, opened()] {
            assert!(!sign_in.is_session(&one) && sign_in.is_session(&other));
        }
    }

    #[test]
    fn a_sign_out_that_cannot_be_written_ends_the_session_and_is_no_success_the_second_time_either() {
        let sign_in = opened(&TestClock::default());
        let session = session(sign_in.try_key(None, KEY));
        for _ in 0..2 {
            assert!(sign_in.end(&session).is_err());
            assert!(!sign_in.is_session(&session));
        }
    }

    #[test]
    fn who_fails_too_often_is_not_listened_to_even_with_the_key_and_others_are() {
        let clock = TestClock::default();
        let sign_in = opened(&clock);
        let (one, other) = (Some("203.0.113.7".parse().unwrap()), Some("203.0.113.8".parse().unwrap()));
        for wrong in [
            "",
            "the-key-of-the-pag",
            "the-key-of-the-page ",
            "THE-KEY-OF-THE-PAGE",
            "x",
            "x",
            "x",
            "x",
            "x",
            "x",
        ] {
            assert_eq!(sign_in.try_key(one, wrong), Tried::Wrong, "{wrong}");
        }
        assert_eq!(sign_in.try_key(one, "x"), Tried::TooOften);
        assert_eq!(sign_in.try_key(one, KEY), Tried::TooOften);
        assert!(matches!(sign_in.try_key(other, KEY), Tried::In(_)));
        clock.advance(Duration::from_secs(60));
        assert_eq!(sign_in.try_key(one, "x"), Tried::Wrong);
        assert_eq!(sign_in.try_key(one, KEY), Tried::TooOften);
        clock.advance(Duration::from_secs(60));
        assert!(matches!(sign_in.try_key(one, KEY), Tried::In(_)));
        assert_eq!(sign_in.try_key(one, "x"), Tried::Wrong, "it begins anew");
    }

    #[test]
    fn a_new_key_in_the_folder_ends_every_session() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::default());
        let sign_in = SignIn::open(None, folder.path(), Arc::new(clock.clone()), 3978).unwrap();
        let read = || std::fs::read_to_string(folder.path().join("page.key")).unwrap().trim().to_owned();
        let old = read();
        let session = session(sign_in.try_key(None, &old));
        rotate(folder.path()).unwrap();
        assert_ne!(read(), old);
        clock.advance(Duration::from_secs(10));
        assert!(!sign_in.is_session(&session));
        assert_eq!(sign_in.try_key(None, &old), Tried::Wrong);
        assert!(matches!(sign_in.try_key(None, &read()), Tried::In(_)));
    }
}
