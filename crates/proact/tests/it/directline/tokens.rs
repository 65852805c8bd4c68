//! Who may open what.

use std::time::Duration;

use proact::directline::{Channel, IssueError, User};
use serde_json::{Value, json};

use super::world::{SECRET, Socket, Talk, World, code};

async fn generate(world: &World, body: Value) -> (String, String) {
    let (status, answer) = world.post("tokens/generate", SECRET, &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["expires_in"], 1800);
    assert_eq!(answer.get("streamUrl"), None);
    let field = |name: &str| answer[name].as_str().unwrap().to_owned();
    (field("conversationId"), field("token"))
}

#[tokio::test]
async fn without_anything_valid_nothing_opens() {
    let world = World::new().await;
    let talk = world.talk().await;
    let own = format!("/v3/directline/conversations/{}", talk.id);
    for (method, path) in [
        ("POST", "/v3/directline/tokens/generate".to_owned()),
        ("POST", "/v3/directline/tokens/refresh".to_owned()),
        ("POST", "/v3/directline/conversations".to_owned()),
        ("GET", own.clone()),
        ("GET", format!("{own}/activities")),
        ("POST", format!("{own}/activities")),
    ] {
        let body = (method == "POST").then(|| json!({"type": "message", "from": {"id": "u"}}));
        let (status, answer) = world.call(method, &path, None, body.as_ref()).await;
        assert_eq!((status, code(&answer)), (401, "Unauthorized"), "{method} {path}");
        for wrong in ["nonsense", "a-secret-that-is-long-enoug", &format!("{}x", talk.token)] {
            let (status, answer) = world.call(method, &path, Some(wrong), body.as_ref()).await;
            assert_eq!((status, code(&answer)), (403, "Forbidden"), "{method} {path}");
            assert!(!answer.to_string().contains(wrong), "{answer}");
        }
    }
    assert_eq!(world.bot.messages().len(), 0);
}

#[tokio::test]
async fn a_token_opens_its_own_conversation_and_the_secret_any() {
    let world = World::new().await;
    let (one, other) = (world.talk().await, world.talk().await);
    for path in [format!("conversations/{}", other.id), format!("conversations/{}/activities", other.id)] {
        let (status, answer) = world.get(&path, &one.token).await;
        assert_eq!((status, code(&answer)), (403, "Forbidden"));
        assert_eq!(world.get(&path, &other.token).await.0, 200);
        assert_eq!(world.get(&path, SECRET).await.0, 200);
    }
    // A token does not tell which conversations there are; the secret may know.
    assert_eq!(world.get("conversations/none", &one.token).await.0, 403);
    let (status, answer) = world.get("conversations/none", SECRET).await;
    assert_eq!((status, code(&answer)), (404, "ConversationNotFound"));
    let crossed = Talk { stream_url: one.stream_url.replace(&one.id, &other.id), ..one.clone() };
    assert!(tokio_tungstenite::connect_async(&crossed.stream_url).await.is_err());
    assert_eq!(world.post("tokens/generate", &one.token, &json!({})).await.0, 403, "a token makes no tokens");
    assert_eq!(world.post("tokens/refresh", SECRET, &json!({})).await.0, 403);
}

#[tokio::test]
async fn a_token_lasts_half_an_hour_and_can_be_refreshed_before() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    let path = format!("conversations/{}/activities", talk.id);
    world.clock.advance(Duration::from_secs(1799));
    let (status, refreshed) =
        world.call("POST", "/v3/directline/tokens/refresh", Some(&talk.token), None).await;
    assert_eq!((status, refreshed["conversationId"].as_str()), (200, Some(&*talk.id)));
    world.clock.advance(Duration::from_secs(1));
    let (status, answer) = world.get(&path, &talk.token).await;
    assert_eq!((status, code(&answer)), (403, "TokenExpired"));
    let (status, answer) = world.post("tokens/refresh", &talk.token, &json!({})).await;
    assert_eq!((status, code(&answer)), (403, "TokenExpired"));

    world.kill_and_restart().await;
    let refreshed = refreshed["token"].as_str().unwrap();
    assert_eq!(world.get(&path, refreshed).await.0, 200, "tokens outlive the process");
}

#[tokio::test]
async fn who_a_token_names_is_who_speaks() {
    let world = World::new().await;
    let (id, token) =
        generate(&world, json!({"user": {"id": "dl_1", "name": "Uma"}, "trustedOrigins": []})).await;
    let (status, started) = world.post("conversations", &token, &json!({"user": {"id": "mallory"}})).await;
    assert_eq!((status, started["conversationId"].as_str()), (201, Some(&*id)));
    let forged = json!({"type": "message", "text": "hi", "from": {"id": "mallory", "name": "M", "role": "bot",
        "aadObjectId": "forged"}, "channelId": "msteams", "serviceUrl": "http://example.com/", "callerId": "x",
        "conversation": {"id": "other", "tenantId": "forged"}, "recipient": {"id": "other"}});
    let (status, sent) = world.post(&format!("conversations/{id}/activities"), &token, &forged).await;
    assert_eq!(status, 200, "{sent}");

    let handed = world.bot.messages().pop().unwrap();
    assert_eq!(sent["id"].as_str(), handed.id.as_deref());
    assert_eq!(
        serde_json::to_value(&handed).unwrap(),
        json!({
            "type": "message", "text": "hi", "id": sent["id"], "timestamp": handed.timestamp, "channelId": "directline",
            "serviceUrl": format!("{}/", world.base), "conversation": {"id": id},
            "from": {"id": "dl_1", "name": "Uma", "role": "user"},
            "recipient": {"id": "bot", "name": "Proact", "role": "bot"},
        })
    );
    // Web Chat takes the person's id from the token, and only as this claim.
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap()["user"], "dl_1");
}

#[tokio::test]
async fn the_page_gets_tokens_for_conversations_that_there_are() {
    let world = World::new().await;
    let user = User::generated(Some("Uma".to_owned())).unwrap();
    let issued = world.channel.issue_token(None, &user).await.unwrap();
    assert!(!format!("{issued:?}").contains(&issued.token));
    assert_eq!(issued.user_id, user.id());
    let unknown = world.channel.issue_token(Some(&issued.conversation_id), &user).await.unwrap_err();
    assert!(matches!(unknown, IssueError::UnknownConversation), "nobody has started it yet");

    let (status, started) = world.post("conversations", &issued.token, &json!({})).await;
    assert_eq!((status, started["conversationId"].as_str()), (201, Some(&*issued.conversation_id)));
    let again = world.channel.issue_token(Some(&issued.conversation_id), &user).await.unwrap();
    assert_eq!(world.get(&format!("conversations/{}", issued.conversation_id), &again.token).await.0, 200);
    let for_wire = serde_json::to_value(&again).unwrap();
    let mut names: Vec<_> = for_wire.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["conversationId", "expires_in", "token", "userId"]);
    let debug = format!("{:?}", Channel::clone(&world.channel));
    assert!(!debug.contains(SECRET), "{debug}");
}

#[tokio::test]
async fn a_streams_url_opens_within_a_minute() {
    let world = World::new().await;
    let talk = world.talk().await;
    world.clock.advance(Duration::from_secs(59));
    Socket::open(&talk).await.activities(1).await;
    world.clock.advance(Duration::from_secs(1));
    let url = talk.stream_url.replace("ws://", "http://");
    let response = world.http.get(&url).send().await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(code(&response.json().await.unwrap()), "TokenExpired");
    let without = url.split("&t=").next().unwrap();
    assert_eq!(world.http.get(without).send().await.unwrap().status(), 401);
    let again = world.reconnect(&talk, "").await;
    let response = world.http.get(again.stream_url.replace("ws://", "http://")).send().await.unwrap();
    assert_eq!(response.status(), 400, "it is a WebSocket");
}
