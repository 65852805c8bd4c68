//! People who say that they are somebody else, and bots that are none of ours.

use std::sync::Arc;

use proact::auth::Authenticator;
use proact::directline::issuer::Issuer;
use proact::testkit::TestClock;
use serde_json::{Value, json};

use super::bot::Mood;
use super::world::{SECRET, World, code};

async fn token(world: &World, body: Value) -> (String, String) {
    let (status, made) = world.post("tokens/generate", SECRET, &body).await;
    assert_eq!(status, 200, "{made}");
    let field = |name: &str| made[name].as_str().unwrap().to_owned();
    (field("conversationId"), field("token"))
}

#[tokio::test]
async fn an_id_of_a_token_is_nobodys_who_does_not_have_the_token() {
    let world = World::new().await;
    // A client that was given a token without a name tries to be Uma, wherever it can say who it is.
    let (id, anonymous) = token(&world, json!({})).await;
    let uma = json!({"user": {"id": "dl_uma", "name": "Uma"}});
    let (status, refused) = world.post("conversations", &anonymous, &uma).await;
    assert_eq!((status, code(&refused)), (403, "Forbidden"), "{refused}");
    assert_eq!(world.post("conversations", &anonymous, &json!({"user": {"id": "visitor"}})).await.0, 201);
    let said = format!("conversations/{id}/activities");
    for activity in [
        json!({"type": "message", "from": {"id": "dl_uma"}, "text": "I am Uma"}),
        json!({"type": "typing", "from": {"id": "dl_uma"}}),
        json!({"type": "event", "name": "jobComplete", "value": 1, "from": {"id": "dl_uma"}}),
        json!({"type": "endOfConversation", "from": {"id": "dl_uma"}}),
    ] {
        let (status, refused) = world.post(&said, &anonymous, &activity).await;
        assert_eq!((status, code(&refused)), (403, "Forbidden"), "{activity} {refused}");
    }
    let upload = format!("{}/v3/directline/conversations/{id}/upload?userId=dl_uma", world.base);
    let upload =
        world.http.post(upload).bearer_auth(&anonymous).header("Content-Type", "text/plain").body("x");
    assert_eq!(upload.send().await.unwrap().status(), 403);
    // Upper case is another id, and an id of one's own choice.
    let (status, sent) = world
        .post(&said, &anonymous, &json!({"type": "message", "from": {"id": "visitor"}, "text": "hi"}))
        .await;
    assert_eq!(status, 200, "{sent}");
    let from: Vec<_> =
        world.bot.messages().iter().map(|message| message.from_id().map(str::to_owned)).collect();
    assert_eq!(from, [Some("visitor".to_owned())]);
}

#[tokio::test]
async fn a_token_speaks_for_its_person_whatever_comes_with_it() {
    let world = World::new().await;
    let (id, uma) = token(&world, json!({"user": {"id": "dl_uma"}})).await;
    assert_eq!(world.post("conversations", &uma, &json!({"user": {"id": "dl_eve"}})).await.0, 201);
    let said = format!("conversations/{id}/activities");
    for from in [json!({"id": "dl_eve"}), json!({"id": "bot"}), json!({"id": ""}), json!({}), Value::Null] {
        let mut message = json!({"type": "message", "text": "hi"});
        message["from"] = from.clone();
        assert_eq!(world.post(&said, &uma, &message).await.0, 200, "{from}");
    }
    let upload = format!("{}/v3/directline/conversations/{id}/upload?userId=dl_eve", world.base);
    let upload = world.http.post(upload).bearer_auth(&uma).header("Content-Type", "text/plain").body("x");
    assert_eq!(upload.send().await.unwrap().status(), 200);
    // Refreshed and come back to, it is the same person's.
    let (_, refreshed) = world.post("tokens/refresh", &uma, &json!({"user": {"id": "dl_eve"}})).await;
    let (_, again) = world.get(&format!("conversations/{id}"), refreshed["token"].as_str().unwrap()).await;
    let message = json!({"type": "message", "text": "hi", "from": {"id": "dl_eve"}});
    assert_eq!(world.post(&said, again["token"].as_str().unwrap(), &message).await.0, 200);
    let messages = world.bot.messages();
    assert_eq!(messages.len(), 7);
    assert!(messages.iter().all(|message| message.from_id() == Some("dl_uma")), "{messages:?}");
}

#[tokio::test]
async fn a_token_names_only_ids_that_nobody_can_claim() {
    let world = World::new().await;
    for id in ["uma", "DL_uma", " dl_uma", "bot"] {
        let (status, refused) = world.post("tokens/generate", SECRET, &json!({"user": {"id": id}})).await;
        assert_eq!((status, code(&refused)), (400, "BadArgument"), "{id}");
        assert!(refused["error"]["message"].as_str().unwrap().starts_with("user.id: "), "{refused}");
    }
}

/// A channel that asks bots for tokens of its own issuer, in `folder`.
async fn asking(folder: &std::path::Path) -> (World, Issuer) {
    let clock = TestClock::default();
    let issuer = Issuer::open(folder, Arc::new(clock.clone())).unwrap();
    let bots = Authenticator::only(issuer.trusted_by_connector("the-bot"), Arc::new(clock));
    let world = World::with(move |options| options.bots = Some(bots.clone())).await;
    // It has no token to answer with.
    world.bot.mood(Mood::Status(200));
    (world, issuer)
}

#[tokio::test]
async fn only_the_bot_itself_uses_the_connectors_routes() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (world, issuer) = asking(folder.path()).await;
    let stranger = Issuer::open(elsewhere.path(), Arc::new(TestClock::default())).unwrap();
    let (status, started) = world.post("conversations", SECRET, &json!({"user": {"id": "u"}})).await;
    assert_eq!(status, 201, "{started}");
    let id = started["conversationId"].as_str().unwrap();
    let bot = issuer.for_connector("the-bot").current().expose().to_owned();
    let shown = [
        (None, 401),
        (Some("nonsense".to_owned()), 401),
        (Some(SECRET.to_owned()), 401),
        (Some(started["token"].as_str().unwrap().to_owned()), 401),
        (Some(issuer.for_bot(format!("{}/", world.base)).current().expose().to_owned()), 401),
        (Some(stranger.for_connector("the-bot").current().expose().to_owned()), 401),
        (Some(format!("{bot}x")), 401),
        (Some(issuer.for_connector("another-bot").current().expose().to_owned()), 403),
    ];
    let message = json!({"type": "message", "text": "from nobody"});
    for (token, expected) in &shown {
        for (method, path, body) in [
            ("GET", "/v3/conversations".to_owned(), None),
            ("POST", "/v3/conversations".to_owned(), Some(json!({"members": [{"id": "u"}]}))),
            ("POST", format!("/v3/conversations/{id}/activities"), Some(message.clone())),
            ("POST", format!("/v3/conversations/{id}/activities/x"), Some(message.clone())),
            ("PUT", format!("/v3/conversations/{id}/activities/x"), Some(message.clone())),
            ("DELETE", format!("/v3/conversations/{id}/activities/x"), None),
            (
                "POST",
                format!("/v3/conversations/{id}/activities/history"),
                Some(json!({"activities": [message]})),
            ),
            ("GET", format!("/v3/conversations/{id}/members"), None),
            ("GET", format!("/v3/conversations/{id}/members/u"), None),
            ("DELETE", format!("/v3/conversations/{id}/members/u"), None),
            ("GET", format!("/v3/conversations/{id}/pagedmembers"), None),
            (
                "POST",
                format!("/v3/conversations/{id}/attachments"),
                Some(json!({"name": "a", "originalBase64": "AA=="})),
            ),
            // Nor does a stranger learn which conversations there are.
            ("POST", "/v3/conversations/none/activities".to_owned(), Some(message.clone())),
        ] {
            let (status, refused) = world.call(method, &path, token.as_deref(), body.as_ref()).await;
            assert_eq!(status, *expected, "{method} {path} {refused}");
            assert!(matches!(code(&refused), "Unauthorized" | "Forbidden"), "{refused}");
        }
    }
    let path = format!("/v3/conversations/{id}/activities");
    let (status, sent) =
        world.call("POST", &path, Some(&bot), Some(&json!({"type": "message", "text": "hello"}))).await;
    assert_eq!(status, 200, "{sent}");
    let (_, set) = world.get(&format!("conversations/{id}/activities"), SECRET).await;
    let texts: Vec<_> =
        set["activities"].as_array().unwrap().iter().map(|activity| activity["text"].as_str()).collect();
    assert_eq!(texts, [Some("hello")], "and nothing of what was refused: {set}");
    assert_eq!(world.call("GET", "/v3/conversations/none/members", Some(&bot), None).await.0, 404);
}
