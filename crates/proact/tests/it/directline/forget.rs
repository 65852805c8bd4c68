//! What is old is forgotten, and only that.

use std::sync::Arc;
use std::time::Duration;

use proact::store::{Command, Error, Migration, Query, Store, Tx};
use proact::testkit::TestClock;
use serde_json::json;

use super::world::{SECRET, Socket, World, texts};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn history_is_pruned_by_age_and_an_older_watermark_gets_what_is_left() {
    let world = World::with(|options| options.limits.history_kept_for = Some(DAY)).await;
    let talk = world.talk().await;
    for n in 0..450 {
        world.bot_says(&talk, &format!("old {n}"), None).await;
    }
    let mut socket = Socket::open(&talk).await;
    socket.activities(100).await;
    let early = socket.watermark.clone();
    world.clock.advance(DAY / 2);
    for n in 0..3 {
        world.bot_says(&talk, &format!("new {n}"), None).await;
    }
    world.clock.advance(DAY / 2 + Duration::from_secs(60));
    world.channel.forget().await.unwrap();
    let left = ["new 0", "new 1", "new 2"];
    assert_eq!(texts(&world.history(&talk).await), left);
    let path = format!("conversations/{}?watermark={early}", talk.id);
    let (_, again) = world.get(&path, SECRET).await;
    let mut back = Socket::open(&super::world::Talk::of(&again)).await;
    assert_eq!(texts(&back.activities(3).await), left);
    world.bot_says(&talk, "newer", None).await;
    assert_eq!(texts(&back.activities(1).await), ["newer"], "numbers go on where they were");
}

#[tokio::test]
async fn history_is_pruned_by_length_conversation_by_conversation() {
    let world = World::with(|options| options.limits.history_length = Some(10)).await;
    let (long, short) = (world.talk().await, world.talk().await);
    for n in 0..430 {
        world.bot_says(&long, &n.to_string(), Some(&n.to_string())).await;
    }
    for _ in 0..2 {
        world.channel.forget().await.unwrap();
        let left: Vec<_> = (420..430).map(|n| n.to_string()).collect();
        assert_eq!(texts(&world.history(&long).await), left);
        assert_eq!(texts(&world.history(&short).await), ["Welcome to Proact, Uma."]);
    }
    let (_, again) = world.bot_says(&long, "5", Some("5")).await;
    assert!(again["id"].as_str().unwrap().ends_with("|0000009"), "its key outlives it: {again}");
    assert_eq!(world.history(&long).await.len(), 10);
}

#[tokio::test]
async fn a_round_comes_by_the_clock_and_ids_go_last() {
    let world = World::with(|options| {
        options.limits.history_kept_for = Some(DAY);
        options.limits.ids_kept_for = DAY * 3;
    })
    .await;
    let talk = world.talk().await;
    let (_, first) = world.bot_says(&talk, "n", Some("n")).await;
    world.channel.resume().await.unwrap();
    let forgotten = async |world: &World| {
        for _ in 0..1000 {
            if world.history(&talk).await.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing is forgotten");
    };
    while world.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    world.clock.advance(DAY * 2);
    forgotten(&world).await;
    assert_eq!(
        world.bot_says(&talk, "n", Some("n")).await.1,
        first,
        "what was said is gone, that it was said is not"
    );
    world.clock.advance(DAY * 2);
    world.channel.forget().await.unwrap();
    assert_ne!(world.bot_says(&talk, "n", Some("n")).await.1, first);
}

/// The tables as the version before had them.
const BEFORE: Migration = Migration {
    set: "directline",
    steps: &[include_str!("../../../src/directline/migrations/sqlite/0001_directline.sql")],
};

/// What the version before wrote.
struct Written;

impl Command for Written {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let partition = proact::activity::ConversationKey::new("directline", "old").unwrap().partition();
        tx.connection().execute_batch(&format!(
            r#"INSERT INTO directline_conversation VALUES ({partition}, 'old', 3, 1000, 900);
               INSERT INTO directline_member VALUES ({partition}, 'old', 'u', 'Uma', 900);
               INSERT INTO directline_taken_id VALUES ({partition}, 'old', 'n1', 2, 950);
               INSERT INTO directline_activity VALUES
                   (1, {partition}, 'old', 1, 900, 0, 'taken', '{{"type":"conversationUpdate"}}'),
                   (2, {partition}, 'old', 2, 950, 1, NULL, '{{"type":"message","text":"job 5 is complete"}}'),
                   (3, {partition}, 'old', 3, 1000, 1, 'due', '{{"type":"message","text":"hi","from":{{"id":"u"}},"conversation":{{"id":"old"}}}}')"#
        ))?;
        Ok(())
    }
}

struct Version;

impl Query for Version {
    type Answer = i64;

    fn run(self, connection: &rusqlite::Connection) -> Result<i64, Error> {
        let sql = "SELECT version FROM schema_version WHERE name = 'directline'";
        Ok(connection.query_row(sql, [], |row| row.get(0))?)
    }
}

#[tokio::test]
async fn the_data_of_the_version_before_opens_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proact.db");
    let before = Store::open(&file, &[BEFORE], Arc::new(TestClock::default())).unwrap();
    before.commit(Written).await.unwrap();
    before.close().await;
    drop(before);

    let world = World::on(folder).await;
    assert_eq!(world.store.read(Version).await.unwrap(), 3);
    world.channel.resume().await.unwrap();
    let seen = world.bot.wait_for(|seen| !seen.is_empty()).await;
    assert_eq!(
        (seen[0].id.as_deref(), seen[0].text()),
        (Some("old|0000003"), "hi"),
        "what was due is handed over"
    );
    let (_, started) = world.get("conversations/old?watermark=0", SECRET).await;
    let talk = super::world::Talk::of(&started);
    assert_eq!(texts(&world.history(&talk).await), ["job 5 is complete", "hi", "echo: hi"]);
    assert_eq!(
        world.bot_says(&talk, "again", Some("n1")).await.1["id"],
        "old|0000002",
        "its key is still taken"
    );
    let new = json!({"type": "message", "text": "job 5 is complete at last"});
    let (status, _) = world.bot_calls("PUT", "/old/activities/old%7C0000002", Some(&new)).await;
    assert_eq!(status, 200);
    let shown = world.history(&talk).await;
    assert_eq!(texts(&shown), ["hi", "echo: hi", "job 5 is complete at last"]);
    assert_eq!(shown[2]["id"], "old|0000002");
}
