//! How conversations end: by a word, or by silence.

use std::time::Duration;

use serde_json::json;

use super::bot::Mood;
use super::world::{SECRET, Socket, Talk, World, code, texts};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// That nobody says anything more, and that everything can be read.
async fn has_ended(world: &World, talk: &Talk, history: &[&str]) {
    let (status, answer) = world.say(talk, "hello?").await;
    assert_eq!((status, code(&answer)), (404, "ConversationEnded"));
    let (status, answer) = world.bot_says(talk, "hello?", Some("late")).await;
    assert_eq!((status, code(&answer)), (404, "ConversationEnded"));
    for (method, path, body) in [
        ("POST", "activities", json!({"type": "typing"})),
        ("POST", "activities/history", json!({"activities": [{"type": "message"}]})),
        ("POST", "attachments", json!({"originalBase64": ""})),
        ("DELETE", "members/u", json!(null)),
    ] {
        let body = (!body.is_null()).then_some(&body);
        let (status, answer) = world.bot_calls(method, &format!("/{}/{path}", talk.id), body).await;
        assert_eq!((status, code(&answer)), (404, "ConversationEnded"), "{method} {path}");
    }
    let typing = json!({"type": "typing", "from": {"id": "u"}});
    assert_eq!(
        world.post(&format!("conversations/{}/activities", talk.id), &talk.token, &typing).await.0,
        404
    );
    assert_eq!(texts(&world.history(talk).await), history);
    let again = world.reconnect(talk, "0").await;
    assert_eq!(texts(&Socket::open(&again).await.activities(history.len()).await), history);
    let (status, started) = world.post("conversations", &talk.token, &json!({})).await;
    assert_eq!((status, started["conversationId"].as_str()), (200, Some(&*talk.id)));
}

#[tokio::test]
async fn a_client_ends_it_and_the_bot_is_told() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    let path = format!("conversations/{}/activities", talk.id);
    let goodbye = json!({"type": "endOfConversation", "code": "userCancelled", "from": {"id": "u"}});
    let (status, sent) = world.post(&path, &talk.token, &goodbye).await;
    assert_eq!(status, 200, "{sent}");
    assert_eq!(world.bot.seen().last().unwrap().activity_type.as_str(), "endOfConversation");
    has_ended(&world, &talk, &["Welcome to Proact, Uma.", ""]).await;
    world.kill_and_restart().await;
    has_ended(&world, &talk, &["Welcome to Proact, Uma.", ""]).await;
}

#[tokio::test]
async fn what_the_bot_refuses_to_hear_ends_it_too() {
    let world = World::new().await;
    let talk = world.talk().await;
    world.bot.mood(Mood::Status(500));
    let goodbye = json!({"type": "endOfConversation", "from": {"id": "u"}});
    let (status, _) =
        world.post(&format!("conversations/{}/activities", talk.id), &talk.token, &goodbye).await;
    assert_eq!(status, 502);
    world.bot.mood(Mood::Kind);
    has_ended(&world, &talk, &["Welcome to Proact, Uma.", ""]).await;
}

#[tokio::test]
async fn a_bot_ends_it_and_the_client_is_told() {
    let world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    socket.activities(1).await;
    let url = format!("/{}/activities", talk.id);
    let goodbye = json!({"type": "endOfConversation", "text": "bye", "code": "completedSuccessfully"});
    assert_eq!(world.bot_calls("POST", &url, Some(&goodbye)).await.0, 200);
    let last = socket.activities(1).await.remove(0);
    assert_eq!(
        (last["type"].as_str(), last["code"].as_str()),
        (Some("endOfConversation"), Some("completedSuccessfully"))
    );
    let other = world.talk().await;
    assert_eq!(world.say(&other, "hi").await.0, 200, "others go on");
    has_ended(&world, &talk, &["Welcome to Proact, Uma.", "bye"]).await;
}

#[tokio::test]
async fn the_bot_can_still_answer_a_goodbye() {
    let world = World::new().await;
    let talk = world.talk().await;
    world.bot.mood(Mood::Silent);
    let path = format!("conversations/{}/activities", talk.id);
    let goodbye = json!({"type": "endOfConversation", "from": {"id": "u"}});
    let sending = world.post(&path, &talk.token, &goodbye);
    let answering = async {
        world.bot.wait_for(|seen| seen.iter().any(|a| a.activity_type.as_str() == "endOfConversation")).await;
        assert_eq!(world.bot_says(&talk, "come back soon", None).await.0, 200);
        world.bot.mood(Mood::Kind);
    };
    let ((status, _), ()) = tokio::join!(sending, answering);
    assert_eq!(status, 200);
    has_ended(&world, &talk, &["Welcome to Proact, Uma.", "", "come back soon"]).await;
}

#[tokio::test]
async fn a_silent_conversation_is_forgotten_as_a_whole_unless_somebody_listens() {
    let world = World::with(|options| options.limits.conversations_kept_for = Some(DAY)).await;
    let (silent, heard, busy) = (world.talk().await, world.talk().await, world.talk().await);
    for n in 0..450 {
        assert_eq!(world.bot_says(&silent, &n.to_string(), None).await.0, 200);
    }
    let socket = Socket::open(&heard).await;
    world.clock.advance(DAY);
    world.channel.forget().await.unwrap();
    assert_eq!(world.history(&silent).await.len(), 451, "its time is not over");
    assert_eq!(world.bot_says(&busy, "hello", None).await.0, 200);
    world.clock.advance(Duration::from_secs(60));
    world.channel.forget().await.unwrap();

    let (status, answer) = world.get(&format!("conversations/{}/activities", silent.id), SECRET).await;
    assert_eq!((status, code(&answer)), (404, "ConversationNotFound"));
    assert_eq!(world.bot_says(&silent, "are you there?", None).await.0, 404);
    for kept in [&heard, &busy] {
        assert_eq!(world.get(&format!("conversations/{}", kept.id), SECRET).await.0, 200);
    }
    drop(socket);
    loop {
        world.channel.forget().await.unwrap();
        if world.get(&format!("conversations/{}", heard.id), SECRET).await.0 == 404 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_the_bot_has_not_got_yet_keeps_its_conversation() {
    let world = World::with(|options| {
        options.limits.conversations_kept_for = Some(DAY);
        options.limits.history_kept_for = Some(DAY);
        options.limits.history_length = Some(1);
    })
    .await;
    world.bot.mood(Mood::Status(503));
    let (_, started) =
        world.post("conversations", SECRET, &json!({"user": {"id": "u", "name": "Uma"}})).await;
    world.bot.wait_for(|seen| !seen.is_empty()).await;
    world.clock.advance(DAY * 3);
    world.channel.forget().await.unwrap();
    world.bot.mood(Mood::Kind);
    world
        .bot
        .wait_for(|seen| seen.iter().any(|a| a.members_added.iter().any(|m| m.id.as_deref() == Some("u"))))
        .await;
    let talk = Talk::of(&started);
    assert_eq!(
        texts(
            &Socket::open(&world.reconnect(&talk_of(&world, &talk).await, "0").await)
                .await
                .activities(1)
                .await
        ),
        ["Welcome to Proact, Uma."]
    );
}

/// The same conversation under the secret: three days are longer than a token's time.
async fn talk_of(world: &World, talk: &Talk) -> Talk {
    let (status, again) = world.get(&format!("conversations/{}?watermark=0", talk.id), SECRET).await;
    assert_eq!(status, 200, "{again}");
    Talk::of(&again)
}
