//! The keys: fetched when they are needed, kept while they cannot be, and never asked for more often than is said.

use std::{sync::Arc, time::Duration};

use proact::{
    auth::{Authenticator, Denied},
    testkit::{Gate, IdentityProvider, TestClock, TestToken},
};
use serde_json::json;

use super::world::{APP, SERVICE_URL, builder, guard, judge, said_on};

/// How often keys are fetched for unknown ones, at most.
const INTERVAL: Duration = Duration::from_secs(5 * 60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long a failure stands.
const WHILE: Duration = Duration::from_secs(10);

struct Keys {
    clock: TestClock,
    provider: IdentityProvider,
    authenticator: Authenticator,
}

impl Keys {
    fn new() -> Self {
        let clock = TestClock::default();
        let provider = IdentityProvider::start_by(Arc::new(clock.clone()));
        let authenticator = builder(&provider, &clock).build(&guard()).unwrap();
        Self { clock, provider, authenticator }
    }

    /// A token that outlives every test, by the key of now.
    fn token(&self) -> TestToken {
        self.provider.channel_token(APP, SERVICE_URL).claim("exp", 4_102_444_800_i64)
    }

    async fn judge(&self, token: &TestToken) -> Result<(), Denied> {
        judge(&self.authenticator, Some(token.bearer().as_bytes()), &said_on("msteams")).await.map(|_| ())
    }

    /// How often keys were fetched.
    fn fetched(&self) -> usize {
        self.provider.count("/v1/.well-known/keys")
    }

    fn unknown(&self, number: usize) -> TestToken {
        self.token().header("kid", format!("unknown-{number}"))
    }

    /// Asks until the answer is this one: what goes on beside the callers says nothing when it is done.
    async fn until(&self, token: &TestToken, judged: Result<(), Denied>) {
        while self.judge(token).await != judged {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_start_needs_no_network_and_the_first_caller_after_it_does() {
    let keys = Keys::new();
    keys.provider.down().await;
    let token = keys.token();
    assert_eq!(keys.judge(&token).await, Err(Denied::KeysUnavailable));
    keys.authenticator.warm_up().await;
    keys.provider.up();
    assert_eq!(keys.judge(&token).await, Err(Denied::KeysUnavailable), "a failure stands for a while");
    assert_eq!(keys.fetched(), 0);
    keys.clock.advance(WHILE);
    assert_eq!(keys.judge(&token).await, Ok(()));
    assert_eq!((keys.provider.count("configuration"), keys.fetched()), (1, 1));
}

#[tokio::test]
async fn warmed_up_the_first_caller_waits_for_nothing() {
    let keys = Keys::new();
    keys.authenticator.warm_up().await;
    keys.provider.down().await;
    assert_eq!(keys.judge(&keys.token()).await, Ok(()));
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_old_one_that_is_no_longer_listed_is_gone() {
    let keys = Keys::new();
    let old = keys.token();
    assert_eq!(keys.judge(&old).await, Ok(()));
    keys.provider.rotate();
    let new = keys.token();
    assert_eq!(keys.judge(&old).await, Ok(()), "nobody has asked yet");
    assert_eq!(keys.judge(&new).await, Ok(()));
    assert_eq!(keys.judge(&old).await, Err(Denied::UnknownKey));
    assert_eq!(keys.fetched(), 2);
}

#[tokio::test]
async fn rotated_gently_both_keys_are_good() {
    let keys = Keys::new();
    let old = keys.token();
    keys.provider.rotate_beside();
    assert_eq!(keys.judge(&keys.token()).await, Ok(()));
    assert_eq!(keys.judge(&old).await, Ok(()));
    assert_eq!(keys.fetched(), 1);
}

#[tokio::test]
async fn unknown_keys_are_asked_for_once_in_five_minutes_however_many_there_are() {
    let keys = Keys::new();
    assert_eq!(keys.judge(&keys.token()).await, Ok(()));
    for number in 0..20 {
        assert_eq!(keys.judge(&keys.unknown(number)).await, Err(Denied::UnknownKey));
    }
    assert_eq!(keys.fetched(), 2, "the first, and one for the unknown");
    keys.provider.rotate();
    assert_eq!(keys.judge(&keys.token()).await, Err(Denied::UnknownKey), "a stranger has used it up");
    keys.clock.advance(INTERVAL - Duration::from_secs(1));
    assert_eq!(keys.judge(&keys.token()).await, Err(Denied::UnknownKey));
    keys.clock.advance(Duration::from_secs(1));
    assert_eq!(keys.judge(&keys.token()).await, Ok(()));
    assert_eq!(keys.fetched(), 3);
}

#[tokio::test]
async fn many_unknown_ones_at_a_time_are_one_fetch() {
    let keys = Arc::new(Keys::new());
    keys.authenticator.warm_up().await;
    let gate = Gate::closed();
    keys.provider.hold(&gate);
    let asking: Vec<_> = (0..50)
        .map(|number| {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move { keys.judge(&keys.unknown(number)).await })
        })
        .collect();
    keys.provider.wait_for("configuration", 2).await;
    gate.open();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), Err(Denied::UnknownKey));
    }
    assert_eq!((keys.provider.count("configuration"), keys.fetched()), (2, 2));
}

#[tokio::test]
async fn the_first_callers_share_one_fetch_also_when_one_of_them_hangs_up() {
    let keys = Arc::new(Keys::new());
    let gate = Gate::closed();
    keys.provider.hold(&gate);
    let ask = || {
        let keys = Arc::clone(&keys);
        tokio::spawn(async move { keys.judge(&keys.token()).await })
    };
    let first = ask();
    keys.provider.wait_for("configuration", 1).await;
    let others: Vec<_> = (0..50).map(|_| ask()).collect();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    tokio::task::yield_now().await;
    gate.open();
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(()));
    }
    assert_eq!((keys.provider.count("configuration"), keys.fetched()), (1, 1));
}

#[tokio::test]
async fn after_a_day_they_are_fetched_beside_the_callers_who_do_not_wait() {
    let keys = Keys::new();
    let old = keys.token();
    assert_eq!(keys.judge(&old).await, Ok(()));
    keys.provider.rotate();
    let gate = Gate::closed();
    keys.provider.hold(&gate);
    keys.clock.advance(DAY - Duration::from_secs(1));
    assert_eq!(keys.judge(&old).await, Ok(()));
    assert_eq!(keys.fetched(), 1);
    keys.clock.advance(Duration::from_secs(1));
    // The provider answers nobody, and still:
    assert_eq!(keys.judge(&old).await, Ok(()));
    keys.provider.wait_for("configuration", 2).await;
    assert_eq!(keys.judge(&old).await, Ok(()));
    gate.open();
    keys.until(&old, Err(Denied::UnknownKey)).await;
    let fetched = (keys.provider.count("configuration"), keys.fetched());
    assert_eq!(fetched, (3, 3), "the first, one for the day, and one for the key that is unknown by now");
}

#[tokio::test]
async fn keys_are_kept_for_as_long_as_they_cannot_be_fetched() {
    let keys = Keys::new();
    let old = keys.token();
    assert_eq!(keys.judge(&old).await, Ok(()));
    keys.provider.rotate();
    keys.provider.fail_with(Some(503));
    for days in 1..=10 {
        keys.clock.advance(DAY);
        // It is tried again beside the callers, each day.
        while keys.provider.count("configuration") <= days {
            assert_eq!(keys.judge(&old).await, Ok(()), "after {days} days");
            // The failure of the last try may come late, and then stands for a while.
            keys.clock.advance(WHILE);
            tokio::task::yield_now().await;
        }
    }
    // A new key may be real: that it is not known now is no fault of the caller's.
    keys.clock.advance(WHILE);
    assert_eq!(keys.judge(&keys.token()).await, Err(Denied::KeysUnavailable));
    keys.provider.fail_with(None);
    keys.clock.advance(WHILE);
    keys.until(&keys.token(), Ok(())).await;
    assert_eq!(keys.judge(&old).await, Err(Denied::UnknownKey), "gone with the first answer");
}

#[tokio::test]
async fn after_two_days_of_silence_the_first_caller_waits_for_fresh_keys() {
    let keys = Keys::new();
    let old = keys.token();
    assert_eq!(keys.judge(&old).await, Ok(()));
    keys.provider.rotate();
    keys.clock.advance(DAY * 2);
    assert_eq!(
        keys.judge(&old).await,
        Err(Denied::UnknownKey),
        "a key that was given up long ago opens nothing"
    );
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nothing() {
    let keys = Keys::new();
    keys.clock.advance(DAY * 365);
    assert_eq!(keys.judge(&keys.token()).await, Ok(()));
    assert_eq!(keys.judge(&keys.unknown(0)).await, Err(Denied::UnknownKey));
    keys.provider.rotate();
    keys.clock.set("2026-01-05T09:00:00Z".parse().unwrap());
    let token = keys.token().without_claim("nbf");
    assert_eq!(keys.judge(&token).await, Ok(()));
}

#[tokio::test]
async fn documents_that_are_none_leave_nothing_behind() {
    let elsewhere = IdentityProvider::start();
    let keys = Keys::new();
    let (metadata, set) = ("/v1/.well-known/openidconfiguration", "/v1/.well-known/keys");
    let leads_to = |url: String| json!({ "jwks_uri": url }).to_string();
    let many = json!({"keys": vec![keys.provider.key().jwk(); 101]}).to_string();
    let large = json!({"keys": [keys.provider.key().jwk()], "more": "x".repeat(300 * 1024)}).to_string();
    let port = keys.provider.origin().rsplit(':').next().unwrap().to_owned();
    for (what, path, body) in [
        ("no JSON", metadata, "<html></html>".to_owned()),
        ("no jwks_uri", metadata, "{}".to_owned()),
        ("no URL", metadata, leads_to("keys".to_owned())),
        ("another host", metadata, leads_to(format!("{}{set}", elsewhere.origin()))),
        ("another name for this one", metadata, leads_to(format!("http://localhost:{port}{set}"))),
        ("another scheme", metadata, leads_to(format!("https://127.0.0.1:{port}{set}"))),
        ("a file", metadata, leads_to("file:///etc/passwd".to_owned())),
        ("metadata too large", metadata, format!("{{\"jwks_uri\":\"{}\"}}", "x".repeat(300 * 1024))),
        ("a set that is no JSON", set, "keys".to_owned()),
        ("a set without keys", set, json!({"keys": []}).to_string()),
        ("a set with too many", set, many),
        ("a set too large", set, large),
    ] {
        let right = [
            (metadata, leads_to(format!("{}{set}", keys.provider.origin()))),
            (set, json!({"keys": [keys.provider.key().jwk()]}).to_string()),
        ];
        for (path, body) in right {
            keys.provider.replace(path, body);
        }
        keys.provider.replace(path, body);
        keys.clock.advance(WHILE);
        assert_eq!(keys.judge(&keys.token()).await, Err(Denied::KeysUnavailable), "{what}");
    }
    assert_eq!(elsewhere.asked(), []);
    keys.provider.replace(set, json!({"keys": [keys.provider.key().jwk()]}).to_string());
    keys.clock.advance(WHILE);
    assert_eq!(keys.judge(&keys.token()).await, Ok(()), "it was their fault alone");
}

#[tokio::test]
async fn statuses_other_than_200_are_no_documents() {
    let keys = Keys::new();
    for status in [204, 301, 302, 307, 401, 404, 429, 500, 503] {
        keys.provider.fail_with(Some(status));
        keys.clock.advance(WHILE);
        assert_eq!(keys.judge(&keys.token()).await, Err(Denied::KeysUnavailable), "{status}");
    }
    assert_eq!(keys.fetched(), 0);
}
