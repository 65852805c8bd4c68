//! Tokens are added inside the door: to whom, and what becomes of one that is refused.

use std::sync::{Arc, atomic::Ordering};

use http::{HeaderMap, Method};
use proact::{
    egress::{BuildError, Credential, Error, Guard, Refused, Request, Response, TokenError, TrustedHosts},
    testkit::{ChannelAnswer, FakeChannel},
};

use super::world::{Names, SecureChannel, Tokens};

async fn post(guard: &Guard, url: &str) -> Result<Response, Error> {
    let url = guard.check(url)?;
    let body = br#"{"type":"message"}"#.as_slice().into();
    guard.send(Request { method: Method::POST, url, headers: HeaderMap::new(), body }).await
}

/// What the channel was shown, request by request.
fn shown(channel: &FakeChannel) -> Vec<Option<String>> {
    let header = |headers: &HeaderMap| headers.get("authorization").map(|it| it.to_str().unwrap().to_owned());
    channel.ledger().iter().map(|entry| header(&entry.headers)).collect()
}

/// A channel behind TLS at a name that is trusted, and the guard that trusts it.
struct World {
    secure: SecureChannel,
    tokens: Arc<Tokens>,
    guard: Guard,
    url: String,
}

impl World {
    async fn start() -> Self {
        let secure = SecureChannel::start("127.0.0.1", &["smba.channel.example"]).await;
        let (tokens, names) = (Arc::new(Tokens::default()), Arc::new(Names::default()));
        names.are("smba.channel.example", &[&["127.0.0.1"]]);
        let host = format!("smba.channel.example:{}", secure.port);
        let guard = Guard::builder()
            .trusted(
                TrustedHosts::none().allow(&host).unwrap(),
                Some(Credential::new(Arc::clone(&tokens) as _, "channels")),
            )
            .network("127.0.0.0/8")
            .resolver(names)
            .root_certificate(secure.root.as_bytes())
            .build()
            .unwrap();
        let url = format!("https://{host}/v3/conversations/c/activities");
        Self { secure, tokens, guard, url }
    }
}

#[tokio::test]
async fn a_trusted_host_is_shown_the_token() {
    let world = World::start().await;
    assert_eq!(post(&world.guard, &world.url).await.unwrap().status, 200);
    assert_eq!(shown(&world.secure.channel), [Some("Bearer t0ken-channels-0".to_owned())]);
}

#[tokio::test]
async fn a_server_that_cannot_prove_its_name_gets_nothing() {
    let secure = SecureChannel::start("127.0.0.1", &["another.example"]).await;
    let names = Arc::new(Names::default());
    names.are("smba.channel.example", &[&["127.0.0.1"]]);
    let host = format!("smba.channel.example:{}", secure.port);
    for root in [Some(&secure.root), None] {
        let guard = Guard::builder()
            .trusted(
                TrustedHosts::none().allow(&host).unwrap(),
                Some(Credential::new(Arc::new(Tokens::default()), "channels")),
            )
            .network("127.0.0.0/8")
            .resolver(Arc::clone(&names) as _);
        let guard = match root {
            Some(root) => guard.root_certificate(root.as_bytes()),
            None => guard,
        };
        let error = post(&guard.build().unwrap(), &format!("https://{host}/v3/x")).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    }
    assert!(secure.channel.ledger().is_empty());
}

#[tokio::test]
async fn one_that_is_refused_is_given_back_and_another_tried_once() {
    let world = World::start().await;
    world.secure.channel.script("c", [ChannelAnswer::status(401)]);
    assert_eq!(post(&world.guard, &world.url).await.unwrap().status, 200);
    world.secure.channel.script("c", [ChannelAnswer::status(401), ChannelAnswer::status(401)]);
    assert_eq!(post(&world.guard, &world.url).await.unwrap().status, 401, "twice is enough");
    let shown: Vec<_> = shown(&world.secure.channel).into_iter().flatten().collect();
    assert_eq!(shown, ["0", "1", "1", "2"].map(|n| format!("Bearer t0ken-channels-{n}")));
    assert_eq!(*world.tokens.refused.lock().unwrap(), ["t0ken-channels-0", "t0ken-channels-1"]);
}

#[tokio::test]
async fn the_same_token_is_not_tried_twice() {
    let channel = FakeChannel::start();
    let key = proact::egress::BearerToken::new("key");
    let guard =
        Guard::builder().configured(&channel.service_url(), Some(Credential::fixed(key))).build().unwrap();
    channel.script("c", [ChannelAnswer::status(401)]);
    let url = format!("{}v3/conversations/c/activities", channel.service_url());
    assert_eq!(post(&guard, &url).await.unwrap().status, 401);
    assert_eq!(shown(&channel), [Some("Bearer key".to_owned())]);
}

#[tokio::test]
async fn without_a_token_nothing_leaves() {
    let world = World::start().await;
    for reason in [
        TokenError::Refused { code: "invalid_client".to_owned() },
        TokenError::Unavailable { host: "login.example".to_owned(), why: "it is down".to_owned() },
    ] {
        *world.tokens.fails.lock().unwrap() = Some(reason.clone());
        let error = post(&world.guard, &world.url).await.unwrap_err();
        assert!(matches!(&error, Error::NoToken { reason: told, .. } if *told == reason), "{error}");
        assert!(!error.bytes_may_have_left());
    }
    assert!(world.secure.channel.ledger().is_empty());
    // A 401 whose token cannot be replaced stays a 401.
    *world.tokens.fails.lock().unwrap() = None;
    world.secure.channel.answer_with({
        let tokens = Arc::clone(&world.tokens);
        move |_| {
            *tokens.fails.lock().unwrap() = Some(TokenError::Refused { code: "invalid_client".to_owned() });
            Some(ChannelAnswer::status(401))
        }
    });
    assert_eq!(post(&world.guard, &world.url).await.unwrap().status, 401);
    assert_eq!(world.secure.channel.ledger().len(), 1);
}

#[tokio::test]
async fn each_target_has_its_own_and_loopback_has_none() {
    let (bot, open, other) = (FakeChannel::start(), FakeChannel::start(), FakeChannel::start());
    let (cloud, own) = (Arc::new(Tokens::default()), Arc::new(Tokens::default()));
    let guard = Guard::builder()
        .loopback()
        .trusted(TrustedHosts::public_cloud(), Some(Credential::new(Arc::clone(&cloud) as _, "cloud")))
        .configured(&bot.service_url(), Some(Credential::new(Arc::clone(&own) as _, "own")))
        .configured(&open.service_url(), None)
        .build()
        .unwrap();
    for channel in [&bot, &open, &other] {
        let url = format!("{}v3/conversations/c/activities", channel.service_url());
        assert_eq!(post(&guard, &url).await.unwrap().status, 200);
    }
    assert_eq!(shown(&bot), [Some("Bearer t0ken-own-0".to_owned())]);
    assert_eq!((shown(&open), shown(&other)), (vec![None], vec![None]));
    assert_eq!(cloud.asked.load(Ordering::SeqCst), 0, "the cloud's token is for the cloud");
    let bare = format!("{}v3/conversations/c/activities", bot.service_url());
    assert_eq!(post(&guard.without_tokens(), &bare).await.unwrap().status, 200);
    assert_eq!(shown(&bot).last(), Some(&None));
}

#[tokio::test]
async fn nobody_else_adds_one() {
    let channel = FakeChannel::start();
    let guard = Guard::loopback_only(Default::default());
    for name in ["authorization", "proxy-authorization", "cookie", "host"] {
        let url = guard.check(&channel.service_url()).unwrap();
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), "tellme".parse().unwrap())]);
        let request = Request { method: Method::POST, url, headers, body: Default::default() };
        let error = guard.send(request).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(Refused::Header { name: told }) if told == name), "{error}");
        assert!(!error.to_string().contains("tellme"));
    }
    assert!(channel.ledger().is_empty());
}

#[tokio::test]
async fn nothing_that_is_shown_holds_a_token() {
    let world = World::start().await;
    post(&world.guard, &world.url).await.unwrap();
    let shown =
        format!("{:?} {:?}", world.guard, Credential::fixed(proact::egress::BearerToken::new("t0ken")));
    assert!(!shown.contains(Tokens::MARK), "{shown}");
}

#[test]
fn a_guard_says_what_is_wrong_with_its_rules() {
    let wrong = |builder: proact::egress::GuardBuilder| builder.build().unwrap_err();
    assert!(matches!(
        wrong(Guard::builder().configured("ftp://x/", None)),
        BuildError::Target(Refused::Scheme { .. })
    ));
    let secret = wrong(Guard::builder().configured("http://u:tellme@x/", None));
    assert!(
        matches!(secret, BuildError::Target(Refused::UserInfo)) && !secret.to_string().contains("tellme")
    );
    assert!(matches!(wrong(Guard::builder().network("10.0.0.0/99")), BuildError::Network(_)));
    assert!(matches!(wrong(Guard::builder().root_certificate(b"none")), BuildError::Certificate(_)));
}
