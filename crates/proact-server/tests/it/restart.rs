//! Killed and started again: what was announced is there, and what was owed is done.

use std::time::Duration;

use proact::testkit::{ChannelAnswer, FakeChannel, Gate};
use serde_json::json;

use crate::support::{Chat, Process, TestServer, answer, client, say};

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_no_job_and_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let user = channel.user("c1");

    let first = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    let bot = format!("{}/api/messages", first.url);
    say(&channel, &user, "c1", &bot, "run").await;
    let chat = Chat::open(&first.url, None, None).await;
    chat.say("run").await;
    // The message of job 1 reaches the channel, and nobody hears how that ended.
    let gate = Gate::closed();
    channel.script("c1", [ChannelAnswer::ok().behind(&gate).refusing()]);
    let complete = client().post(format!("{}/v1/jobs/1/complete", first.url)).json(&json!({}));
    assert_eq!(answer(complete).await.0, 200);
    channel.wait_for(|ledger| ledger.of("c1").any(|entry| entry.text() == "Job 1 is complete.")).await;
    first.kill();
    gate.open();

    // On another port: what is stored of the built-in channel's conversations moves with it.
    let second = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 1 is complete.")).await;
    let (_, job) = answer(client().get(format!("{}/v1/jobs/1", second.url))).await;
    let path = format!("{}/v1/notifications/{}", second.url, job["notificationId"].as_str().unwrap());
    let attempts = crate::support::eventually("delivered", async || {
        let (_, notification) = answer(client().get(&path)).await;
        (notification["state"] == "delivered").then(|| notification["attempts"].clone())
    })
    .await;
    assert_eq!((&attempts[0]["outcome"], &attempts[1]["outcome"]), (&json!("unknown"), &json!("delivered")));

    let chat = chat.at(&second.url).await;
    chat.hears("We're starting job 2 for you. We'll notify you when it's complete.").await;
    chat.say("done 2").await;
    chat.hears("Job 2 is complete.").await;
    chat.say("run").await;
    chat.hears("We're starting job 3 for you. We'll notify you when it's complete.").await;
    second.terminate();
    assert!(second.end().0.success());
}

#[tokio::test]
async fn what_waits_when_it_stops_goes_out_when_it_runs_again() {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "run").await;
    channel.answer_with(|post| {
        (post.text() == "Job 1 is complete.").then(|| ChannelAnswer::throttled(Some("1")))
    });
    server.post("/v1/jobs/1/complete", json!({})).await;
    channel.wait_for(|ledger| ledger.of("c1").any(|entry| entry.text() == "Job 1 is complete.")).await;
    let (folder, _) = server.stop().await;
    channel.behave();
    let before = channel.ledger().len();
    let server = TestServer::on(folder, &[]).await;
    channel.wait_for(|ledger| ledger.len() > before).await;
    tokio::time::sleep(Duration::ZERO).await;
    assert_eq!(channel.ledger().texts("c1").iter().filter(|text| **text == "Job 1 is complete.").count(), 1);
    server.stop().await;
}
