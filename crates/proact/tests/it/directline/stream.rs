//! Streams: what they send, from where on, and how they end.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::world::{Socket, World, texts};

#[tokio::test]
async fn the_echo_and_the_answer_come_in_order_with_what_the_client_added() {
    let world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    assert_eq!(texts(&socket.activities(1).await), ["Welcome to Proact, Uma."]);

    let activity = json!({"type": "message", "from": {"id": "u"}, "text": "hi",
        "channelData": {"clientActivityID": "c1"}, "x-mine": [null]});
    let (status, sent) =
        world.post(&format!("conversations/{}/activities", talk.id), &talk.token, &activity).await;
    assert_eq!(status, 200, "{sent}");
    let came = socket.activities(2).await;
    assert_eq!(texts(&came), ["hi", "echo: hi"]);
    assert_eq!(came[0]["id"], sent["id"]);
    assert_eq!(came[0]["channelData"]["clientActivityID"], "c1");
    assert_eq!(came[0]["x-mine"], json!([null]));
    assert_eq!(came[0]["from"]["role"], "user");
    assert_eq!(came[1]["from"], json!({"id": "bot", "name": "Proact", "role": "bot"}));
    assert_eq!(came[1]["replyToId"], sent["id"]);
    assert!(came[0]["timestamp"].as_str() < came[1]["timestamp"].as_str(), "clients sort by time");
    assert_eq!(world.history(&talk).await[1..], came);
}

#[tokio::test]
async fn the_bots_own_words_are_no_replies() {
    let world = World::new().await;
    let talk = world.talk().await;
    let (status, sent) = world.bot_says(&talk, "done", None).await;
    assert_eq!(status, 200);
    let last = world.history(&talk).await.pop().unwrap();
    assert_eq!((&last["id"], last.get("replyToId")), (&sent["id"], None));
}

#[tokio::test]
async fn coming_back_replays_from_the_watermark_also_after_a_restart() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    socket.activities(1).await;
    world.say(&talk, "one").await;
    socket.activities(2).await;
    let watermark = socket.watermark.clone();
    world.say(&talk, "two").await;

    world.kill_and_restart().await;
    while socket.set().await.is_some() {}
    let mut here = Socket::open(&world.reconnect(&talk, &watermark).await).await;
    assert_eq!(texts(&here.activities(2).await), ["two", "echo: two"]);
    let all = ["Welcome to Proact, Uma.", "one", "echo: one", "two", "echo: two"];
    for beginning in ["0", "-"] {
        let mut whole = Socket::open(&world.reconnect(&talk, beginning).await).await;
        assert_eq!(texts(&whole.activities(5).await), all);
    }
    let mut only_newer = Socket::open(&world.reconnect(&talk, "").await).await;
    world.say(&talk, "three").await;
    assert_eq!(texts(&only_newer.activities(2).await), ["three", "echo: three"]);
    assert_eq!(texts(&here.activities(2).await), ["three", "echo: three"]);
    let ids: std::collections::HashSet<_> =
        world.history(&talk).await.iter().map(|activity| activity["id"].to_string()).collect();
    assert_eq!(ids.len(), 7, "numbers go on where they were");
}

#[tokio::test]
async fn a_client_that_lost_its_socket_before_the_first_activity_misses_nothing() {
    let world = World::new().await;
    world.bot.mood(super::bot::Mood::Status(400));
    let user = json!({"user": {"id": "u"}});
    let (_, started) = world.post("conversations", super::world::SECRET, &user).await;
    let talk = super::world::Talk::of(&started);
    let mut socket = Socket::open(&talk).await;
    assert_eq!(socket.set().await.unwrap().len(), 0);
    let watermark = socket.watermark.clone();
    drop(socket);
    world.bot_says(&talk, "while you were away", None).await;
    let mut back = Socket::open(&world.reconnect(&talk, &watermark).await).await;
    assert_eq!(texts(&back.activities(1).await), ["while you were away"]);
}

#[tokio::test]
async fn empty_frames_go_both_ways() {
    let world = World::with_keep_alive(Duration::from_millis(50)).await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    socket.activities(1).await;
    assert_eq!(socket.frame().await, Some(Message::text("")), "a silent stream is kept open");

    let world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    socket.activities(1).await;
    socket.send("").await;
    assert_eq!(socket.frame().await, Some(Message::text("")), "the client's is answered");
}

#[tokio::test]
async fn typing_passes_and_is_not_kept() {
    let world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    socket.activities(1).await;
    let before = socket.watermark.clone();
    let path = format!("/v3/conversations/{}/activities", talk.id);
    let mut answers = Vec::new();
    for kind in ["typing", "trace", "conversationUpdate"] {
        let (status, answer) = world.call("POST", &path, None, Some(&json!({"type": kind}))).await;
        assert_eq!(status, 200, "{answer}");
        answers.push(answer["id"].as_str().unwrap().to_owned());
        assert_eq!(
            world
                .call("POST", "/v3/conversations/none/activities", None, Some(&json!({"type": kind})))
                .await
                .0,
            404
        );
    }
    world.bot_says(&talk, "done", None).await;
    let came = socket.activities(2).await;
    assert_eq!((came[0]["type"].as_str(), came[0]["id"].as_str()), (Some("typing"), Some(&*answers[0])));
    assert_eq!(came[0]["from"]["id"], "bot");
    assert_eq!(texts(&came[1..]), ["done"]);
    assert_eq!(texts(&world.history(&talk).await), ["Welcome to Proact, Uma.", "done"]);
    assert_ne!(socket.watermark, before);

    let typing = json!({"type": "typing", "from": {"id": "u"}});
    let (status, _) =
        world.post(&format!("conversations/{}/activities", talk.id), &talk.token, &typing).await;
    assert_eq!(status, 200);
    assert_eq!(world.bot.seen().last().unwrap().activity_type.as_str(), "typing");
    assert_eq!(world.history(&talk).await.len(), 2);
}

#[tokio::test]
async fn stopping_sends_clients_away_to_come_back() {
    let world = World::new().await;
    let talk = world.talk().await;
    let mut socket = Socket::open(&talk).await;
    socket.activities(1).await;
    let channel = world.channel.clone();
    let stopped = tokio::spawn(async move { channel.stop().await });
    match socket.frame().await {
        Some(Message::Close(Some(frame))) => assert_eq!(frame.code, CloseCode::Away),
        other => panic!("no goodbye but {other:?}"),
    }
    assert!(socket.frame().await.is_none());
    tokio::time::timeout(Duration::from_secs(10), stopped).await.unwrap().unwrap();
    assert_eq!(world.say(&talk, "late").await.0, 503);
    assert_eq!(world.bot_says(&talk, "the bot may still speak", None).await.0, 200);
    assert_eq!(world.bot.messages().len(), 0);
}

#[tokio::test]
async fn a_long_history_comes_in_pages() {
    let world = World::new().await;
    let talk = world.talk().await;
    for n in 0..250 {
        assert_eq!(world.bot_says(&talk, &n.to_string(), None).await.0, 200);
    }
    let big = "x".repeat(200_000);
    for _ in 0..5 {
        assert_eq!(world.bot_says(&talk, &big, None).await.0, 200);
    }
    let mut socket = Socket::open(&world.reconnect(&talk, "0").await).await;
    let mut all = Vec::new();
    while all.len() < 256 {
        let set = socket.set().await.unwrap();
        assert!(set.len() <= 100);
        let size: usize = texts(&set).iter().map(|text| text.len()).sum();
        assert!(size < 900_000, "{size} bytes in one frame");
        all.extend(set);
    }
    assert_eq!(all, world.history(&talk).await);
    assert_eq!(texts(&all)[1..251], (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn several_streams_of_one_conversation_each_get_everything() {
    let world = World::new().await;
    let talk = world.talk().await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(Socket::open(&talk).await);
    }
    for socket in &mut sockets {
        assert_eq!(texts(&socket.activities(1).await), ["Welcome to Proact, Uma."]);
    }
    for n in 0..30 {
        assert_eq!(world.bot_says(&talk, &n.to_string(), None).await.0, 200);
    }
    let expected: Vec<_> = (0..30).map(|n| n.to_string()).collect();
    let typing = json!({"type": "typing", "from": {"id": "u"}});
    world.post(&format!("conversations/{}/activities", talk.id), &talk.token, &typing).await;
    for socket in &mut sockets {
        let mut said = Vec::new();
        let mut typed = 0;
        while said.len() < 30 || typed == 0 {
            for activity in socket.set().await.unwrap() {
                if activity["type"] == "typing" {
                    assert_eq!(activity["from"]["id"], "u", "the others see who writes");
                    typed += 1;
                } else {
                    said.push(activity["text"].as_str().unwrap().to_owned());
                }
            }
        }
        assert_eq!((said.as_slice(), typed), (expected.as_slice(), 1));
    }
}

#[tokio::test]
async fn where_there_is_one_stream_a_second_one_takes_its_place() {
    let world = World::with(|options| options.one_stream = true).await;
    let (talk, other) = (world.talk().await, world.talk().await);
    let mut elsewhere = Socket::open(&other).await;
    elsewhere.activities(1).await;
    let mut first = Socket::open(&talk).await;
    first.activities(1).await;
    let mut second = Socket::open(&talk).await;
    second.activities(1).await;
    match first.frame().await {
        Some(Message::Close(Some(frame))) => assert_eq!(frame.reason, "collision"),
        other => panic!("no goodbye but {other:?}"),
    }
    world.bot_says(&talk, "to one", None).await;
    assert_eq!(texts(&second.activities(1).await), ["to one"]);
    world.bot_says(&other, "to another", None).await;
    assert_eq!(texts(&elsewhere.activities(1).await), ["to another"], "other conversations have their own");
}
