//! What makes no authenticator, and what it says then.

use std::sync::Arc;

use proact::{
    auth::{
        Authenticator, AuthenticatorBuilder, AuthenticatorError, CallerKind, Cloud, Credentials, Denied,
        FixedKeys, Issuer,
    },
    testkit::{IdentityProvider, PUBLIC_TENANT, TestClock},
};

use super::world::{
    APP, CALLER, OTHER_TENANT, SERVICE_URL, STRANGER, World, builder, guard, judge, said_on, shown,
};

type Change = Box<dyn Fn(AuthenticatorBuilder) -> AuthenticatorBuilder>;

#[test]
fn what_makes_no_sense_is_said() {
    let own =
        |name: &'static str| Issuer::direct_line(name, "bot", "directline", Arc::new(FixedKeys::default()));
    let here = |builder: AuthenticatorBuilder| {
        let provider = "http://127.0.0.1:9";
        builder.channel_metadata(format!("{provider}/channel")).login_metadata(format!("{provider}/login"))
    };
    let cases: Vec<(Credentials, Change, &str)> = vec![
        (Credentials::new("", "a secret"), Box::new(|b| b), "MicrosoftAppId"),
        (Credentials::new(APP, "a secret"), Box::new(|b| b.also_known_as("")), "MicrosoftAppId"),
        (
            Credentials::new(APP, "a secret").in_tenant("contoso.onmicrosoft.com"),
            Box::new(|b| b.emulator(true)),
            "`contoso.onmicrosoft.com` is not a tenant's id",
        ),
        (
            Credentials::new(APP, "a secret"),
            Box::new(|b| b.skills([CALLER]).tenant("../common")),
            "tenant's id",
        ),
        (Credentials::new(APP, "a secret"), Box::new(|b| b.skills([""])), "skills' callers"),
        (Credentials::new(APP, "a secret"), Box::new(|b| b.skills([APP])), "skills' callers"),
        (
            Credentials::new(APP, "a secret"),
            Box::new(move |b| b.issuer(own("https://api.botframework.com"))),
            "https://api.botframework.com is configured twice",
        ),
        (Credentials::new(APP, "a secret"), Box::new(|b| b.channel_metadata("ftp://127.0.0.1/keys")), "ftp"),
    ];
    for (credentials, change, says) in cases {
        let built = change(here(Authenticator::builder(&credentials))).build(&guard());
        let error = built.expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
        assert!(!error.contains("a secret"));
    }
    // A domain is no obstacle where no issuer is named by it.
    let domain = Credentials::new(APP, "a secret").in_tenant("contoso.onmicrosoft.com");
    assert!(here(Authenticator::builder(&domain)).build(&guard()).is_ok());
}

#[test]
fn it_is_known_where_keys_will_be_asked_for() {
    let single = Credentials::new(APP, "a secret").in_tenant(OTHER_TENANT);
    let builder = Authenticator::builder(&single);
    assert_eq!(
        builder.metadata_urls(),
        ["https://login.botframework.com/v1/.well-known/openidconfiguration"]
    );
    let tenants =
        format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0/.well-known/openid-configuration");
    assert_eq!(builder.channels(false).emulator(true).metadata_urls(), [tenants]);
    let government = Credentials::new(APP, "a secret").in_cloud(proact::auth::Cloud::Government);
    assert_eq!(
        Authenticator::builder(&government).skills([CALLER]).metadata_urls(),
        [
            "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
            "https://login.microsoftonline.us/MicrosoftServices.onmicrosoft.us/v2.0/.well-known/openid-configuration"
        ]
    );
}

#[test]
fn where_keys_are_must_be_let_out_by_the_guard() {
    let error = Authenticator::builder(&Credentials::new(APP, "a secret"))
        .channel_metadata("http://10.0.0.1/keys")
        .build(&guard())
        .unwrap_err();
    assert!(matches!(error, AuthenticatorError::Metadata { .. }), "{error}");
}

#[tokio::test]
async fn a_second_registration_and_a_second_tenant_are_taken_when_they_are_named() {
    let clock = TestClock::default();
    let provider = IdentityProvider::start_by(Arc::new(clock.clone()));
    let moved = builder(&provider, &clock)
        .also_known_as("66666666-ffff-4fff-8fff-666666666666")
        .emulator(true)
        .tenant(OTHER_TENANT)
        .tenant(PUBLIC_TENANT)
        .build(&guard())
        .unwrap();
    let second = "66666666-ffff-4fff-8fff-666666666666";
    for (audience, tenant, taken) in
        [(APP, OTHER_TENANT, true), (second, PUBLIC_TENANT, true), (CALLER, PUBLIC_TENANT, false)]
    {
        let channel = provider.channel_token(audience, SERVICE_URL).bearer();
        let own = provider.app_token(tenant, audience, audience).bearer();
        for token in [channel, own] {
            let judged = judge(&moved, Some(token.as_bytes()), &said_on("msteams")).await;
            assert_eq!(judged.is_ok(), taken, "{audience}: {judged:?}");
            assert!(taken || matches!(judged, Err(Denied::Audience { .. })));
        }
    }
}

#[tokio::test]
async fn a_bots_token_for_channels_opens_a_channel_and_no_bot() {
    let world = World::new();
    let channel = builder(&world.provider, &world.clock).channels(false).bot(true).build(&guard()).unwrap();
    let audience = Cloud::Public.channel_issuer();
    let shows = |app_id: &str| world.provider.app_token(PUBLIC_TENANT, app_id, audience).bearer();
    let proven = channel.verify(Some(shows(APP).as_bytes())).await.unwrap();
    assert_eq!(proven.caller().kind, CallerKind::Bot);
    // Every channel that the bot writes to has it, and could send it to the bot.
    assert_eq!(proven.speak_for(&said_on("msteams")).unwrap_err(), Denied::ForChannels);
    let other = channel.verify(Some(shows(STRANGER).as_bytes())).await.unwrap_err();
    assert_eq!(other, Denied::OtherBot { app_id: shown(STRANGER) });
    let emulators = channel.verify(Some(world.emulator().bearer().as_bytes())).await.unwrap_err();
    assert_eq!(emulators, Denied::Audience { found: shown(APP) });
}
