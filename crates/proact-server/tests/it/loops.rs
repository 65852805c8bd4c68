//! A part of the server that panics takes the process with it, in order; the next one has everything.

use std::{fs, path::Path};

use proact::testkit::FakeChannel;
use serde_json::{Value, json};

use crate::support::{Process, answer, client, command, eventually, say};

const LOOPS: [&str; 7] = [
    "the dispatcher",
    "the sweeper",
    "the watch over jobs",
    "the watch over the clock",
    "the journal's pruning",
    "the channel's pruning",
    "the listener",
];

fn start(folder: &Path) -> Process {
    let mut command = command(folder, &["--listen", "127.0.0.1:0"]);
    command.env("PROACT_PANIC", folder.join("panics"));
    Process::of(command)
}

/// A server that has met a conversation, and the id of a notification that it has accepted for later.
async fn with_something_to_do(folder: &Path, channel: &FakeChannel) -> (Process, String) {
    let server = start(folder);
    say(channel, &channel.user("c1"), "c1", &format!("{}/api/messages", server.url), "show").await;
    let later = json!({"conversation": {"channelId": "test", "id": "c1"}, "text": "Later.", "notBefore": "2090-01-01T00:00:00Z"});
    let (_, accepted) = answer(client().post(format!("{}/v1/notifications", server.url)).json(&later)).await;
    (server, accepted["id"].as_str().expect("it was accepted").to_owned())
}

fn panics(folder: &Path, name: &str) {
    fs::write(folder.join("panics"), name).unwrap();
}

/// Waits for the server's end, which is to name the part that panicked; the next one delivers what was accepted before.
async fn ends_and_the_next_goes_on(
    server: Process,
    name: &str,
    folder: &Path,
    channel: &FakeChannel,
    id: &str,
) {
    let (status, errors) = server.end();
    assert_eq!(status.code(), Some(1), "{name}: {errors}");
    let last = errors.trim_end().lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("proact: {name} panicked")), "{name}: {errors}");
    assert!(last.contains("start the program again"), "{last}");
    fs::remove_file(folder.join("panics")).unwrap();
    let next = start(folder);
    let at_once = json!({"notBefore": "2001-01-01T00:00:00Z"});
    let path = format!("{}/v1/notifications/{id}/reschedule", next.url);
    let (status, moved) = answer(client().post(path).json(&at_once)).await;
    assert_eq!(status, 200, "{moved}");
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Later.")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_ends_with_a_line_that_names_it_and_the_next_goes_on() {
    for name in LOOPS {
        let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
        // The channel forgets from the first activity on that is handed over; everything runs now.
        let (server, id) = with_something_to_do(folder.path(), &channel).await;
        panics(folder.path(), name);
        ends_and_the_next_goes_on(server, name, folder.path(), &channel, &id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_reading_that_panics_ends_it_too() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let (before, id) = with_something_to_do(folder.path(), &channel).await;
    before.kill();
    // What is due is read when the server starts.
    let name = "the reading of what is due";
    panics(folder.path(), name);
    ends_and_the_next_goes_on(start(folder.path()), name, folder.path(), &channel, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_takes_no_work_until_it_has_ended() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let folder = folder.path();
    let server = start(folder);
    let bot = format!("{}/api/messages", server.url);
    say(&channel, &channel.user("c1"), "c1", &bot, "show").await;
    // Something is under way, for which the end waits.
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let held = std::sync::Arc::clone(&gate);
    channel.answer_with(move |post| {
        (post.text() == "Slow.").then(|| {
            held.add_permits(1);
            proact::testkit::ChannelAnswer::ok().after(std::time::Duration::from_secs(2))
        })
    });
    let slow = json!({"conversation": {"channelId": "test", "id": "c1"}, "text": "Slow."});
    let (status, accepted) =
        answer(client().post(format!("{}/v1/notifications", server.url)).json(&slow)).await;
    assert_eq!(status, 202);
    gate.acquire().await.unwrap().forget();
    panics(folder, "the watch over jobs");
    let ready = format!("{}/readyz", server.url);
    eventually("readiness that says so", async || {
        let (status, problem) = answer(client().get(&ready)).await;
        (status == 503 && problem["reasons"].to_string().contains("died")).then_some(())
    })
    .await;
    assert_eq!(server.end().0.code(), Some(1));
    fs::remove_file(folder.join("panics")).unwrap();
    let next = start(folder);
    let path = format!("{}/v1/notifications/{}", next.url, accepted["id"].as_str().unwrap());
    let (_, story): (_, Value) = answer(client().get(path)).await;
    assert_eq!(story["state"], "delivered", "what was under way came to its end first: {story}");
}
