//! What one token may add to a conversation: bytes and files in an hour, people at all.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::world::{SECRET, Talk, World, code, texts};

/// The status, the answer, and after how many seconds to try again.
async fn send(request: RequestBuilder) -> (u16, Value, Option<u64>) {
    let response = request.send().await.unwrap();
    let retry = response.headers().get("retry-after").map(|after| after.to_str().unwrap().parse().unwrap());
    (response.status().as_u16(), response.json().await.unwrap(), retry)
}

fn url(world: &World, talk: &Talk, route: &str) -> String {
    format!("{}/v3/directline/conversations/{}/{route}", world.base, talk.id)
}

async fn say(world: &World, talk: &Talk, text: &str) -> (u16, Value, Option<u64>) {
    let activity = json!({"type": "message", "from": {"id": "u"}, "text": text});
    send(world.http.post(url(world, talk, "activities")).bearer_auth(&talk.token).json(&activity)).await
}

async fn upload(world: &World, talk: &Talk, id: &str, bytes: usize) -> (u16, Value, Option<u64>) {
    let request = world.http.post(url(world, talk, "upload?userId=u")).bearer_auth(&talk.token);
    send(request.header("idempotency-key", id).header("content-type", "image/png").body(vec![7; bytes])).await
}

#[tokio::test]
async fn a_token_adds_so_many_bytes_in_an_hour_and_then_waits() {
    let world = World::with(|options| options.limits.bytes_per_hour = Some(36_000)).await;
    let (talk, other) = (world.talk().await, world.talk().await);
    let text = "x".repeat(10_000);
    for _ in 0..3 {
        assert_eq!(say(&world, &talk, &text).await.0, 200);
    }
    let (status, answer, retry) = say(&world, &talk, &text).await;
    assert_eq!((status, code(&answer)), (429, "TooManyRequests"));
    let retry = retry.unwrap();
    assert!((300..=900).contains(&retry), "{retry}");
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.contains("36000") && words.contains(&format!("{retry} seconds")), "{words}");
    // It is this conversation's, whoever sends; the bot goes on, and what is not kept is not counted.
    let by_secret = Talk { token: SECRET.to_owned(), ..talk.clone() };
    assert_eq!(say(&world, &by_secret, &text).await.0, 429);
    assert_eq!(say(&world, &other, &text).await.0, 200);
    assert_eq!(world.bot_says(&talk, &text, None).await.0, 200);
    let typing = json!({"type": "typing", "from": {"id": "u"}});
    assert_eq!(
        world.post(&format!("conversations/{}/activities", talk.id), &talk.token, &typing).await.0,
        200
    );
    let said = world.history(&talk).await.len();
    world.clock.advance(Duration::from_secs(retry - 1));
    assert_eq!(say(&world, &talk, &text).await.0, 429);
    assert_eq!(world.history(&talk).await.len(), said, "what is refused is not kept");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(say(&world, &talk, &text).await.0, 200);
}

#[tokio::test]
async fn files_are_counted_and_what_comes_again_is_not() {
    let world = World::with(|options| options.limits.files_per_hour = Some(2)).await;
    let talk = world.talk().await;
    for _ in 0..3 {
        assert_eq!(upload(&world, &talk, "one", 100).await.0, 200);
        assert_eq!(upload(&world, &talk, "broken", 0).await.0, 400);
    }
    assert_eq!(upload(&world, &talk, "two", 100).await.0, 200);
    let (status, answer, retry) = upload(&world, &talk, "three", 100).await;
    assert_eq!((status, code(&answer), retry), (429, "TooManyRequests", Some(1800)));
    assert_eq!(std::fs::read_dir(world.files()).unwrap().count(), 2, "no byte of it was written");
    assert_eq!(say(&world, &talk, "hello").await.0, 200, "words are no files");
    world.clock.advance(Duration::from_secs(1799));
    assert_eq!(upload(&world, &talk, "three", 100).await.0, 429);
    world.clock.advance(Duration::from_secs(1));
    let fresh = Talk { token: SECRET.to_owned(), ..talk };
    assert_eq!(upload(&world, &fresh, "three", 100).await.0, 200);
}

#[tokio::test]
async fn the_bytes_of_files_count_with_those_of_words() {
    let world = World::with(|options| options.limits.bytes_per_hour = Some(50_000)).await;
    let talk = world.talk().await;
    assert_eq!(upload(&world, &talk, "one", 45_000).await.0, 200);
    assert_eq!(upload(&world, &talk, "two", 10_000).await.0, 429);
    assert_eq!(say(&world, &talk, &"x".repeat(10_000)).await.0, 429);
    assert_eq!(say(&world, &talk, "a word").await.0, 200);
    assert_eq!(std::fs::read_dir(world.files()).unwrap().count(), 1);
}

#[tokio::test]
async fn so_many_people_join_and_nobody_more() {
    let world = World::with(|options| options.limits.members = 2).await;
    let (status, made) = world.post("tokens/generate", SECRET, &json!({})).await;
    assert_eq!(status, 200, "{made}");
    let token = made["token"].as_str().unwrap();
    let id = made["conversationId"].as_str().unwrap();
    let start = |user: &str| {
        let user = json!({"user": {"id": user}});
        let world = &world;
        async move { world.post("conversations", token, &user).await }
    };
    let say = |user: &str| {
        let activity = json!({"type": "message", "from": {"id": user}, "text": user});
        let world = &world;
        async move { world.post(&format!("conversations/{id}/activities"), token, &activity).await }
    };
    assert_eq!(start("one").await.0, 201);
    assert_eq!(say("two").await.0, 200);
    for (status, answer) in [say("three").await, start("three").await, say("four").await] {
        assert_eq!((status, code(&answer)), (403, "ConversationFull"), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("2 members"), "{answer}");
    }
    assert_eq!((start("one").await.0, say("one").await.0, say("two").await.0), (200, 200, 200));
    let heard: Vec<_> = world.bot.messages().iter().map(|said| said.text.clone().unwrap()).collect();
    assert_eq!(heard, ["two", "one", "two"]);
    let (_, members) = world.bot_calls("GET", &format!("/{id}/members"), None).await;
    assert_eq!(members.as_array().unwrap().len(), 3, "the bot and two: {members}");
    // Who leaves makes room.
    assert_eq!(world.bot_calls("DELETE", &format!("/{id}/members/one"), None).await.0, 200);
    assert_eq!((say("three").await.0, say("one").await.0), (200, 403));
    let three = json!({"members": [{"id": "a"}, {"id": "b"}, {"id": "c"}]});
    let (status, answer) = world.bot_calls("POST", "", Some(&three)).await;
    assert_eq!((status, code(&answer)), (400, "BadArgument"));
    let talk = Talk { id: id.to_owned(), ..world.talk().await };
    assert!(texts(&world.history(&talk).await).contains(&"three"));
}
