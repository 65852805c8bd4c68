//! A server with credentials, from its configuration to the wire: who gets in, what goes out and with which token. The identity
//! provider signs with real keys, and nothing is skipped.

use axum::{Json, Router, http::HeaderMap, routing::post};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proact::{
    activity::Activity,
    testkit::{Entry, FakeChannel, FakeUser, IdentityProvider, TestToken},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::mpsc};

use crate::support::{TestServer, answer, client, eventually};

const APP: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: &str = "99999999-8888-7777-6666-555555555555";
const SECRET: &str = "never-to-be-seen-hunter2";

/// A server with credentials, a channel that it trusts, one that it does not, and who signs for both.
struct World {
    provider: IdentityProvider,
    channel: FakeChannel,
    /// Never to be reached.
    canary: FakeChannel,
    server: TestServer,
}

impl World {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(more: &[(&str, &str)]) -> Self {
        let provider = IdentityProvider::start();
        provider.register(TENANT, APP, SECRET);
        let (channel, canary) = (FakeChannel::start(), FakeChannel::start());
        let server = server(tempfile::tempdir().unwrap(), &provider, &[&channel], more).await;
        Self { provider, channel, canary, server }
    }

    async fn trusting_the_canary() -> Self {
        let world = Self::start().await;
        let Self { provider, channel, canary, server } = world;
        let (folder, _) = server.stop().await;
        let server = self::server(folder, &provider, &[&channel, &canary], &[]).await;
        Self { provider, channel, canary, server }
    }

    async fn no_longer_trusting_the_canary(self) -> Self {
        let Self { provider, channel, canary, server } = self;
        let (folder, _) = server.stop().await;
        let server = self::server(folder, &provider, &[&channel], &[]).await;
        Self { provider, channel, canary, server }
    }

    /// A message that is told, to somebody who may be: what came before it has been looked at by then.
    async fn tells_somebody_else(&self) {
        assert_eq!(self.say(&self.channel.user("c2"), &self.channel, "run").await, 200);
        let (_, jobs) = self.get("/v1/jobs").await;
        let number = &jobs["items"][0]["number"];
        assert_eq!(self.command(&format!("/v1/jobs/{number}/complete"), json!({})).await.0, 200);
        let text = format!("Job {number} is complete.");
        self.channel.wait_for(|ledger| ledger.texts("c2").contains(&text.as_str())).await;
    }

    fn reached_the_canary(&self) -> usize {
        let ledger = self.canary.ledger();
        ledger.of("c1").count() + ledger.strays().len()
    }

    /// What a list has of the conversation `c1`.
    async fn of_c1(&self, list: &str) -> Vec<Value> {
        let (_, list) = self.get(list).await;
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["conversation"]["id"] == "c1")
            .cloned()
            .collect()
    }

    /// What this channel's connector shows the bot.
    fn token(&self, channel: &FakeChannel) -> TestToken {
        self.provider.channel_token(APP, &channel.service_url())
    }

    async fn post(&self, activity: &Activity, token: Option<&TestToken>) -> (u16, Value) {
        let request = client().post(self.server.bot()).header("content-type", "application/json");
        let request = match token {
            Some(token) => request.header("authorization", token.bearer()),
            None => request,
        };
        answer(request.body(activity.encode())).await
    }

    /// Something of `/v1`, as the command line on this machine asks for it.
    async fn get(&self, path: &str) -> (u16, Value) {
        answer(client().get(format!("{}{path}", self.server.url)).bearer_auth(self.key())).await
    }

    async fn command(&self, path: &str, body: Value) -> (u16, Value) {
        answer(client().post(format!("{}{path}", self.server.url)).bearer_auth(self.key()).json(&body)).await
    }

    fn key(&self) -> String {
        std::fs::read_to_string(self.server.data().join("local.key")).unwrap().trim().to_owned()
    }

    async fn say(&self, user: &FakeUser, channel: &FakeChannel, text: &str) -> u16 {
        self.post(&user.message(text), Some(&self.token(channel))).await.0
    }
}

/// A server on `folder` that has these channels' addresses in its configuration.
async fn server(
    folder: TempDir,
    provider: &IdentityProvider,
    channels: &[&FakeChannel],
    more: &[(&str, &str)],
) -> TestServer {
    let channels = channels.iter().map(|channel| channel.service_url()).collect::<Vec<_>>().join(",");
    let metadata = provider.channel_metadata();
    // The first of a name counts.
    let mut variables = more.to_vec();
    variables.extend_from_slice(&[
        ("MicrosoftAppId", APP),
        ("MicrosoftAppPassword", SECRET),
        ("MicrosoftAppType", "SingleTenant"),
        ("MicrosoftAppTenantId", TENANT),
        ("PROACT_TRUST_CHANNELS", &channels),
        ("PROACT_TRUST_LOGIN_URL", provider.origin()),
        ("PROACT_TRUST_CHANNEL_METADATA_URL", &metadata),
    ]);
    TestServer::on(folder, &variables).await
}

/// The claims of the token that something came with.
fn shown(entry: &Entry) -> Value {
    claims(entry.post.headers["authorization"].to_str().unwrap())
}

fn claims(header: &str) -> Value {
    let claims = header.strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_proves_who_they_are_is_answered_and_told_later_with_the_bots_own_token() {
    let world = World::start().await;
    let user = world.channel.user("c1");
    assert_eq!(world.say(&user, &world.channel, "run").await, 200);
    let (status, _) = world.command("/v1/jobs/1/complete", json!({})).await;
    assert_eq!(status, 200);
    let ledger = world.channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 1 is complete.")).await;
    assert_eq!(ledger.of("c1").count(), 2, "{:?}", ledger.texts("c1"));
    for entry in ledger.of("c1") {
        let claims = shown(entry);
        assert_eq!((&claims["appid"], &claims["tid"]), (&json!(APP), &json!(TENANT)));
        assert_eq!(claims["aud"], "https://api.botframework.com");
    }
    assert_eq!(world.provider.count("token"), 1, "a token is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_is_refused_and_nothing_comes_of_it() {
    let world = World::start().await;
    let run = world.channel.user("c1").message("run");
    let good = world.token(&world.channel);
    for (wrong, status) in [
        (None, 401),
        (Some(good.clone().claim("aud", "another-app")), 401),
        (Some(good.clone().claim("iss", "https://evil.example")), 401),
        (Some(good.clone().claim("exp", 1_000_000_000)), 401),
        (Some(good.clone().claim("serviceurl", "https://smba.trafficmanager.net/")), 403),
        // The bot's own credentials are no way in, unless the Emulator's is on.
        (Some(world.provider.app_token(TENANT, APP, APP)), 401),
    ] {
        let (answered, body) = world.post(&run, wrong.as_ref()).await;
        assert_eq!(answered, status, "{body}");
        assert!(body["error"]["code"].is_string(), "{body}");
    }
    let (_, jobs) = world.get("/v1/jobs").await;
    assert_eq!(jobs["items"], json!([]));
    assert_eq!(world.channel.ledger().of("c1").count(), 0);
    assert_eq!(world.post(&run, Some(&good)).await.0, 200, "the one beside them");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_strangers_activity_points_nothing_goes() {
    let world = World::start().await;
    let user = world.canary.user("c1");
    // A token that vouches for the URL, as if the channel itself had been fooled.
    let status = world.say(&user, &world.canary, "run").await;
    assert_ne!(status, 200);
    world.tells_somebody_else().await;
    assert_eq!(world.reached_the_canary(), 0);
    assert_eq!(world.of_c1("/v1/notifications").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_trusted_once_and_is_no_longer_is_not_reached_again_and_not_tried_for_ever() {
    let world = World::trusting_the_canary().await;
    assert_eq!(world.say(&world.canary.user("c1"), &world.canary, "run").await, 200);
    world.canary.wait_for(|ledger| ledger.texts("c1").len() == 1).await;

    let world = world.no_longer_trusting_the_canary().await;
    let (status, _) = world.command("/v1/jobs/1/complete", json!({})).await;
    assert_eq!(status, 200);
    let told = eventually("an end", async || {
        let told = world.of_c1("/v1/notifications").await;
        told.into_iter().find(|it| !matches!(it["state"].as_str(), Some("waiting" | "sending")))
    });
    let told = told.await;
    assert_eq!(told["state"], "failed", "{told}");
    assert!(told["reason"].as_str().is_some_and(|why| !why.is_empty()), "it is visible why: {told}");
    world.tells_somebody_else().await;
    assert_eq!(world.reached_the_canary(), 1, "what it was told while it was trusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_channel_and_the_bot_know_each_other_without_the_cloud() {
    let world = World::start().await;
    let chat = world.server.chat(None).await;
    chat.say("run").await;
    eventually("a reply", async || {
        chat.texts().await.iter().any(|text| text.contains("job 1")).then_some(())
    })
    .await;
    world.command("/v1/jobs/1/complete", json!({})).await;
    chat.hears("Job 1 is complete.").await;
    assert_eq!(world.provider.count("token"), 0, "neither side uses the cloud's tokens for the other");

    // The connector routes are for the bot alone: nobody else speaks in its name.
    let url = format!("{}/v3/conversations/{}/activities", world.server.url, chat.id);
    let said = json!({ "type": "message", "text": "I am the bot" });
    let cloud = world.provider.app_token(TENANT, APP, "https://api.botframework.com").sign();
    for token in [None, Some("nonsense"), Some(cloud.as_str())] {
        let request = client().post(&url).json(&said);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let (status, body) = answer(request).await;
        assert_eq!((status, &body["error"]["code"]), (401, &json!("Unauthorized")));
    }
    assert!(!chat.texts().await.contains(&"I am the bot".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_credentials_people_reach_their_own_jobs_only() {
    let world = World::start().await;
    let (ann, bob) = (world.channel.user("ann"), world.channel.user("bob"));
    assert_eq!(world.say(&ann, &world.channel, "run").await, 200);
    assert_eq!(world.say(&bob, &world.channel, "done 1").await, 200);
    let ledger = world.channel.wait_for(|ledger| !ledger.texts("bob").is_empty()).await;
    assert_eq!(ledger.texts("bob"), ["The log does not contain a job 1."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_login_service_refuses_is_told_without_the_secret_and_nothing_goes() {
    let world = World::with(&[("MicrosoftAppPassword", "wrong-hunter3")]).await;
    let user = world.channel.user("c1");
    world.say(&user, &world.channel, "run").await;
    let (_, status) = world.get("/readyz").await;
    let (_, outbox) = world.get("/v1/status").await;
    assert_eq!(world.channel.ledger().of("c1").count(), 0);
    assert!(!format!("{status}{outbox}").contains("hunter"));
    assert!(world.provider.count("token") >= 1);
}

/// A bot that somebody else wrote, behind the built-in channel: it writes down which token it was shown, for what.
async fn foreign_bot() -> (String, mpsc::UnboundedReceiver<(String, Value)>) {
    let (tell, told) = mpsc::unbounded_channel();
    let take = move |headers: HeaderMap, Json(activity): Json<Value>| async move {
        let shown = headers.get("authorization").map_or("", |shown| shown.to_str().unwrap());
        tell.send((shown.to_owned(), activity)).unwrap();
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/messages", listener.local_addr().unwrap());
    let router = Router::new().route("/api/messages", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_bot_behind_the_channel_is_shown_a_token_for_it_and_shows_the_one_that_it_has() {
    let (bot_url, mut told) = foreign_bot().await;
    let provider = IdentityProvider::start();
    provider.register(TENANT, APP, SECRET);
    let metadata = provider.login_metadata(TENANT);
    let more = [("PROACT_BOT_URL", bot_url.as_str()), ("PROACT_TRUST_LOGIN_METADATA_URL", &metadata)];
    let server = server(tempfile::tempdir().unwrap(), &provider, &[], &more).await;
    let chat = server.chat(None).await;
    chat.say("hello").await;
    let activity = loop {
        let (shown, activity) = told.recv().await.unwrap();
        let claims = claims(&shown);
        assert_eq!((&claims["appid"], &claims["aud"]), (&json!(APP), &json!(APP)), "as the Emulator does it");
        if activity["type"] == "message" {
            break activity;
        }
    };
    assert_eq!(activity["text"], "hello");

    let url = format!("{}/v3/conversations/{}/activities", server.url, chat.id);
    let said = json!({ "type": "message", "text": "hello yourself" });
    let channels = "https://api.botframework.com";
    for (token, status) in [
        (provider.app_token(TENANT, "another-app", channels), 403),
        (provider.app_token(TENANT, APP, APP), 401),
        (provider.app_token("11111111-1111-1111-1111-111111111111", APP, channels), 401),
        (provider.app_token(TENANT, APP, channels), 200),
    ] {
        let (answered, body) = answer(client().post(&url).bearer_auth(token.sign()).json(&said)).await;
        assert_eq!(answered, status, "{body}");
    }
    chat.hears("hello yourself").await;
    assert_eq!(chat.texts().await, ["hello yourself"], "once");
}
