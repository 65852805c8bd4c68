//! Bots change what they have said: clients meet it again, once, under its id.

use serde_json::{Value, json};

use super::world::{Socket, Talk, World, code, texts};

fn url(talk: &Talk, id: &Value) -> String {
    format!("/{}/activities/{}", talk.id, id.as_str().unwrap().replace('|', "%7C"))
}

#[tokio::test]
async fn an_update_comes_again_under_its_id_and_stands_once_in_the_history() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    let (_, first) = world.bot_says(&talk, "10 %", Some("n1")).await;
    world.bot_says(&talk, "between", None).await;
    let before = socket.activities(3).await;
    let between = socket.watermark.clone();

    let new =
        json!({"type": "message", "text": "90 %", "attachments": [{"contentType": "x/y", "content": {}}]});
    let (status, answer) = world.bot_calls("PUT", &url(&talk, &first["id"]), Some(&new)).await;
    assert_eq!((status, &answer["id"]), (200, &first["id"]));
    let again = socket.activities(1).await.remove(0);
    assert_eq!((&again["id"], &again["text"]), (&first["id"], &json!("90 %")));
    assert_eq!(again["timestamp"], before[1]["timestamp"], "it stays where it was said");
    assert_eq!(again["attachments"], new["attachments"]);
    assert_eq!(again["from"]["id"], "bot");

    let (status, _) = world.bot_calls("PUT", &url(&talk, &first["id"]), Some(&new)).await;
    assert_eq!(status, 200, "again the same");
    world.kill_and_restart().await;
    assert_eq!(texts(&world.history(&talk).await), ["Welcome to Proact, Uma.", "between", "90 %"]);
    let mut back = Socket::open(&world.reconnect(&talk, &between).await).await;
    assert_eq!(texts(&back.activities(1).await), ["90 %"], "who was away meets it too, and nothing else");
    assert_eq!(world.bot_says(&talk, "10 %", Some("n1")).await.1, first, "its key is taken for good");

    let (status, _) =
        world.bot_calls("PUT", &url(&talk, &first["id"]), Some(&json!({"type": "message"}))).await;
    assert_eq!(status, 200, "also a second time, after a restart");
    assert_eq!(back.activities(1).await[0]["id"], first["id"]);
    world.bot_says(&talk, "last", None).await;
    let ids: Vec<_> = world.history(&talk).await.iter().map(|activity| activity["id"].clone()).collect();
    let mut unique = ids.clone();
    unique.sort_by_key(Value::to_string);
    unique.dedup();
    assert_eq!((ids.len(), unique.len()), (4, 4));
}

#[tokio::test]
async fn a_delete_comes_as_message_delete_and_takes_the_text_away() {
    let world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    let (_, said) = world.bot_says(&talk, "a slip", None).await;
    socket.activities(2).await;
    for _ in 0..2 {
        let (status, answer) = world.bot_calls("DELETE", &url(&talk, &said["id"]), None).await;
        assert_eq!(status, 200, "{answer}");
    }
    let deleted = socket.activities(1).await.remove(0);
    assert_eq!((deleted["type"].as_str(), &deleted["id"]), (Some("messageDelete"), &said["id"]));
    let history = world.history(&talk).await;
    assert_eq!(texts(&history), ["Welcome to Proact, Uma.", ""]);
    let (status, answer) =
        world.bot_calls("PUT", &url(&talk, &said["id"]), Some(&json!({"type": "message"}))).await;
    assert_eq!((status, code(&answer)), (404, "ActivityNotFound"), "what is gone stays gone");
    world.bot_says(&talk, "better", None).await;
    assert_eq!(texts(&socket.activities(1).await), ["better"], "the repetition was not sent");
}

#[tokio::test]
async fn a_bot_changes_nothing_but_its_own() {
    let world = World::new().await;
    let (talk, other) = (world.talk().await, world.talk().await);
    let (_, mine) = world.say(&talk, "mine").await;
    let (_, elsewhere) = world.bot_says(&other, "elsewhere", None).await;
    let new = json!({"type": "message", "text": "put into the mouth"});
    for (id, status, expected) in [
        (mine["id"].clone(), 403, "Forbidden"),
        (elsewhere["id"].clone(), 404, "ActivityNotFound"),
        (json!(format!("{}|0000001", talk.id)), 404, "ActivityNotFound"),
        (json!(format!("{}|9999999", talk.id)), 404, "ActivityNotFound"),
        (json!(format!("{}|00000003", talk.id)), 404, "ActivityNotFound"),
        (json!("x"), 404, "ActivityNotFound"),
    ] {
        for (method, body) in [("PUT", Some(&new)), ("DELETE", None)] {
            let (answered, answer) = world.bot_calls(method, &url(&talk, &id), body).await;
            assert_eq!((answered, code(&answer)), (status, expected), "{method} {id}");
        }
    }
    let none = Talk { id: "none".to_owned(), ..talk.clone() };
    let (status, answer) = world.bot_calls("DELETE", &url(&none, &mine["id"]), None).await;
    assert_eq!((status, code(&answer)), (404, "ConversationNotFound"));
    let (_, said) = world.bot_says(&talk, "said", None).await;
    for kind in ["typing", "conversationUpdate", "trace", "messageDelete"] {
        let (status, answer) =
            world.bot_calls("PUT", &url(&talk, &said["id"]), Some(&json!({"type": kind}))).await;
        assert_eq!((status, code(&answer)), (400, "BadArgument"), "{kind}");
    }
    assert_eq!(texts(&world.history(&talk).await), ["Welcome to Proact, Uma.", "mine", "echo: mine", "said"]);
}
