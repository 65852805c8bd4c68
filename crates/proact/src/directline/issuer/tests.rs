//! What an attacker would try, and what an operator does.

use std::sync::Arc;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::mint::sign;
use super::ring::{Ring, SigningKey};
use super::*;
use crate::egress::TokenSource as _;
use crate::testkit::TestClock;

const SERVICE_URL: &str = "http://127.0.0.1:3978/";

struct World {
    folder: tempfile::TempDir,
    clock: TestClock,
    issuer: Issuer,
    to_bot: OwnTokens,
}

impl World {
    fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::default());
        let issuer = Issuer::open(folder.path(), Arc::new(clock.clone())).unwrap();
        let to_bot = issuer.for_bot(SERVICE_URL);
        Self { folder, clock, issuer, to_bot }
    }

    fn restarted(&self) -> Issuer {
        Issuer::open(self.folder.path(), Arc::new(self.clock.clone())).unwrap()
    }

    fn token(&self) -> String {
        self.to_bot.current().expose().to_owned()
    }

    fn rotate(&self, previous: Previous) {
        rotate(self.folder.path(), self.clock.now(), previous).unwrap();
    }

    fn ring(&self) -> Arc<Ring> {
        self.issuer.now().0
    }
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn a_token_says_what_a_channels_token_says_and_is_believed() {
    let world = World::new();
    let token = world.token();
    let claims = world.issuer.verify(&token, Audience::Bot).unwrap();
    assert_eq!(claims.service_url.as_deref(), Some(SERVICE_URL));
    assert_eq!(claims.app_id, None);
    let now = world.clock.now().as_second();
    assert_eq!(
        part(&token, 1),
        json!({
            "iss": "urn:proact:directline", "aud": "urn:proact:directline:bot", "serviceurl": SERVICE_URL,
            "iat": now, "nbf": now, "exp": now + 600,
        })
    );
    let header = part(&token, 0);
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("RS256"), Some("JWT")));
    // The key outlives the process.
    assert!(world.restarted().verify(&token, Audience::Bot).is_ok());
}

#[tokio::test]
async fn what_opens_one_side_opens_nothing_on_the_other() {
    let world = World::new();
    let to_channel = world.issuer.for_connector("the-bot").token("").await.unwrap();
    let claims = world.issuer.verify(to_channel.expose(), Audience::Connector).unwrap();
    assert_eq!((claims.app_id.as_deref(), claims.service_url), (Some("the-bot"), None));
    assert_eq!(world.issuer.verify(to_channel.expose(), Audience::Bot), Err(NotVerified::Audience));
    assert_eq!(world.issuer.verify(&world.token(), Audience::Connector), Err(NotVerified::Audience));
}

#[test]
fn what_was_not_made_here_is_refused_for_its_own_reason() {
    let (world, other) = (World::new(), World::new());
    let ring = world.ring();
    let kid = ring.signing.public.kid.clone();
    let now = world.clock.now().as_second();
    let rs256 = json!({"alg": "RS256", "typ": "JWT", "kid": kid});
    let good = json!({"iss": ISSUER, "aud": Audience::Bot.name(), "iat": now, "nbf": now, "exp": now + 600});
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        sign(&ring, &rs256, &claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        sign(&ring, &rs256, &claims)
    };
    let headed = |header: Value| sign(&ring, &header, &good);
    let fine = sign(&ring, &rs256, &good);
    assert!(world.issuer.verify(&fine, Audience::Bot).is_ok());
    let [head, body, signature] = fine.split('.').collect::<Vec<_>>().try_into().unwrap();
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    // The public key, which anyone may know, as the secret of a symmetric algorithm.
    let confused = {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let text = format!("{}.{body}", encoded(&json!({"alg": "HS256", "typ": "JWT", "kid": kid})));
        let mac = Hmac::<sha2::Sha256>::new_from_slice(&ring.signing.public.der).unwrap();
        let mac = mac.chain_update(&text).finalize().into_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac))
    };
    let elsewhere = other.ring();
    let foreign_key = sign(&elsewhere, &json!({"alg": "RS256", "kid": elsewhere.signing.public.kid}), &good);
    let foreign_key_under_our_name = sign(&elsewhere, &rs256, &good);
    let changed = format!(
        "{head}.{}.{signature}",
        encoded(
            &json!({"iss": ISSUER, "aud": Audience::Bot.name(), "exp": now + 60_000, "nbf": 0, "iat": 0})
        )
    );
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[7] ^= 1;
    let flipped = format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(flipped));
    let table = [
        ("nothing", String::new(), NotVerified::Malformed),
        ("no token", "nonsense".to_owned(), NotVerified::Malformed),
        ("only dots", "..".to_owned(), NotVerified::Malformed),
        ("cut off", format!("{head}.{body}"), NotVerified::Malformed),
        ("no signature", format!("{head}.{body}."), NotVerified::Signature),
        ("half a signature", fine[..fine.len() - 22].to_owned(), NotVerified::Signature),
        ("a changed signature", flipped, NotVerified::Signature),
        ("changed claims", changed, NotVerified::Signature),
        ("another key under our name", foreign_key_under_our_name, NotVerified::Signature),
        ("another key", foreign_key, NotVerified::Key),
        ("no name of a key", headed(json!({"alg": "RS256"})), NotVerified::Key),
        ("the public key as a secret", confused, NotVerified::Algorithm),
        (
            "no algorithm",
            format!("{}.{body}.", encoded(&json!({"alg": "none", "kid": kid}))),
            NotVerified::Malformed,
        ),
        ("another algorithm of RSA", headed(json!({"alg": "PS256", "kid": kid})), NotVerified::Algorithm),
        ("a cloud's issuer", with("iss", "https://api.botframework.com".into()), NotVerified::Issuer),
        ("several issuers", with("iss", json!([ISSUER, "x"])), NotVerified::Malformed),
        ("no issuer", without("iss"), NotVerified::Malformed),
        ("the connector", with("aud", Audience::Connector.name().into()), NotVerified::Audience),
        ("an app id", with("aud", "8a1e".into()), NotVerified::Audience),
        ("no audience", without("aud"), NotVerified::Malformed),
        ("expired", with("exp", (now - 300).into()), NotVerified::Expired),
        ("no expiry", without("exp"), NotVerified::Malformed),
        ("an expiry in words", with("exp", "never".into()), NotVerified::Malformed),
        ("not yet", with("nbf", (now + 301).into()), NotVerified::NotYet),
    ];
    for (what, token, why) in table {
        assert_eq!(world.issuer.verify(&token, Audience::Bot), Err(why), "{what}");
    }
    // The clocks of two machines may differ by five minutes.
    assert!(world.issuer.verify(&with("exp", (now - 299).into()), Audience::Bot).is_ok());
    assert!(world.issuer.verify(&with("nbf", (now + 300).into()), Audience::Bot).is_ok());
}

#[test]
fn a_token_is_signed_once_in_five_minutes() {
    let world = World::new();
    let first = world.token();
    world.clock.advance(Duration::from_secs(299));
    assert_eq!(world.token(), first);
    world.clock.advance(Duration::from_secs(1));
    let second = world.token();
    assert_ne!(second, first);
    // What was shown just before is good for as long as it takes to arrive.
    assert!(world.issuer.verify(&first, Audience::Bot).is_ok());
    // One that the other side refused is not shown again.
    world.to_bot.refused("", &crate::egress::BearerToken::new(first));
    assert_eq!(world.token(), second);
    world.clock.advance(Duration::from_secs(1));
    world.to_bot.refused("", &crate::egress::BearerToken::new(second.clone()));
    assert_ne!(world.token(), second);
}

#[test]
fn a_clock_that_was_set_back_makes_no_tokens_of_the_future() {
    let world = World::new();
    world.clock.advance(Duration::from_secs(3600));
    let ahead = world.token();
    world.clock.set(world.clock.now() - Duration::from_secs(3000));
    assert_eq!(world.issuer.verify(&ahead, Audience::Bot), Err(NotVerified::NotYet));
    assert!(world.issuer.verify(&world.token(), Audience::Bot).is_ok());
}

#[test]
fn a_process_that_runs_goes_by_a_new_key_and_believes_the_old_one_until_its_tokens_are_over() {
    let world = World::new();
    let old = world.token();
    world.rotate(Previous::Retires);
    world.clock.advance(Duration::from_secs(10));
    let new = world.token();
    assert_ne!(part(&old, 0)["kid"], part(&new, 0)["kid"]);
    assert!(world.issuer.verify(&old, Audience::Bot).is_ok());
    assert!(world.issuer.verify(&new, Audience::Bot).is_ok());
    // Twice in a row: both before it are remembered, also by the next process.
    world.rotate(Previous::Retires);
    let restarted = world.restarted();
    for token in [&old, &new] {
        assert!(restarted.verify(token, Audience::Bot).is_ok());
    }
    let kept = std::fs::read_to_string(path(world.folder.path())).unwrap();
    assert_eq!(kept.matches("\"until\"").count(), 2);
    world.clock.advance(Duration::from_secs(1000));
    assert_eq!(world.issuer.verify(&old, Audience::Bot), Err(NotVerified::Key));
    world.rotate(Previous::Retires);
    let kept = std::fs::read_to_string(path(world.folder.path())).unwrap();
    assert_eq!(kept.matches("\"until\"").count(), 1, "what verifies nothing is not kept");
}

#[test]
fn a_revoked_key_verifies_nothing_from_the_next_look_on() {
    let world = World::new();
    let stolen = world.token();
    world.rotate(Previous::Revoked);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(world.issuer.verify(&stolen, Audience::Bot), Err(NotVerified::Key));
    assert!(world.issuer.verify(&world.token(), Audience::Bot).is_ok());
}

#[test]
fn keys_that_cannot_be_read_are_named_and_left_alone_and_a_process_that_runs_goes_on() {
    let world = World::new();
    let path = path(world.folder.path());
    let kept = std::fs::read_to_string(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let half = &kept[..kept.len() / 2];
    for content in ["", "{}", half, r#"{"signs":"AAAA"}"#] {
        crate::secret_file::write(&path, content.as_bytes()).unwrap();
        let error = Issuer::open(world.folder.path(), Arc::new(world.clock.clone())).unwrap_err();
        assert!(matches!(error, IssuerError::UnusableFile { .. }), "{content:?}: {error}");
        assert!(rotate(world.folder.path(), world.clock.now(), Previous::Retires).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        world.clock.advance(Duration::from_secs(10));
        assert!(world.issuer.verify(&world.token(), Audience::Bot).is_ok());
    }
    std::fs::remove_file(&path).unwrap();
    world.clock.advance(Duration::from_secs(10));
    assert!(world.issuer.verify(&world.token(), Audience::Bot).is_ok());
}

#[test]
fn no_key_and_no_token_shows() {
    let world = World::new();
    let shown = format!("{:?} {:?} {:?}", world.issuer, world.to_bot, world.to_bot.current());
    assert!(!shown.contains("eyJ") && !shown.contains("MII"), "{shown}");
}

#[test]
fn a_key_that_is_too_small_is_no_key() {
    assert!(SigningKey::read(&[]).is_none());
    let key = SigningKey::make().unwrap();
    assert_eq!(SigningKey::read(&key.pkcs8()).unwrap().public.kid, key.public.kid);
}
