//! `proact notifications | pause | resume | pauses | status | templates`, with a server that runs and without one.

use std::{fs, path::Path};

use proact::testkit::FakeChannel;
use serde_json::{Value, json};

use crate::support::{Process, proact, say};

const RUNNING: &[&str] = &["--listen", "127.0.0.1:0"];

/// Exit code, stdout, stderr.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = proact(folder, arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// It must go well; its JSON.
fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    let (code, text, error) = run(folder, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {error}");
    serde_json::from_str(&text).unwrap()
}

async fn met(folder: &Path) -> (Process, FakeChannel) {
    let (server, channel) = (Process::start(folder, RUNNING), FakeChannel::start());
    say(&channel, &channel.user("c1"), "c1", &format!("{}/api/messages", server.url), "show").await;
    (server, channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_arrives_and_its_story_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (_server, channel) = met(folder).await;
    let send = ["notifications", "send", "--conversation", "test/c1", "--key", "k", "--json", "Stand-up."];
    let accepted = json_of(folder, &send);
    assert_eq!(json_of(folder, &send), accepted, "the same key, the same answer");
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Stand-up.")).await;
    let id = accepted["id"].as_str().unwrap();
    let story = json_of(folder, &["notifications", "show", id, "--json"]);
    assert_eq!(story["cause"], json!({ "type": "command_line" }));
    let (_, text, _) = run(folder, &["notifications", "show", id]);
    assert!(text.contains("test/c1") && text.contains("Stand-up.") && text.contains("attempt 1"), "{text}");
    let list = json_of(folder, &["notifications", "list", "--conversation", "test/c1", "--json"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let urgent = json_of(folder, &["notifications", "list", "--priority", "urgent", "--json"]);
    assert_eq!(urgent["items"], json!([]));

    let other = ["notifications", "send", "--conversation", "test/c1", "--key", "k", "Other."];
    assert_eq!(run(folder, &other).0, Some(5), "the key is used");
    assert_eq!(run(folder, &["notifications", "replay", id]).0, Some(5), "it was delivered");
    assert_eq!(run(folder, &["notifications", "cancel", "none"]).0, Some(4));
    let (code, _, error) = run(folder, &["notifications", "list", "--state", "sent"]);
    assert_eq!((code, error.contains("state")), (Some(1), true), "{error}");
    assert_eq!(run(folder, &["notifications", "send", "--conversation", "c1", "x"]).0, Some(2));
    assert_eq!(run(folder, &["--listen", "127.0.0.1:0", "status"]).0, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_back_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (_server, channel) = met(folder).await;
    let (code, text, _) = run(folder, &["pause", "--conversation", "test/c1", "--reason", "the night"]);
    assert!(code == Some(0) && text.starts_with("Paused: test/c1") && text.contains("the night"), "{text}");
    let send = ["notifications", "send", "--conversation", "test/c1", "--json"];
    let waits = json_of(folder, &[&send[..], &["Waits."]].concat())["id"].as_str().unwrap().to_owned();
    let gone = json_of(folder, &[&send[..], &["Gone."]].concat())["id"].as_str().unwrap().to_owned();
    let (_, text, _) = run(folder, &["notifications", "show", &waits]);
    assert!(text.contains("waits     paused"), "{text}");
    let (_, text, _) = run(folder, &["status"]);
    assert!(text.contains("waiting     2") && text.contains("Paused: test/c1"), "{text}");
    assert_eq!(run(folder, &["notifications", "cancel", &gone]).1, "Cancelled: nothing more is sent.\n");
    assert_eq!(run(folder, &["pauses", "--json"]).1.matches("the night").count(), 1);
    assert_eq!(run(folder, &["resume", "--all"]).0, Some(4), "that is not paused");
    assert_eq!(run(folder, &["resume"]).0, Some(2), "resume what?");
    assert_eq!(run(folder, &["resume", "--conversation", "test/c1"]).0, Some(0));
    let ledger = channel.wait_for(|ledger| ledger.texts("c1").contains(&"Waits.")).await;
    assert!(!ledger.texts("c1").contains(&"Gone."));
    assert_eq!(run(folder, &["pauses"]).1, "Nothing is paused.\n");
    assert_eq!(run(folder, &["pauses", "--json"]).1, "{\"items\":[],\"next\":null}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_says_on_stderr_how_to_see_more_and_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (server, channel) = met(folder).await;
    fs::write(folder.join("template"), "{{ what }}").unwrap();
    for n in ["1", "2", "3"] {
        let send = ["notifications", "send", "--conversation", "test/c1", "--key", n, "--json", n];
        json_of(folder, &send);
        assert_eq!(run(folder, &["pause", "--channel", n]).0, Some(0));
        assert_eq!(run(folder, &["keys", "create", n, "--allow", "read"]).0, Some(0));
        assert_eq!(run(folder, &["templates", "put", n, "template"]).0, Some(0));
    }
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"3")).await;
    let lists: [&[&str]; 4] =
        [&["notifications", "list"], &["pauses"], &["keys", "list"], &["templates", "list"]];
    let look = |list: &[&str], more: &[&str]| run(folder, &[list, more].concat());
    let mut seen = Vec::new();
    for list in lists {
        let (_, one, error) = look(list, &["--limit", "2"]);
        let next = error.split("--cursor ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        assert!(
            error.lines().count() == 1 && error.contains("--all") && !one.contains("--"),
            "{list:?}: {error}"
        );
        let (_, rest, error) = look(list, &["--cursor", next]);
        assert_eq!(error, "", "{list:?}");
        let (_, all, error) = look(list, &["--all"]);
        assert_eq!(error, "", "{list:?}");
        let count = |text: &str| text.lines().filter(|line| !line.starts_with("ID ")).count();
        assert_eq!((count(&one), count(&rest), count(&all)), (2, 1, 3), "{list:?}: {all}");
        let page = json_of(folder, &[list, &["--json", "--limit", "2"]].concat());
        assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (2, &json!(next)), "{list:?}");
        assert_eq!(look(list, &["--json", "--limit", "2"]).2, "", "{list:?}: a program reads `next`");
        assert_eq!(look(list, &["--cursor", "nowhere"]).0, Some(1), "{list:?}");
        seen.push(all);
    }
    server.kill();
    for (list, all) in lists.iter().zip(seen) {
        assert_eq!(look(list, &["--all"]).1, all, "{list:?}: the folder alone says the same");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_folder_answers_and_the_message_goes_when_one_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (server, channel) = met(folder).await;
    server.kill();
    fs::write(folder.join("price.txt"), "{{ what }} is cheaper.").unwrap();
    fs::write(folder.join("broken.txt"), "{{ what").unwrap();
    assert_eq!(run(folder, &["templates", "put", "price", "price.txt"]).0, Some(0));
    let (code, _, error) = run(folder, &["templates", "put", "price", "broken.txt"]);
    assert_eq!((code, error.lines().count()), (Some(1), 1), "{error}");
    assert!(run(folder, &["templates", "list"]).1.contains("price"));
    assert_eq!(run(folder, &["pause", "--all"]).0, Some(0));
    let send = ["notifications", "send", "--conversation", "test/c1", "--json"];
    let id = json_of(folder, &[&send[..], &["Later."]].concat())["id"].as_str().unwrap().to_owned();
    let moved =
        json_of(folder, &["notifications", "reschedule", &id, "--to", "2001-01-01T00:00:00Z", "--json"]);
    assert_eq!(moved["state"], "waiting");
    assert!(run(folder, &["status"]).1.contains("No server runs"));
    assert_eq!(run(folder, &["resume", "--all"]).0, Some(0));
    assert_eq!(run(folder, &["templates", "remove", "price"]).0, Some(0));
    assert_eq!(run(folder, &["templates", "remove", "price"]).0, Some(4));
    assert_eq!(run(folder, &["templates", "list"]).1, "There are no templates.\n");
    assert_eq!(run(folder, &["templates", "list", "--json"]).1, "{\"items\":[],\"next\":null}\n");
    let _server = Process::start(folder, RUNNING);
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Later.")).await;
}
