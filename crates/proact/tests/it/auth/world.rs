//! A bot with credentials, its provider, and the callers that it knows.

use std::sync::Arc;

use proact::{
    activity::{Activity, ConversationAccount},
    auth::{
        Authenticator, Caller, Credentials, Denied, FixedKeys, Issuer,
        inbound::{AuthenticatorBuilder, Shown},
    },
    egress::{Guard, Options},
    testkit::{IdentityProvider, PUBLIC_TENANT, TestClock, TestKey, TestToken},
};
use serde_json::{Value, json};

pub(super) const APP: &str = "11111111-aaaa-4aaa-8aaa-111111111111";
pub(super) const CALLER: &str = "22222222-bbbb-4bbb-8bbb-222222222222";
pub(super) const STRANGER: &str = "33333333-cccc-4ccc-8ccc-333333333333";
pub(super) const OTHER_TENANT: &str = "44444444-dddd-4ddd-8ddd-444444444444";
pub(super) const SERVICE_URL: &str = "https://smba.trafficmanager.net/teams/";
pub(super) const DIRECT_LINE: &str = "urn:proact:directline";
pub(super) const DIRECT_LINE_AUDIENCE: &str = "urn:proact:directline:bot";

/// Everybody is let in who can be: what is refused is refused for what it is.
pub(super) struct World {
    pub(super) clock: TestClock,
    pub(super) provider: IdentityProvider,
    pub(super) authenticator: Authenticator,
}

pub(super) fn guard() -> Guard {
    Guard::loopback_only(Options::default())
}

impl World {
    pub(super) fn new() -> Self {
        let clock = TestClock::default();
        let provider = IdentityProvider::start_by(Arc::new(clock.clone()));
        provider.replace("/v1/.well-known/keys", channel_keys().to_string());
        let own = Arc::new(FixedKeys::new([own_key().public()]));
        let authenticator = builder(&provider, &clock)
            .emulator(true)
            .skills([CALLER])
            .issuer(Issuer::direct_line(DIRECT_LINE, DIRECT_LINE_AUDIENCE, "directline", own))
            .build(&guard())
            .unwrap();
        Self { clock, provider, authenticator }
    }

    /// What becomes of an activity with this header.
    pub(super) async fn judge(
        &self,
        authorization: Option<&[u8]>,
        activity: &Activity,
    ) -> Result<Caller, Denied> {
        judge(&self.authenticator, authorization, activity).await
    }

    pub(super) fn now(&self) -> i64 {
        use proact::clock::Clock as _;
        self.clock.now().as_second()
    }

    /// A channel's token, right in everything.
    pub(super) fn channel(&self) -> TestToken {
        self.provider.channel_token(APP, SERVICE_URL)
    }

    /// The Emulator's.
    pub(super) fn emulator(&self) -> TestToken {
        self.provider.app_token(PUBLIC_TENANT, APP, APP)
    }

    /// That of a bot that uses this one as its skill.
    pub(super) fn skill(&self) -> TestToken {
        self.provider.app_token_v2(PUBLIC_TENANT, CALLER, APP)
    }

    /// The built-in channel's.
    pub(super) fn direct_line(&self) -> TestToken {
        let own = own_key();
        self.channel()
            .claim("iss", DIRECT_LINE)
            .claim("aud", DIRECT_LINE_AUDIENCE)
            .header("kid", own.id())
            .signed_by(&own)
    }
}

pub(super) fn builder(provider: &IdentityProvider, clock: &TestClock) -> AuthenticatorBuilder {
    Authenticator::builder(&Credentials::new(APP, "a secret"))
        .channel_metadata(provider.channel_metadata())
        .login_metadata(provider.login_metadata("botframework.com"))
        .clock(Arc::new(clock.clone()))
}

pub(super) async fn judge(
    authenticator: &Authenticator,
    authorization: Option<&[u8]>,
    activity: &Activity,
) -> Result<Caller, Denied> {
    authenticator.verify(authorization).await?.speak_for(activity)
}

/// The channels' keys: a plain one, one more, one endorsed for some channels, one for another algorithm; and some that are none for
/// us.
fn channel_keys() -> Value {
    let endorsed = endorsed_key();
    let mut for_rs512 = rs512_key().jwk();
    for_rs512["alg"] = json!("RS512");
    let mut encrypts = TestKey::numbered(1).with_id("encrypts").jwk();
    encrypts["use"] = json!("enc");
    json!({"keys": [
        TestKey::numbered(0).jwk(), TestKey::numbered(1).jwk(), endorsed.jwk(), for_rs512, encrypts,
        {"kty": "oct", "kid": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA"}
    ]})
}

pub(super) fn endorsed_key() -> TestKey {
    TestKey::numbered(1).with_id("endorsed").endorsed_for(["webchat", "directline"])
}

pub(super) fn rs512_key() -> TestKey {
    TestKey::numbered(1).with_id("rs512")
}

/// The built-in channel's.
pub(super) fn own_key() -> TestKey {
    TestKey::numbered(2).with_id("own")
}

/// One that nobody lists.
pub(super) fn foreign_key() -> TestKey {
    TestKey::numbered(3).with_id("foreign")
}

/// A message of this channel.
pub(super) fn said_on(channel: &str) -> Activity {
    let conversation = ConversationAccount { id: Some("c".to_owned()), ..ConversationAccount::default() };
    Activity::message("hello")
        .with_channel(channel)
        .with_service_url(SERVICE_URL)
        .with_conversation(conversation)
}

pub(super) fn shown(text: &str) -> Shown {
    Shown::from(text)
}
