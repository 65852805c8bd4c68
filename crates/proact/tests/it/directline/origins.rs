//! Tokens for some pages only, and the id of a session.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::world::{SECRET, World, code};

const OURS: &str = "https://shop.example";

async fn call(world: &World, method: &str, path: &str, token: &str, origin: Option<&str>) -> (u16, Value) {
    let mut request =
        world.http.request(method.parse().unwrap(), format!("{}/v3/directline/{path}", world.base));
    if let Some(origin) = origin {
        request = request.header("Origin", origin);
    }
    let response = request.bearer_auth(token).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_token_that_trusts_some_origins_opens_nothing_to_others_and_neither_does_what_it_gets() {
    let world = World::new().await;
    let body =
        json!({"user": {"id": "dl_1"}, "trustedOrigins": [format!("{OURS}/"), "http://127.0.0.1:8080"]});
    let (status, made) = world.post("tokens/generate", SECRET, &body).await;
    assert_eq!(status, 200, "{made}");
    let mut token = made["token"].as_str().unwrap().to_owned();
    let id = made["conversationId"].as_str().unwrap();
    let mut streams = Vec::new();
    for (method, path) in [
        ("POST", "tokens/refresh".to_owned()),
        ("POST", "conversations".to_owned()),
        ("GET", format!("conversations/{id}")),
        ("GET", format!("conversations/{id}/activities")),
    ] {
        for foreign in ["https://evil.example", "http://shop.example", "null"] {
            let (status, answer) = call(&world, method, &path, &token, Some(foreign)).await;
            assert_eq!((status, code(&answer)), (403, "Forbidden"), "{method} {path} {foreign}");
        }
        let (status, answer) = call(&world, method, &path, &token, Some(OURS)).await;
        assert!(status < 300, "{method} {path}: {answer}");
        assert!(call(&world, method, &path, &token, None).await.0 < 300, "no page at all");
        // Everything that it is renewed by is bound as it is.
        token = answer["token"].as_str().unwrap_or(&token).to_owned();
        streams.extend(answer["streamUrl"].as_str().map(str::to_owned));
    }
    assert_eq!(streams.len(), 2);
    for stream in streams {
        for (origin, opens) in [(Some("https://evil.example"), false), (Some(OURS), true), (None, true)] {
            let mut request = stream.as_str().into_client_request().unwrap();
            if let Some(origin) = origin {
                request.headers_mut().insert("Origin", origin.parse().unwrap());
            }
            assert_eq!(tokio_tungstenite::connect_async(request).await.is_ok(), opens, "{origin:?}");
        }
    }
}

#[tokio::test]
async fn a_token_that_trusts_all_opens_from_anywhere_and_wrong_lists_are_named() {
    let world = World::new().await;
    let talk = world.talk().await;
    let path = format!("conversations/{}", talk.id);
    assert_eq!(call(&world, "GET", &path, &talk.token, Some("https://any.example")).await.0, 200);
    for (wrong, field) in [
        (json!("https://a.example"), "trustedOrigins"),
        (json!(["https://a.example", "a.example"]), "trustedOrigins[1]"),
        (json!([5]), "trustedOrigins[0]"),
        (json!(vec!["https://a.example"; 21]), "trustedOrigins"),
    ] {
        let (status, answer) = world.post("tokens/generate", SECRET, &json!({"trustedOrigins": wrong})).await;
        assert_eq!((status, code(&answer)), (400, "BadArgument"));
        assert!(answer["error"]["message"].as_str().unwrap().starts_with(field), "{answer}");
    }
}

#[tokio::test]
async fn a_session_is_the_callers_own() {
    let world = World::new().await;
    let (talk, other) = (world.talk().await, world.talk().await);
    let session = async |token: &str| {
        let (status, answer) = world.get("session/getsessionid", token).await;
        assert_eq!(status, 200);
        answer["sessionId"].as_str().unwrap().to_owned()
    };
    let own = session(&talk.token).await;
    assert_eq!(session(&talk.token).await, own);
    assert_ne!(session(&other.token).await, own);
    assert!(own.len() > 20 && !talk.token.contains(&own));
}
