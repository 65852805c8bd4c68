//! What an attacker would try, and what an operator does.

use std::sync::Arc;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::mint::sign;
use super::ring::{Ring, SigningKey};
use super::*;
use crate::activity::Activity;
use crate::auth::{Authenticator, CallerKind, Denied};
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

    /// What the bot makes of it.
    fn bot(&self, token: &str) -> Result<(), Denied> {
        said_by(self.issuer.as_trusted(), &self.clock, token)
    }

    /// What the connector makes of it.
    fn connector(&self, token: &str) -> Result<(), Denied> {
        said_by(self.issuer.trusted_by_connector("the-bot"), &self.clock, token)
    }

    fn ring(&self) -> Arc<Ring> {
        self.issuer.now().0
    }
}

/// Nothing is fetched, so nothing is waited for.
fn said_by(trusted: auth::Issuer, clock: &TestClock, token: &str) -> Result<(), Denied> {
    let authenticator = Authenticator::only(trusted, Arc::new(clock.clone()));
    authenticator.verify(Some(format!("Bearer {token}").as_bytes())).now_or_never().unwrap().map(drop)
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn a_token_says_what_a_channels_token_says_and_is_believed() {
    let world = World::new();
    let token = world.token();
    let authenticator = Authenticator::only(world.issuer.as_trusted(), Arc::new(world.clock.clone()));
    let proven =
        || authenticator.verify(Some(format!("Bearer {token}").as_bytes())).now_or_never().unwrap().unwrap();
    let from = |channel: &str, service_url: &str| {
        let json = json!({"type": "message", "channelId": channel, "serviceUrl": service_url});
        proven().speak_for(&Activity::decode(json.to_string().as_bytes()).unwrap())
    };
    let caller = from("directline", SERVICE_URL).unwrap();
    assert_eq!((caller.kind, caller.service_url_verified), (CallerKind::DirectLine, true));
    assert_eq!(from("msteams", SERVICE_URL), Err(Denied::Endorsement), "it speaks for no other channel");
    assert_eq!(from("directline", "http://127.0.0.1:9/"), Err(Denied::ServiceUrl));
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
    assert_eq!(said_by(world.restarted().as_trusted(), &world.clock, &token), Ok(()));
}

#[tokio::test]
async fn what_opens_one_side_opens_nothing_on_the_other() {
    let world = World::new();
    let to_channel = world.issuer.for_connector("the-bot").token("").await.unwrap();
    assert_eq!(part(to_channel.expose(), 1)["appid"], "the-bot");
    assert_eq!(world.connector(to_channel.expose()), Ok(()));
    assert!(matches!(world.bot(to_channel.expose()), Err(Denied::Audience { .. })));
    assert!(matches!(world.connector(&world.token()), Err(Denied::Audience { .. })));
    let of_another = world.issuer.for_connector("another-bot").current();
    assert!(matches!(world.connector(of_another.expose()), Err(Denied::OtherBot { .. })));
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
    assert!(world.bot(&fine).is_ok());
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
    let no_algorithm = format!("{}.{body}.", encoded(&json!({"alg": "none", "kid": kid})));
    let table = [
        ("nothing", String::new(), "NotBearer"),
        ("no token", "nonsense".to_owned(), "NotAJwt"),
        ("only dots", "..".to_owned(), "NotAJwt"),
        ("cut off", format!("{head}.{body}"), "NotAJwt"),
        ("no signature", format!("{head}.{body}."), "NotAJwt"),
        ("half a signature", fine[..fine.len() - 22].to_owned(), "Signature"),
        ("a changed signature", flipped, "Signature"),
        ("changed claims", changed, "Signature"),
        ("another key under our name", foreign_key_under_our_name, "Signature"),
        ("another key", foreign_key, "UnknownKey"),
        ("no name of a key", headed(json!({"alg": "RS256"})), "NoKeyId"),
        ("the public key as a secret", confused, "Algorithm"),
        ("no algorithm", no_algorithm, "Algorithm"),
        ("another algorithm of RSA", headed(json!({"alg": "PS256", "kid": kid})), "Algorithm"),
        ("a cloud's issuer", with("iss", "https://api.botframework.com".into()), "Issuer"),
        ("several issuers", with("iss", json!([ISSUER, "x"])), "Claims"),
        ("no issuer", without("iss"), "Issuer"),
        ("the connector", with("aud", Audience::Connector.name().into()), "Audience"),
        ("an app id", with("aud", "8a1e".into()), "Audience"),
        ("no audience", without("aud"), "Audience"),
        ("expired", with("exp", (now - 300).into()), "Expired"),
        ("no expiry", without("exp"), "NoExpiry"),
        ("an expiry in words", with("exp", "never".into()), "Claims"),
        ("not yet", with("nbf", (now + 301).into()), "NotYetValid"),
    ];
    for (what, token, why) in table {
        let denied = format!("{:?}", world.bot(&token).unwrap_err());
        assert!(denied.starts_with(why), "{what}: {denied}");
    }
    // The clocks of two machines may differ by five minutes.
    assert!(world.bot(&with("exp", (now - 299).into())).is_ok());
    assert!(world.bot(&with("nbf", (now + 300).into())).is_ok());
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
    assert!(world.bot(&first).is_ok());
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
    assert_eq!(world.bot(&ahead), Err(Denied::NotYetValid));
    assert!(world.bot(&world.token()).is_ok());
}

#[test]
fn a_process_that_runs_goes_by_a_new_key_and_believes_the_old_one_until_its_tokens_are_over() {
    let world = World::new();
    let old = world.token();
    world.rotate(Previous::Retires);
    world.clock.advance(Duration::from_secs(10));
    let new = world.token();
    assert_ne!(part(&old, 0)["kid"], part(&new, 0)["kid"]);
    assert!(world.bot(&old).is_ok());
    assert!(world.bot(&new).is_ok());
    // Twice in a row: both before it are remembered, also by the next process.
    world.rotate(Previous::Retires);
    let restarted = world.restarted();
    for token in [&old, &new] {
        assert!(said_by(restarted.as_trusted(), &world.clock, token).is_ok());
    }
    let kept = std::fs::read_to_string(path(world.folder.path())).unwrap();
    assert_eq!(kept.matches("\"until\"").count(), 2);
    world.clock.advance(Duration::from_secs(1000));
    assert_eq!(world.bot(&old), Err(Denied::UnknownKey));
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
    assert_eq!(world.bot(&stolen), Err(Denied::UnknownKey));
    assert!(world.bot(&world.token()).is_ok());
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
        assert!(world.bot(&world.token()).is_ok());
    }
    std::fs::remove_file(&path).unwrap();
    world.clock.advance(Duration::from_secs(10));
    assert!(world.bot(&world.token()).is_ok());
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
