//! Handing activities to the bot: what it refuses, and what was left behind.

use std::time::Duration;

use proact::activity::Activity;
use serde_json::json;

use super::bot::Mood;
use super::world::{SECRET, Talk, World, code, texts};

#[tokio::test]
async fn what_the_bot_refuses_is_not_handed_over_again() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    for (status, expected) in [(500, "BotError"), (503, "BotError"), (400, "BotRejectedActivity")] {
        world.bot.mood(Mood::Status(status));
        let (answered, answer) = world.say(&talk, "hi").await;
        assert_eq!((answered, code(&answer)), (502, expected));
    }
    world.bot.mood(Mood::Kind);
    world.kill_and_restart().await;
    world.channel.resume().await.unwrap();
    let (status, _) = world.say(&talk, "again").await;
    assert_eq!(status, 200);
    assert_eq!(world.bot.messages().len(), 4, "three that failed, one that was sent again by the person");
}

#[tokio::test]
async fn what_was_stored_and_not_taken_is_handed_over_after_the_start_once() {
    let mut world = World::new().await;
    let (talk, other) = (world.talk().await, world.talk().await);
    world.bot.mood(Mood::Silent);
    // Each waits for the bot's answer, so they are sent side by side and their order is told by their ids.
    for talk in [&talk, &talk, &talk, &other] {
        let (http, token) = (world.http.clone(), talk.token.clone());
        let url = format!("{}/v3/directline/conversations/{}/activities", world.base, talk.id);
        let sending =
            http.post(url).bearer_auth(token).json(&json!({"type": "message", "from": {"id": "u"}}));
        tokio::spawn(sending.send());
    }
    let before = world.bot.wait_for(|seen| seen.iter().filter(|a| a.is_message()).count() == 4).await;
    world.kill_and_restart().await;
    world.bot.mood(Mood::Kind);
    world.channel.resume().await.unwrap();

    let of = |seen: &[Activity], talk: &Talk| -> Vec<String> {
        let own = seen.iter().filter(|a| a.is_message() && a.conversation_id() == Some(&talk.id));
        own.map(|activity| activity.id.clone().unwrap()).collect()
    };
    let after = world.bot.seen().split_off(before.len());
    for talk in [&talk, &other] {
        let mut ids = of(&before, talk);
        ids.sort();
        assert_eq!(of(&after, talk), ids, "the same, in the order of their numbers");
        assert_eq!(world.history(talk).await.len(), 1 + 2 * ids.len());
    }
    let service_url = format!("{}/", world.base);
    assert!(after.iter().all(|activity| activity.service_url.as_deref() == Some(&*service_url)));

    let seen = world.bot.seen().len();
    world.channel.resume().await.unwrap();
    assert_eq!(world.say(&talk, "settle").await.0, 200);
    world.kill_and_restart().await;
    world.channel.resume().await.unwrap();
    assert!(world.bot.seen().len() <= seen + 2, "taken is taken");
    let repeated = of(&world.bot.seen()[seen..], &other);
    assert!(repeated.is_empty(), "{repeated:?}");
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_nothing_back() {
    let mut world = World::new().await;
    let talk = world.talk().await;
    world.bot.mood(Mood::Silent);
    let sending = world.say(&talk, "hi");
    let heard = world.bot.wait_for(|seen| seen.iter().any(Activity::is_message));
    tokio::select! {
        _ = sending => panic!("the bot has not answered"),
        _ = heard => {}
    }
    // Time for the channel to notice that nobody waits for its answer any more.
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.bot.mood(Mood::Kind);
    assert_eq!(texts(&world.history(&talk).await), ["Welcome to Proact, Uma.", "hi"]);
    world.channel.stop().await;
    // What is committed after it shows that its end is, too.
    world.bot_says(&talk, "done", None).await;
    world.kill_and_restart().await;
    world.channel.resume().await.unwrap();
    assert_eq!(world.bot.messages().len(), 1, "it was taken, and that was noted");
}

#[tokio::test]
async fn a_join_waits_for_a_bot_that_is_not_there_yet() {
    let world = World::new().await;
    world.bot.mood(Mood::Status(503));
    let (status, started) =
        world.post("conversations", SECRET, &json!({"user": {"id": "u", "name": "Uma"}})).await;
    assert_eq!(status, 201, "starting does not wait for the bot");
    world.bot.wait_for(|seen| !seen.is_empty()).await;
    world.bot.mood(Mood::Kind);
    let seen = world.bot.wait_for(|seen| seen.len() == 3).await;
    assert_eq!(seen[0].id, seen[1].id);
    let talk = Talk::of(&started);
    let mut socket = super::world::Socket::open(&talk).await;
    assert_eq!(texts(&socket.activities(1).await), ["Welcome to Proact, Uma."]);
}

#[tokio::test]
async fn stopping_leaves_what_is_due_for_the_next_start() {
    let mut world = World::new().await;
    world.bot.mood(Mood::Status(503));
    world.post("conversations", SECRET, &json!({"user": {"id": "u", "name": "Uma"}})).await;
    let first = world.bot.wait_for(|seen| !seen.is_empty()).await;
    tokio::time::timeout(Duration::from_secs(10), world.channel.stop()).await.unwrap();
    world.kill_and_restart().await;
    world.bot.mood(Mood::Kind);
    let tried = world.bot.seen().len();
    world.channel.resume().await.unwrap();
    let seen = world.bot.seen().split_off(tried);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].id, first[0].id);
}
