//! After a restore: clients read again what is left, and what the bot may have been handed since is held.

use std::path::PathBuf;

use proact::app;
use proact::proactive::{DeliveryOptions, Proactive, Release};
use proact::store::Existing;
use serde_json::{Value, json};

use super::bot::Mood;
use super::world::{Socket, Talk, World, texts};

async fn backup(world: &World, folder: &tempfile::TempDir) -> PathBuf {
    let file = folder.path().join("backup.db");
    world.store.backup(file.clone(), Existing::Keep).await.unwrap();
    file
}

async fn after(world: &World, talk: &Talk, watermark: &str) -> (Vec<Value>, String) {
    let path = format!("conversations/{}/activities?watermark={watermark}", talk.id);
    let (status, set) = world.get(&path, &talk.token).await;
    assert_eq!(status, 200, "{set}");
    (set["activities"].as_array().unwrap().clone(), set["watermark"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_watermark_of_a_later_life_gets_everything_that_is_left_and_nothing_that_comes_is_missed() {
    let (mut world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let talk = world.talk().await;
    let file = backup(&world, &folder).await;
    // What the data of the backup knows nothing of. The client has seen all of it.
    for text in ["one", "two"] {
        assert_eq!(world.say(&talk, text).await.0, 200);
    }
    let (seen, later) = after(&world, &talk, "").await;
    assert_eq!(seen.len(), 5);
    world.restore(&file).await;
    assert_eq!(world.say(&talk, "three").await.0, 200);
    let left = ["Welcome to Proact, Uma.", "three", "echo: three"];
    // Its number alone would be taken for one that this life gave, as soon as there are as many activities.
    for _ in 0..2 {
        world.bot_says(&talk, "more", None).await;
    }
    let (again, watermark) = after(&world, &talk, &later).await;
    assert_eq!(texts(&again)[..3], left);
    assert_eq!(again.len(), 5);
    assert_eq!(after(&world, &talk, &watermark).await, (vec![], watermark.clone()), "and that once");
    let mut socket = Socket::open(&world.reconnect(&talk, &later).await).await;
    assert_eq!(texts(&socket.activities(5).await)[..3], left);
    assert_eq!(socket.watermark, watermark);

    // A life from the same backup is another one.
    world.restore(&file).await;
    for text in ["a", "b", "c", "d", "e", "f"] {
        world.bot_says(&talk, text, None).await;
    }
    assert_eq!(after(&world, &talk, &watermark).await.0.len(), 7);
    // Over a start, it stays the same.
    let (_, watermark) = after(&world, &talk, "").await;
    world.kill_and_restart().await;
    assert_eq!(after(&world, &talk, &watermark).await.0.len(), 0);
}

#[tokio::test]
async fn what_the_bot_may_have_been_handed_since_waits_for_the_release() {
    for (release, handed) in [(Release::Send, 1), (Release::Drop, 0)] {
        let (mut world, folder) = (World::new().await, tempfile::tempdir().unwrap());
        let talk = world.talk().await;
        world.bot.mood(Mood::Silent);
        let url = format!("{}/v3/directline/conversations/{}/activities", world.base, talk.id);
        let message = json!({"type": "message", "from": {"id": "u"}, "text": "old"});
        let sending = world.http.post(url).bearer_auth(&talk.token).json(&message).send();
        let sending = tokio::spawn(sending);
        world.bot.wait_for(|seen| seen.iter().any(|activity| activity.text() == "old")).await;
        let file = backup(&world, &folder).await;
        world.bot.mood(Mood::Kind);
        assert_eq!(sending.await.unwrap().unwrap().status(), 200);

        world.restore(&file).await;
        let before = world.bot.messages().len();
        world.channel.resume().await.unwrap();
        assert_eq!(world.say(&talk, "new").await.0, 200, "what comes now is handed over at once");
        assert_eq!(world.bot.messages().len(), before + 1, "handed over without a word");
        let engine = Proactive::open(world.store.clone(), DeliveryOptions::default()).await.unwrap();
        assert_eq!(app::held(&engine, 0).await.unwrap().unwrap().activities, 1);
        let freed = app::release(&engine, release).await.unwrap().unwrap();
        assert_eq!(freed.activities_dropped, 1 - handed as u64);
        world.channel.resume().await.unwrap();
        let old = world.bot.messages()[before + 1..].iter().filter(|a| a.text() == "old").count();
        assert_eq!(old, handed, "{release:?}");
        // Shown to the person in either case.
        assert!(texts(&world.history(&talk).await).contains(&"old"));
    }
}
