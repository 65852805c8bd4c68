//! A bot of its own, with credentials, behind the channel (`--bot-url`): reached as the Emulator does it, with a token for that bot's own app
//! id; and what it sends comes with the token that it shows every channel. Real signatures, two programs, one login service.

use proact::{
    app::{self, App, Trust},
    auth::Credentials,
    directline::issuer::Issuer,
    testkit::IdentityProvider,
    turn::{Bot, BotError, TurnContext},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{TestServer, answer, client};

const APP: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: &str = "99999999-8888-7777-6666-555555555555";
const SECRET: &str = "never-to-be-seen-hunter2";

/// Says who called it.
struct Telling;

impl Bot for Telling {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        if ctx.activity().is_message() {
            ctx.send(format!("{:?} says {}", ctx.caller().kind, ctx.activity().text())).await?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_with_credentials_is_reached_with_its_own_token_and_comes_with_its_own() {
    let provider = IdentityProvider::start();
    provider.register(TENANT, APP, SECRET);
    let (listener, address) = app::listen("127.0.0.1:0").await.unwrap();
    let (bot_url, metadata) = (format!("http://{address}/api/messages"), provider.login_metadata(TENANT));
    let server = TestServer::with(&[
        ("MicrosoftAppId", APP),
        ("MicrosoftAppPassword", SECRET),
        ("MicrosoftAppType", "SingleTenant"),
        ("MicrosoftAppTenantId", TENANT),
        ("PROACT_BOT_URL", &bot_url),
        ("PROACT_TRUST_LOGIN_URL", provider.origin()),
        ("PROACT_TRUST_LOGIN_METADATA_URL", &metadata),
    ])
    .await;
    // The other program: it knows nothing of this server but where it is, and trusts the login service alone.
    let folder = tempfile::tempdir().unwrap();
    let trust = Trust::new(Credentials::new(APP, SECRET).in_tenant(TENANT))
        .emulator(true)
        .login(provider.origin())
        .login_metadata(&metadata)
        .channel(&server.url);
    let parts =
        App::new(Telling).data(folder.path()).trust(trust).open().await.unwrap().at(address).await.unwrap();
    let (router, stop) = (parts.gate.in_front_of(parts.router()), CancellationToken::new());
    parts.start().await.unwrap();
    tokio::spawn(app::serve(listener, router, stop.clone()));

    let chat = server.chat(None).await;
    chat.say("hello").await;
    chat.hears("Emulator says hello").await;

    // Nobody else comes through the same door: not with a token of another app, for another audience, of another issuer, or with none.
    let url = format!("{}/v3/conversations/{}/activities", server.url, chat.id);
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = Issuer::open(elsewhere.path(), std::sync::Arc::new(proact::clock::SystemClock)).unwrap();
    let channels = "https://api.botframework.com";
    for (token, status) in [
        (None, 401),
        (Some(provider.app_token(TENANT, APP, APP).sign()), 401),
        (Some(provider.app_token("11111111-8888-7777-6666-555555555555", APP, channels).sign()), 401),
        (Some(provider.channel_token(APP, &server.url).sign()), 401),
        (Some(stranger.for_connector(APP).current().expose().to_owned()), 401),
        (Some(provider.app_token(TENANT, "22222222-2222-3333-4444-555555555555", channels).sign()), 403),
    ] {
        let request = client().post(&url).json(&json!({ "type": "message", "text": "I am the bot" }));
        let request = match &token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let (refused, body) = answer(request).await;
        assert_eq!(refused, status, "{token:?} {body}");
    }
    for token in [provider.app_token(TENANT, APP, channels), provider.app_token_v2(TENANT, APP, channels)] {
        let said =
            client().post(&url).json(&json!({ "type": "message", "text": "good" })).bearer_auth(token.sign());
        assert_eq!(answer(said).await.0, 200);
    }
    assert!(!chat.texts().await.contains(&"I am the bot".to_owned()));
    parts.stop().await;
    stop.cancel();
}
