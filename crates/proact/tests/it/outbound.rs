//! Tokens for what the bot sends, from a login service on loopback.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::Engine as _;
use futures_util::future::join_all;
use proact::{
    auth::{Authenticator, CallerKind, ClientCredentials, Cloud, Credentials, outbound::LoginError},
    clock::Clock,
    connector::ConnectorClient,
    egress::{BearerToken, Guard, Options, TokenError, TokenSource},
    proactive::NewNotification,
    testkit::{FakeChannel, IdentityProvider, PUBLIC_TENANT, TestClock},
};
use serde_json::json;
use tokio::sync::Notify;

const SECRET: &str = "s3cret & ünd=+%";
const SCOPE: &str = "https://api.botframework.com/.default";

type Form = Vec<(String, String)>;

/// A login service: it answers as told, else with the next of its tokens.
#[derive(Default)]
struct Service {
    /// The path and the form of each request.
    asked: Mutex<Vec<(String, Form)>>,
    answers: Mutex<VecDeque<Response>>,
    life: Mutex<Option<u64>>,
    /// While it is closed nobody is answered.
    closed: std::sync::atomic::AtomicBool,
    changed: Notify,
}

async fn answer(State(service): State<Arc<Service>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    assert!(!headers.contains_key("authorization"));
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let number = {
        let mut asked = service.asked.lock().unwrap();
        asked.push((uri.to_string(), form));
        asked.len()
    };
    service.changed.notify_waiters();
    while service.closed.load(Ordering::SeqCst) {
        service.changed.notified().await;
    }
    let told = service.answers.lock().unwrap().pop_front();
    told.unwrap_or_else(|| {
        let life = service.life.lock().unwrap().unwrap_or(3600);
        let token =
            json!({ "token_type": "Bearer", "expires_in": life, "access_token": format!("token-{number}") });
        axum::Json(token).into_response()
    })
}

impl Service {
    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    async fn until_asked(&self, times: usize) {
        loop {
            let changed = self.changed.notified();
            if self.asked() >= times {
                return;
            }
            changed.await;
        }
    }

    fn answers(&self, answers: impl IntoIterator<Item = Response>) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
        self.changed.notify_waiters();
    }
}

fn status(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

fn later(status: u16, seconds: &'static str) -> Response {
    (StatusCode::from_u16(status).unwrap(), [("retry-after", seconds)]).into_response()
}

fn error(status: u16, name: &str, number: u32) -> Response {
    let description = format!("AADSTS{number}: the secret '{SECRET}' is wrong");
    let body = json!({ "error": name, "error_description": description, "error_codes": [number] });
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

struct World {
    service: Arc<Service>,
    clock: TestClock,
    tokens: ClientCredentials,
    login: String,
}

async fn world_of(credentials: Credentials) -> World {
    let service = Arc::new(Service::default());
    let router = Router::new().fallback(answer).with_state(Arc::clone(&service));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let login = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let clock = TestClock::default();
    let tokens =
        ClientCredentials::builder(credentials).login(&login).clock(Arc::new(clock.clone())).build().unwrap();
    World { service, clock, tokens, login }
}

async fn world() -> World {
    world_of(Credentials::new("app", SECRET)).await
}

impl World {
    async fn token(&self) -> Result<String, TokenError> {
        self.tokens.token(SCOPE).await.map(|token| token.expose().to_owned())
    }

    /// Asks, and moves the clock past every pause until there is an answer.
    async fn token_with_time(&self) -> Result<String, TokenError> {
        let mut asking = std::pin::pin!(self.token());
        loop {
            tokio::select! {
                biased;
                answer = &mut asking => return answer,
                () = tokio::task::yield_now() => {
                    if self.clock.sleepers() > 0 {
                        self.clock.advance(Duration::from_secs(10));
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn it_is_asked_as_the_protocol_says() {
    let ask = async |credentials: Credentials, scope: &str| {
        let world = world_of(credentials).await;
        world.tokens.token(scope).await.unwrap();
        let asked = world.service.asked.lock().unwrap().clone();
        asked.into_iter().next().unwrap()
    };
    let (path, form) = ask(Credentials::new("app id", SECRET), SCOPE).await;
    assert_eq!(path, "/botframework.com/oauth2/v2.0/token");
    let expected = [
        ("grant_type", "client_credentials"),
        ("client_id", "app id"),
        ("client_secret", SECRET),
        ("scope", SCOPE),
    ];
    assert_eq!(form, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let (path, _) = ask(Credentials::new("app", SECRET).in_tenant("contoso.example"), SCOPE).await;
    assert_eq!(path, "/contoso.example/oauth2/v2.0/token");
    let government = Credentials::new("app", SECRET).in_cloud(Cloud::Government);
    let (path, form) = ask(government, Cloud::Government.channel_scope()).await;
    assert_eq!(path, "/MicrosoftServices.onmicrosoft.us/oauth2/v2.0/token");
    assert_eq!(form[3].1, "https://api.botframework.us/.default");
}

#[tokio::test]
async fn a_token_is_kept_for_each_scope() {
    let world = world().await;
    assert_eq!(world.token().await.unwrap(), "token-1");
    assert_eq!(world.token().await.unwrap(), "token-1");
    assert_eq!(world.tokens.token("other/.default").await.unwrap().expose(), "token-2");
    assert_eq!(world.tokens.clone().token(SCOPE).await.unwrap().expose(), "token-1", "clones share it");
    assert_eq!(world.service.asked(), 2);
}

#[tokio::test]
async fn many_who_ask_together_ask_once() {
    let world = world().await;
    world.service.closed.store(true, Ordering::SeqCst);
    let many = join_all((0..100).map(|_| world.token()));
    let (tokens, ()) = tokio::join!(many, async {
        world.service.until_asked(1).await;
        world.service.open();
    });
    assert!(tokens.iter().all(|token| token.as_deref() == Ok("token-1")));
    assert_eq!(world.service.asked(), 1);
}

#[tokio::test]
async fn a_fetch_goes_on_when_who_asked_hangs_up() {
    let world = world().await;
    world.service.closed.store(true, Ordering::SeqCst);
    tokio::select! {
        biased;
        _ = world.token() => unreachable!("it is closed"),
        () = world.service.until_asked(1) => {}
    }
    world.service.open();
    assert_eq!((world.token().await.unwrap(), world.service.asked()), ("token-1".to_owned(), 1));
}

#[tokio::test]
async fn it_is_replaced_early_and_beside() {
    let world = world().await;
    world.token().await.unwrap();
    world.clock.advance(Duration::from_secs(3299));
    assert_eq!((world.token().await.unwrap(), world.service.asked()), ("token-1".to_owned(), 1));
    world.clock.advance(Duration::from_secs(2));
    world.service.closed.store(true, Ordering::SeqCst);
    assert_eq!(world.token().await.unwrap(), "token-1", "nobody waits while the old one is good");
    world.service.until_asked(2).await;
    assert_eq!(world.token().await.unwrap(), "token-1");
    world.service.open();
    while world.token().await.unwrap() == "token-1" {
        tokio::task::yield_now().await;
    }
    assert_eq!((world.token().await.unwrap(), world.service.asked()), ("token-2".to_owned(), 2));
}

#[tokio::test]
async fn an_outage_is_not_noticed_before_the_old_one_ends() {
    let world = world().await;
    world.token().await.unwrap();
    world.clock.advance(Duration::from_secs(3400));
    world.service.answers((0..3).map(|_| status(503)));
    assert_eq!(world.token().await.unwrap(), "token-1");
    // Its three tries, with pauses between them.
    while world.service.asked() < 4 {
        if world.clock.sleepers() > 0 {
            world.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(world.token().await.unwrap(), "token-1");
        tokio::task::yield_now().await;
    }
    // Expired, and out of order again: now there is none.
    world.clock.set(TestClock::default().now() + Duration::from_secs(3600));
    world.service.answers((0..9).map(|_| status(503)));
    let error = world.token_with_time().await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_short_life_is_renewed_at_its_half() {
    let world = world().await;
    *world.service.life.lock().unwrap() = Some(100);
    world.token().await.unwrap();
    world.clock.advance(Duration::from_secs(49));
    world.token().await.unwrap();
    assert_eq!(world.service.asked(), 1);
    world.clock.advance(Duration::from_secs(22));
    assert_eq!(world.token().await.unwrap(), "token-2", "too near its end to be sent anywhere");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_not_for_ever() {
    for answers in [
        vec![status(500), status(503)],
        vec![status(429), later(429, "3")],
        vec![(StatusCode::OK, "<html>").into_response(), status(302)],
        vec![error(400, "temporarily_unavailable", 1)],
    ] {
        let world = world().await;
        let tries = answers.len() + 1;
        world.service.answers(answers);
        assert_eq!(world.token_with_time().await.unwrap(), format!("token-{tries}"));
    }
    let world = world().await;
    world.service.answers((0..9).map(|_| status(502)));
    let error = world.token_with_time().await.unwrap_err();
    assert!(matches!(error, TokenError::Unavailable { .. }), "{error}");
    assert_eq!(world.service.asked(), 3);
}

#[tokio::test]
async fn a_pause_that_was_asked_for_is_kept() {
    let world = world().await;
    world.service.answers([later(429, "7")]);
    let started = world.clock.now();
    let mut asking = std::pin::pin!(world.token());
    tokio::select! {
        biased;
        _ = &mut asking => unreachable!("it was told to wait"),
        () = async {
            while world.clock.sleepers() == 0 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    world.clock.set(started + Duration::from_millis(6999));
    tokio::task::yield_now().await;
    assert_eq!(world.service.asked(), 1);
    world.clock.set(started + Duration::from_millis(7000));
    assert_eq!(asking.await.unwrap(), "token-2");
}

#[tokio::test]
async fn a_pause_too_long_to_wait_for_is_an_error_that_stands() {
    let world = world().await;
    world.service.answers([later(503, "11")]);
    let first = world.token().await.unwrap_err();
    assert!(matches!(&first, TokenError::Unavailable { host, .. } if host == "127.0.0.1"), "{first}");
    assert_eq!(
        (world.token().await.unwrap_err(), world.service.asked()),
        (first, 1),
        "nobody asks meanwhile"
    );
    world.clock.advance(Duration::from_secs(10));
    assert!(world.token().await.is_err());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.token().await.unwrap(), "token-2");
    // Longer than a minute is not believed.
    let world = self::world().await;
    world.service.answers([later(429, "86400")]);
    assert!(world.token().await.is_err());
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.token().await.unwrap(), "token-2");
    // A clock that was set back does not make it longer.
    let world = self::world().await;
    world.service.answers([later(503, "30")]);
    assert!(world.token().await.is_err());
    world.clock.set("2020-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(world.token().await.unwrap(), "token-2");
}

#[tokio::test]
async fn wrong_credentials_are_said_so_and_not_tried_again() {
    let world = world().await;
    for (answer, told) in [
        (error(401, "invalid_client", 7_000_215), "invalid_client, AADSTS7000215"),
        (error(400, "unauthorized_client", 700_016), "unauthorized_client, AADSTS700016"),
        (status(404), "it answered 404"),
    ] {
        let before = world.service.asked();
        world.service.answers([answer]);
        let refused = world.token().await.unwrap_err();
        assert_eq!(refused, TokenError::Refused { code: told.to_owned() });
        assert_eq!(world.token().await.unwrap_err(), refused);
        assert_eq!(world.service.asked(), before + 1);
        world.clock.advance(Duration::from_secs(10));
    }
    assert!(world.token().await.is_ok(), "a person has corrected it meanwhile");
}

#[tokio::test]
async fn one_that_was_refused_is_replaced_but_not_again_and_again() {
    let world = world().await;
    let refuse = |token: &str| world.tokens.refused(SCOPE, &BearerToken::new(token));
    world.token().await.unwrap();
    refuse("token-0");
    assert_eq!(world.token().await.unwrap(), "token-1", "it is about another one");
    refuse("token-1");
    refuse("token-1");
    assert_eq!(world.token().await.unwrap(), "token-2");
    refuse("token-1");
    refuse("token-2");
    assert_eq!((world.token().await.unwrap(), world.service.asked()), ("token-2".to_owned(), 2));
    world.clock.advance(Duration::from_secs(10));
    refuse("token-2");
    assert_eq!(world.token().await.unwrap(), "token-3");
}

#[tokio::test]
async fn a_service_that_is_not_there_or_silent_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let login = format!("http://{}", listener.local_addr().unwrap());
    let options = Options { timeout: Duration::from_millis(300), ..Options::default() };
    let tokens = ClientCredentials::builder(Credentials::new("app", SECRET))
        .login(&login)
        .guard(Guard::builder().options(options))
        .build()
        .unwrap();
    let silent = tokens.token(SCOPE).await.unwrap_err();
    assert!(matches!(silent, TokenError::Unavailable { .. }), "{silent}");
    drop(listener);
    let gone = ClientCredentials::builder(Credentials::new("app", SECRET)).login(&login).build().unwrap();
    let gone = gone.token(SCOPE).await.unwrap_err();
    assert!(matches!(gone, TokenError::Unavailable { .. }), "{gone}");
}

#[tokio::test]
async fn the_secret_is_in_nothing_that_is_shown() {
    let world = world().await;
    world.service.answers([error(401, "invalid_client", 7_000_215)]);
    let refused = world.token().await.unwrap_err();
    let shown = format!("{refused} {refused:?} {:?} {:?}", world.tokens, world.tokens.for_channels());
    let builder = ClientCredentials::builder(Credentials::new("app", SECRET)).login(&world.login);
    let shown = format!("{shown} {builder:?}") + &format!("{:?}", builder.build());
    assert!(!shown.contains("s3cret") && shown.contains("app"), "{shown}");
}

#[test]
fn what_cannot_be_right_is_said_before_anything_is_sent() {
    let wrong = |credentials: Credentials| ClientCredentials::new(credentials).unwrap_err().to_string();
    assert!(wrong(Credentials::new(" ", "x")).starts_with("MicrosoftAppId"));
    assert!(wrong(Credentials::new("app", "")).starts_with("MicrosoftAppPassword"));
    for tenant in ["", "..", "a/b", "a?b", "a#b", "a b", "%2e%2e", "a\nb"] {
        let text = wrong(Credentials::new("app", "x").in_tenant(tenant));
        assert!(text.starts_with("MicrosoftAppTenantId"), "{tenant}: {text}");
    }
    let url = |url: &str| ClientCredentials::builder(Credentials::new("app", "x")).login(url).build();
    for bad in [
        "",
        "login.example",
        "http://login.example",
        "ftp://127.0.0.1",
        "https://u:p@login.example",
        "https://a?b",
    ] {
        assert!(matches!(url(bad), Err(LoginError::Url { .. })), "{bad}");
    }
    for good in ["https://login.example/base/", "http://localhost:1", "http://[::1]:1"] {
        assert!(url(good).is_ok(), "{good}");
    }
}

/// What the login service gives opens what it is for: the bot that speaks to another as the Emulator does it, and its channels.
#[tokio::test]
async fn what_is_given_is_what_the_other_side_takes() {
    let clock = Arc::new(TestClock::default());
    let provider = IdentityProvider::start_by(clock.clone());
    provider.register("botframework.com", "app", SECRET);
    let credentials = Credentials::new("app", SECRET);
    let tokens = ClientCredentials::builder(credentials.clone())
        .login(provider.origin())
        .clock(clock.clone())
        .build()
        .unwrap();
    let authenticator = Authenticator::builder(&credentials)
        .emulator(true)
        .login_metadata(provider.login_metadata(PUBLIC_TENANT))
        .channel_metadata(provider.channel_metadata())
        .clock(clock.clone())
        .build(&Guard::loopback_only(Options::default()))
        .unwrap();
    let verify = async |scope: &str| {
        let token = tokens.token(scope).await.unwrap();
        authenticator.verify(Some(format!("Bearer {}", token.expose()).as_bytes())).await
    };
    let speaking = verify("app/.default").await.unwrap();
    let caller = speaking.speak_for(&FakeChannel::start().user("c").message("x")).unwrap();
    assert_eq!((caller.kind, caller.app_id.as_deref()), (CallerKind::Emulator, Some("app")));
    assert!(!caller.service_url_verified);
    // One for channels is not for bots.
    assert!(verify(SCOPE).await.is_err());
    // The key changes: what was kept is refused, given back, and another opens again.
    provider.rotate();
    clock.advance(Duration::from_secs(3600));
    let stale = tokens.token("app/.default").await.unwrap();
    tokens.refused("app/.default", &stale);
    assert!(verify("app/.default").await.is_ok());
    // A secret that was taken away.
    let wrong =
        ClientCredentials::builder(Credentials::new("app", "old")).login(provider.origin()).build().unwrap();
    let refused = wrong.token(SCOPE).await.unwrap_err();
    assert_eq!(refused, TokenError::Refused { code: "invalid_client".to_owned() });
}

/// The whole way: a channel's token comes in and vouches for its service URL, the bot's own goes out to it.
#[tokio::test]
async fn a_reference_that_was_vouched_for_is_used_with_the_bots_token() {
    let folder = tempfile::tempdir().unwrap();
    let (provider, channel) = (IdentityProvider::start(), FakeChannel::start());
    provider.register("contoso", "app", SECRET);
    let credentials = Credentials::new("app", SECRET).in_tenant("contoso");
    let tokens = ClientCredentials::builder(credentials.clone()).login(provider.origin()).build().unwrap();
    let guard =
        Guard::builder().configured(&channel.service_url(), Some(tokens.for_channels())).build().unwrap();
    let authenticator = Authenticator::builder(&credentials)
        .channel_metadata(provider.channel_metadata())
        .build(&Guard::loopback_only(Options::default()))
        .unwrap();
    let bot =
        crate::support::start_with(folder.path(), crate::support::TestBot, Default::default(), |adapter| {
            adapter.connector(ConnectorClient::new(guard)).authenticator(authenticator)
        })
        .await;
    let user = channel.user("c");
    let activity = user.message("hello");
    let bearer = provider.channel_token("app", &channel.service_url()).bearer();
    let answer = bot.adapter.process_authorized(Some(bearer.as_bytes()), activity.encode().into()).await;
    assert_eq!(answer.status, 200);
    let key = activity.conversation_key().unwrap();
    let stored = bot.engine.conversation(key.clone()).await.unwrap().unwrap();
    assert!(stored.service_url_verified);
    bot.engine.notify(NewNotification::new(key, "later")).await.unwrap();
    channel.wait_for(|ledger| ledger.len() == 2).await;
    let shown = channel.ledger().iter().map(|it| it.headers["authorization"].clone()).collect::<Vec<_>>();
    assert!(shown.windows(2).all(|two| two[0] == two[1]), "one token for all of them");
    let shown = shown[0].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let claims =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(shown.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["aud"], &claims["appid"]), (&json!("https://api.botframework.com"), &json!("app")));
    assert_eq!(provider.count("token"), 1);
}
