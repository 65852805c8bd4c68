//! What clients send again: taken once, answered the same, and handed to the bot until it has it.

use serde_json::{Value, json};

use super::bot::Mood;
use super::world::{SECRET, Talk, World, code, texts};

async fn send(world: &World, talk: &Talk, activity: &Value) -> (u16, Value) {
    world.post(&format!("conversations/{}/activities", talk.id), &talk.token, activity).await
}

fn named(id: &str, text: &str) -> Value {
    json!({"type": "message", "from": {"id": "u"}, "text": text, "channelData": {"clientActivityID": id}})
}

#[tokio::test]
async fn the_same_client_id_is_taken_once_also_after_a_restart() {
    let mut world = World::new().await;
    let (talk, other) = (world.talk().await, world.talk().await);
    let (status, first) = send(&world, &talk, &named("c1", "one")).await;
    assert_eq!(status, 200);
    assert_eq!(send(&world, &talk, &named("c1", "one")).await, (200, first.clone()));
    world.kill_and_restart().await;
    assert_eq!(send(&world, &talk, &named("c1", "one")).await, (200, first.clone()));
    assert_ne!(send(&world, &talk, &named("c2", "two")).await.1, first);
    assert_ne!(send(&world, &other, &named("c1", "one")).await.1, first, "ids are a conversation's own");
    let texts_of = ["Welcome to Proact, Uma.", "one", "echo: one", "two", "echo: two"];
    assert_eq!(texts(&world.history(&talk).await), texts_of);
    assert_eq!(world.bot.messages().len(), 3);
}

#[tokio::test]
async fn an_id_that_a_client_sends_again_and_a_header_do_the_same() {
    let world = World::new().await;
    let talk = world.talk().await;
    let by_id = json!({"type": "message", "from": {"id": "u"}, "text": "by id", "id": "mine-1"});
    let first = send(&world, &talk, &by_id).await;
    assert_eq!(send(&world, &talk, &by_id).await, first);
    assert_ne!(first.1["id"], "mine-1", "the channel gives the ids");
    let url = format!("{}/v3/directline/conversations/{}/activities", world.base, talk.id);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = world.http.post(&url).bearer_auth(&talk.token).header("Idempotency-Key", "k");
        let body = json!({"type": "message", "text": "by header"});
        ids.push(request.json(&body).send().await.unwrap().json::<Value>().await.unwrap());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(world.bot.messages().len(), 2);
}

#[tokio::test]
async fn people_share_no_ids_and_without_one_everything_is_new() {
    let world = World::new().await;
    let (_, started) = world.post("conversations", SECRET, &json!({})).await;
    let talk = Talk { token: SECRET.to_owned(), ..Talk::of(&started) };
    for (user, id, count) in
        [("a", Some("c1"), 1), ("b", Some("c1"), 2), ("a", Some("c1"), 2), ("a", None, 3), ("a", None, 4)]
    {
        let data = id.map(|id| json!({"clientActivityID": id}));
        let activity = json!({"type": "message", "from": {"id": user}, "text": "x", "channelData": data});
        assert_eq!(send(&world, &talk, &activity).await.0, 200);
        assert_eq!(world.bot.messages().len(), count, "{user} {id:?}");
    }
}

#[tokio::test]
async fn what_the_bot_refused_is_handed_over_again_under_its_first_id() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    world.bot.mood(Mood::Status(500));
    for _ in 0..2 {
        let (status, answer) = send(&world, &talk, &named("c1", "hi")).await;
        assert_eq!((status, code(&answer)), (502, "BotError"));
    }
    world.kill_and_restart().await;
    world.channel.resume().await.unwrap();
    assert_eq!(world.bot.messages().len(), 2, "by itself it is not handed over again");
    world.bot.mood(Mood::Kind);
    let (status, sent) = send(&world, &talk, &named("c1", "hi")).await;
    assert_eq!(status, 200);
    let ids: std::collections::HashSet<_> =
        world.bot.messages().into_iter().map(|message| message.id).collect();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [sent["id"].as_str().map(str::to_owned)]);
    assert_eq!(texts(&world.history(&talk).await), ["Welcome to Proact, Uma.", "hi", "echo: hi"]);
}

#[tokio::test]
async fn one_that_comes_again_while_a_restart_hands_it_over_is_handed_over_by_one_of_them() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    let hi = named("c1", "hi");
    let messages = |world: &World| world.bot.messages().len();
    world.bot.mood(Mood::Silent);
    tokio::select! {
        _ = send(&world, &talk, &hi) => panic!("the bot is silent"),
        _ = world.bot.wait_for(|seen| seen.iter().any(proact::activity::Activity::is_message)) => {}
    }
    world.kill_and_restart().await;
    assert_eq!(messages(&world), 1, "which the dead process handed over");
    let again = async {
        world.bot.wait_for(|seen| seen.iter().filter(|activity| activity.is_message()).count() == 2).await;
        let waking = async {
            tokio::task::yield_now().await;
            world.bot.mood(Mood::Kind);
        };
        tokio::join!(send(&world, &talk, &hi), waking).0
    };
    let (resumed, (status, _)) = tokio::join!(world.channel.resume(), again);
    resumed.unwrap();
    assert_eq!((status, messages(&world)), (200, 2));
    assert_eq!(texts(&world.history(&talk).await), ["Welcome to Proact, Uma.", "hi"]);
}

#[tokio::test]
async fn one_that_comes_again_while_the_bot_thinks_waits_for_the_same_answer() {
    let world = World::new().await;
    let talk = world.talk().await;
    world.bot.mood(Mood::Silent);
    let answers = async {
        let sends = (0..8).map(|_| async { send(&world, &talk, &named("c1", "hi")).await });
        futures_util::future::join_all(sends).await
    };
    let waking = async {
        world.bot.wait_for(|seen| seen.iter().any(proact::activity::Activity::is_message)).await;
        world.bot.mood(Mood::Kind);
    };
    let (answers, ()) = tokio::join!(answers, waking);
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 200), "{answers:?}");
    assert_eq!(world.history(&talk).await.iter().filter(|activity| activity["text"] == "hi").count(), 1);
}
