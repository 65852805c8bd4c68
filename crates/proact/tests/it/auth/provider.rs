//! The test kit's provider does what a bot's author relies on: its token endpoint gives tokens to whom it should.

use proact::{
    auth::CallerKind,
    testkit::{IdentityProvider, PUBLIC_TENANT},
};
use serde_json::Value;

use super::world::{APP, CALLER, World, said_on};

async fn ask(provider: &IdentityProvider, tenant: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let request = http
        .post(provider.token_endpoint(tenant))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn its_token_endpoint_checks_who_asks_and_its_tokens_are_let_in() {
    let world = World::new();
    let provider = &world.provider;
    provider.register("botframework.com", APP, "own");
    provider.register(PUBLIC_TENANT, CALLER, "parents");
    let form = |id: &'static str, secret: &'static str, scope: &'static str| {
        [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", scope)]
    };
    let scope: &'static str = Box::leak(format!("{APP}/.default").into_boxed_str());
    for (tenant, form, status, error) in [
        (PUBLIC_TENANT, form(APP, "wrong", scope), 401, "invalid_client"),
        (PUBLIC_TENANT, form("nobody", "own", scope), 400, "unauthorized_client"),
        ("another-tenant", form(APP, "own", scope), 400, "unauthorized_client"),
        (PUBLIC_TENANT, form(APP, "own", APP), 400, "invalid_scope"),
        (PUBLIC_TENANT, form(APP, "own", "/.default"), 400, "invalid_scope"),
    ] {
        let (told, body) = ask(provider, tenant, &form).await;
        assert_eq!((told, body["error"].as_str()), (status, Some(error)), "{form:?}");
        assert_eq!(body.get("access_token"), None);
    }
    let mut other_grant = form(APP, "own", scope);
    other_grant[0].1 = "password";
    assert_eq!(ask(provider, PUBLIC_TENANT, &other_grant).await.1["error"], "unsupported_grant_type");

    for (id, secret, kind) in [(APP, "own", CallerKind::Emulator), (CALLER, "parents", CallerKind::Skill)] {
        let (status, body) = ask(provider, "botframework.com", &form(id, secret, scope)).await;
        assert_eq!(
            (status, body["token_type"].as_str(), body["expires_in"].as_u64()),
            (200, Some("Bearer"), Some(3599))
        );
        let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
        let caller = world.judge(Some(bearer.as_bytes()), &said_on("emulator")).await.unwrap();
        assert_eq!((caller.kind, caller.app_id.as_deref()), (kind, Some(id)));
    }
}
