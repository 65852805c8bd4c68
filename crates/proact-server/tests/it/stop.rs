//! A stop cuts no turn and no send, unless its grace is over.

use proact::testkit::{ChannelAnswer, FakeChannel, Gate};
use serde_json::json;

use crate::support::{Process, answer, client, eventually, say};

const RUNNING: &[&str] = &["--listen", "127.0.0.1:0"];

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_a_slow_send_and_a_slow_turn_come_to_their_end() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let server = Process::start(folder.path(), RUNNING);
    let bot = format!("{}/api/messages", server.url);
    say(&channel, &channel.user("c1"), "c1", &bot, "run").await;
    let gate = Gate::closed();
    channel.script("c1", [ChannelAnswer::ok().behind(&gate)]);
    channel.script("c2", [ChannelAnswer::ok().behind(&gate)]);
    // A send: the message of job 1. A turn: its answer in another conversation.
    answer(client().post(format!("{}/v1/jobs/1/complete", server.url)).json(&json!({}))).await;
    let turn = tokio::spawn({
        let (user, bot) = (channel.user("c2"), bot.clone());
        async move { user.say(&bot, "run").await }
    });
    channel.wait_for(|ledger| ledger.of("c1").count() == 2 && ledger.of("c2").count() == 1).await;
    server.terminate();
    let url = server.url.clone();
    // It no longer takes work, and says so.
    eventually("stopping", async || {
        let (status, problem) = answer(client().get(format!("{url}/v1/jobs"))).await;
        (status == 503 && problem["type"] == "urn:proact:problem:stopping").then_some(())
    })
    .await;
    assert_eq!(answer(client().get(format!("{url}/readyz"))).await.0, 503);
    assert_eq!(answer(client().get(format!("{url}/healthz"))).await.0, 200);
    assert!(!turn.is_finished());
    gate.open();
    assert_eq!(turn.await.unwrap().unwrap().status, 200, "the turn was answered");
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!folder.path().join("data/server.json").exists());

    // Its outcome is on record: the next start has nothing left to send.
    let server = Process::start(folder.path(), RUNNING);
    let (_, jobs) = answer(client().get(format!("{}/v1/jobs", server.url))).await;
    assert_eq!(jobs["items"].as_array().unwrap().len(), 2);
    let (_, sent) = answer(client().get(format!("{}/v1/notifications", server.url))).await;
    assert_eq!(sent["items"][0]["state"], "delivered");
    assert_eq!(sent["items"][0]["tries"], 1);
    assert_eq!(channel.ledger().of("c1").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_grace_is_over_the_exit_code_says_so_and_the_next_start_goes_on() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    std::fs::write(folder.path().join("proact.toml"), "stop.grace = \"50ms\"\n").unwrap();
    let server = Process::start(folder.path(), RUNNING);
    say(&channel, &channel.user("c1"), "c1", &format!("{}/api/messages", server.url), "run").await;
    channel.script("c1", [ChannelAnswer::never()]);
    answer(client().post(format!("{}/v1/jobs/1/complete", server.url)).json(&json!({}))).await;
    channel.wait_for(|ledger| ledger.of("c1").count() == 2).await;
    server.terminate();
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(3), "{log}");
    let _again = Process::start(folder.path(), RUNNING);
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 1 is complete.")).await;
}
