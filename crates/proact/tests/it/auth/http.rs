//! The adapter behind real HTTP: who is let in, as whom, and what becomes of the rest.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::FutureExt;
use proact::{
    activity::{Activity, DeliveryMode},
    adapter::{Adapter, Options},
    auth::{Authenticator, Caller, CallerKind, inbound::AuthenticatorBuilder},
    testkit::{FakeChannel, IdentityProvider, PUBLIC_TENANT, TestToken},
    turn::{Bot, BotError, TurnContext},
};
use serde_json::Value;

use super::world::{APP, CALLER, guard};
use crate::support::{Running, life, start, start_with};

/// Notes who came, and what the activity says of it; answers with the text. `wait` waits for ever in its first turn.
#[derive(Clone, Default)]
struct Doorman(Arc<Mutex<Vec<Came>>>);

/// The caller, and the activity's `callerId`.
type Came = (Caller, Option<String>);

impl Doorman {
    fn came(&self) -> Vec<Came> {
        self.0.lock().unwrap().clone()
    }
}

impl Bot for Doorman {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        let before = {
            let mut came = self.0.lock().unwrap();
            came.push((ctx.caller().clone(), ctx.activity().caller_id.clone()));
            came.len() - 1
        };
        match ctx.activity().text() {
            "wait" if before == 0 => std::future::pending().await,
            text => {
                ctx.send(format!("heard {text} as {before}")).await?;
                Ok(())
            }
        }
    }
}

struct House {
    channel: FakeChannel,
    provider: IdentityProvider,
    http: reqwest::Client,
}

/// An answer.
struct Said {
    status: u16,
    challenge: Option<String>,
    body: Value,
}

impl House {
    fn new() -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { channel: FakeChannel::start(), provider: IdentityProvider::start(), http }
    }

    fn authenticator(
        &self,
        change: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
    ) -> Authenticator {
        let builder = Authenticator::builder(&proact::auth::Credentials::new(APP, "a secret"))
            .channel_metadata(self.provider.channel_metadata())
            .login_metadata(self.provider.login_metadata("botframework.com"));
        change(builder).build(&guard()).unwrap()
    }

    fn all(&self) -> Authenticator {
        self.authenticator(|builder| builder.emulator(true).skills([CALLER]))
    }

    fn token(&self) -> TestToken {
        self.provider.channel_token(APP, &self.channel.service_url())
    }

    async fn post(&self, running: &Running, authorization: &[&str], body: impl Into<Vec<u8>>) -> Said {
        let mut request = self.http.post(&running.bot_url).header("content-type", "application/json");
        for value in authorization {
            request = request.header("authorization", *value);
        }
        let response = request.body(body.into()).send().await.unwrap();
        let challenge =
            response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        Said { status, challenge, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    async fn say(&self, running: &Running, token: &TestToken, activity: &Activity) -> Said {
        self.post(running, &[&token.bearer()], activity.encode()).await
    }
}

async fn running(folder: &std::path::Path, bot: &Doorman, authenticator: Authenticator) -> Running {
    start_with(folder, bot.clone(), Options::default(), |builder| builder.authenticator(authenticator)).await
}

#[tokio::test]
async fn a_channel_with_its_token_is_heard_and_its_name_is_the_tokens() {
    let (house, folder, bot) = (House::new(), tempfile::tempdir().unwrap(), Doorman::default());
    let running = running(folder.path(), &bot, house.all()).await;
    let mut hello = house.channel.user("c").message("hello");
    hello.caller_id = Some("urn:botframework:aadappid:made-up".to_owned());
    assert_eq!(house.say(&running, &house.token(), &hello).await.status, 200);
    let [(caller, caller_id)] = bot.came().try_into().unwrap();
    assert_eq!(caller.kind, CallerKind::Channel);
    assert!(caller.service_url_verified);
    assert_eq!(caller_id.as_deref(), Some("urn:botframework:azure"));
    assert_eq!(house.channel.ledger().texts("c"), ["heard hello as 0"]);
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why_and_nothing_is_done() {
    let (house, folder, bot) = (House::new(), tempfile::tempdir().unwrap(), Doorman::default());
    let running = running(folder.path(), &bot, house.authenticator(|builder| builder)).await;
    let hello = house.channel.user("c").message("hello");
    let (good, bytes) = (house.token(), hello.encode());
    let other_url = house.provider.channel_token(APP, "http://127.0.0.1:1/").bearer();
    let skill = house.provider.app_token(PUBLIC_TENANT, CALLER, APP).bearer();
    let not_ours = good.clone().claim("aud", CALLER).bearer();
    let (good, invalid) = (good.bearer(), Some("Bearer error=\"invalid_token\""));
    for (headers, status, code, challenge, says) in [
        (vec![], 401, "Unauthorized", Some("Bearer"), "no Authorization header"),
        (vec!["Bearer x"], 401, "Unauthorized", invalid, "no JSON Web Token"),
        (vec![good.as_str(), good.as_str()], 401, "Unauthorized", invalid, "is not `Bearer`"),
        (vec![skill.as_str()], 401, "Unauthorized", invalid, "MicrosoftAppTenantId"),
        (vec![not_ours.as_str()], 401, "Unauthorized", invalid, "MicrosoftAppId"),
        (vec![other_url.as_str()], 403, "Forbidden", None, "serviceUrl"),
    ] {
        let said = house.post(&running, &headers, bytes.clone()).await;
        assert_eq!((said.status, said.challenge.as_deref()), (status, challenge), "{says}");
        assert_eq!(said.body["error"]["code"], code, "{says}");
        let message = said.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    }
    assert_eq!(bot.came(), []);
    let conversation = hello.conversation_key().unwrap();
    assert!(
        running.engine.conversation(conversation.clone()).await.unwrap().is_none(),
        "no reference is stored"
    );
    // Nor is it a repetition of anything when it comes rightly.
    assert_eq!(house.post(&running, &[&good], bytes).await.status, 200);
    assert_eq!(bot.came().len(), 1);
    assert!(running.engine.conversation(conversation).await.unwrap().is_some());
}

#[tokio::test]
async fn the_body_is_not_looked_at_before_the_token() {
    let (house, folder, bot) = (House::new(), tempfile::tempdir().unwrap(), Doorman::default());
    let running = running(folder.path(), &bot, house.all()).await;
    for body in [b"no activity".to_vec(), vec![b' '; 2 * 1024 * 1024]] {
        assert_eq!(house.post(&running, &[], body).await.status, 401);
    }
    let good = house.token().bearer();
    assert_eq!(house.post(&running, &[&good], "no activity").await.status, 400);
    assert_eq!(house.post(&running, &[&good], r#"{"type":"message"}"#).await.status, 400);
    // Without the HTTP route there is no header either.
    let hello = house.channel.user("c").message("hello").encode();
    assert_eq!(running.adapter.process(hello.clone().into()).await.status, 401);
    let answer = running.adapter.process_authorized(Some(good.as_bytes()), hello.into()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_no_fault_of_the_callers() {
    let (house, folder, bot) = (House::new(), tempfile::tempdir().unwrap(), Doorman::default());
    house.provider.fail_with(Some(500));
    let running = running(folder.path(), &bot, house.all()).await;
    let said = house.say(&running, &house.token(), &house.channel.user("c").message("hello")).await;
    assert_eq!((said.status, said.body["error"]["code"].as_str()), (503, Some("ServiceUnavailable")));
    assert_eq!(bot.came(), []);
}

#[tokio::test]
async fn a_skills_caller_joins_no_turn_of_a_channels() {
    let (house, folder, bot) = (House::new(), tempfile::tempdir().unwrap(), Doorman::default());
    let running = running(folder.path(), &bot, house.all()).await;
    let mut asked = house.channel.user("c").message("secret");
    asked.delivery_mode = Some(DeliveryMode::ExpectReplies);
    let to_channel = house.say(&running, &house.token(), &asked).await;
    // The same ids, written by another bot: what it is told is its own answer.
    let skill = house.provider.app_token(PUBLIC_TENANT, CALLER, APP);
    let to_skill = house.say(&running, &skill, &asked).await;
    let text = |said: &Said| said.body["activities"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(
        (text(&to_channel), text(&to_skill)),
        ("heard secret as 0".to_owned(), "heard secret as 1".to_owned())
    );
    // Each of them again: nothing is run again.
    assert_eq!(text(&house.say(&running, &skill, &asked).await), "heard secret as 1");
    assert_eq!(text(&house.say(&running, &house.token(), &asked).await), "heard secret as 0");
    let kinds: Vec<CallerKind> = bot.came().iter().map(|(caller, _)| caller.kind).collect();
    assert_eq!(kinds, [CallerKind::Channel, CallerKind::Skill]);
}

#[tokio::test]
async fn a_skills_caller_is_answered_at_its_own_address_alone() {
    let (house, folder, bot) = (House::new(), tempfile::tempdir().unwrap(), Doorman::default());
    let activity = house.channel.user("c").message("hello");
    let here = activity.service_url.as_deref().unwrap().parse().unwrap();
    let authenticator = house.authenticator(|builder| builder.emulator(true).skill(CALLER, &here));
    let running = running(folder.path(), &bot, authenticator).await;
    let skill = house.provider.app_token(PUBLIC_TENANT, CALLER, APP);
    assert_eq!(house.say(&running, &skill, &activity).await.status, 200);
    for elsewhere in ["https://smba.trafficmanager.net/", "http://127.0.0.1:9/", "http://localhost/", "x"] {
        let mut lured = house.channel.user("c").message("hello").with_service_url(elsewhere);
        lured.id = Some(elsewhere.to_owned());
        let said = house.say(&running, &skill, &lured).await;
        assert_eq!(said.status, 403, "{elsewhere}");
        assert!(said.body["error"]["message"].as_str().unwrap().starts_with("the activity's serviceUrl"));
    }
    assert_eq!(bot.came().len(), 1);
}

#[tokio::test]
async fn a_turn_that_is_run_again_after_a_death_has_the_caller_it_had() {
    let (house, folder, bot) = (House::new(), tempfile::tempdir().unwrap(), Doorman::default());
    let mut options = Options::default();
    options.early_answer_after = Duration::from_millis(1);
    let skill = house.provider.app_token(PUBLIC_TENANT, CALLER, APP);
    let mut wait = house.channel.user("c").message("wait");
    wait.caller_id = Some("urn:botframework:azure".to_owned());
    let (all, adapter_options) = (house.all(), options.clone());
    life(|| async {
        let first =
            start_with(folder.path(), bot.clone(), adapter_options, |builder| builder.authenticator(all))
                .await;
        assert_eq!(house.say(&first, &skill, &wait).await.status, 200, "answered early");
    });
    // The provider is gone: what was proven is on record, and is not asked for again.
    house.provider.down().await;
    let all = house.all();
    let _second = start_with(folder.path(), bot.clone(), options, |builder| builder.authenticator(all)).await;
    house.channel.wait_for(|ledger| ledger.texts("c") == ["heard wait as 1"]).await;
    let [first, second] = bot.came().try_into().unwrap();
    assert_eq!(first, second);
    assert_eq!(first.0.kind, CallerKind::Skill);
    assert_eq!(first.1, Some(format!("urn:botframework:aadappid:{CALLER}")));
}

#[tokio::test]
async fn without_credentials_nobody_is_asked_and_nobody_is_named() {
    let (house, folder, bot) = (House::new(), tempfile::tempdir().unwrap(), Doorman::default());
    let running = start(folder.path(), bot.clone(), Options::default()).await;
    let mut hello = house.channel.user("c").message("hello");
    hello.caller_id = Some("urn:botframework:azure".to_owned());
    // A token proves nothing to who does not look at it.
    assert_eq!(house.say(&running, &house.token(), &hello).await.status, 200);
    assert_eq!(bot.came(), [(Caller::anonymous(), None)]);
}

#[tokio::test]
async fn in_a_proactive_turn_the_bot_itself_speaks() {
    let house = House::new();
    let adapter = Adapter::builder(Doorman::default()).authenticator(house.all()).build();
    let reference = house.channel.user("c").message("hello").reference();
    let seen = Arc::new(Mutex::new(None));
    let told = Arc::clone(&seen);
    let turn = adapter.continue_conversation(&reference, move |ctx| {
        *told.lock().unwrap() = Some(ctx.caller().kind);
        async { Ok(()) }.boxed()
    });
    turn.await.unwrap();
    assert_eq!(*seen.lock().unwrap(), Some(CallerKind::Itself));
}
