//! Backup, restore and release with the real binary: an old backup sends nothing twice without an operator's word.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use proact::testkit::{ChannelAnswer, FakeChannel};
use serde_json::{Value, json};

use crate::support::{Process, answer, client, eventually, proact, say};

const RUNNING: &[&str] = &["--listen", "127.0.0.1:0"];
const OLD: &str = "Job 1 is complete.";

/// Exit code, stdout, stderr.
fn run(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    let output = proact(folder, &line.split(' ').collect::<Vec<_>>());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// It must go well; what it said.
fn done(folder: &Path, line: &str) -> String {
    let (code, text, error) = run(folder, line);
    assert_eq!(code, Some(0), "{line}: {text}{error}");
    text
}

/// It must fail with exit code 1 and one line; the line.
fn refused(folder: &Path, line: &str) -> String {
    let (code, text, error) = run(folder, line);
    assert_eq!((code, text.as_str(), error.lines().count()), (Some(1), "", 1), "{line}: {error}");
    error
}

async fn get(server: &Process, path: &str) -> (u16, Value) {
    answer(client().get(format!("{}{path}", server.url))).await
}

async fn post(server: &Process, path: &str, body: Value) -> (u16, Value) {
    answer(client().post(format!("{}{path}", server.url)).json(&body)).await
}

fn count(channel: &FakeChannel, text: &str) -> usize {
    channel.ledger().of("c1").filter(|entry| entry.accepted && entry.text() == text).count()
}

/// A message that waited when the backup was made and was delivered after it; the server has ended. The backup is `old.db`.
async fn delivered_after_the_backup(folder: &Path, channel: &FakeChannel) {
    let server = Process::start(folder, RUNNING);
    let bot = format!("{}/api/messages", server.url);
    say(channel, &channel.user("c1"), "c1", &bot, "run").await;
    channel.answer_with(|post| (post.text() == OLD).then(|| ChannelAnswer::throttled(Some("1"))));
    assert_eq!(post(&server, "/v1/jobs/1/complete", json!({})).await.0, 200);
    // The outcome of the first attempt is on record.
    eventually("waiting", async || {
        let (_, list) = get(&server, "/v1/notifications?state=waiting").await;
        (list["items"][0]["tries"] == 1).then_some(())
    })
    .await;
    let text = done(folder, "backup old.db");
    assert!(text.contains("old.db") && text.contains("checked"), "{text}");
    channel.behave();
    eventually("delivered", async || {
        let (_, list) = get(&server, "/v1/notifications?state=delivered").await;
        (list["items"].as_array().unwrap().len() == 1).then_some(())
    })
    .await;
    // Two more jobs of a life that the backup knows nothing of.
    for _ in 0..2 {
        say(channel, &channel.user("c1"), "c1", &bot, "run").await;
    }
    let busy = refused(folder, "restore old.db");
    assert!(busy.contains("in use"), "{busy}");
    server.terminate();
    assert!(server.end().0.success());
    assert_eq!(count(channel, OLD), 1);
}

/// Runs a job and completes it; its message is delivered, so whatever stood before it in its lane would have gone. The job's number.
async fn something_new(server: &Process, channel: &FakeChannel) -> u64 {
    let bot = format!("{}/api/messages", server.url);
    let said = say(channel, &channel.user("c1"), "c1", &bot, "run").await;
    let words = said[0].split(' ').find_map(|word| word.parse().ok());
    let number: u64 = words.unwrap_or_else(|| panic!("{said:?}"));
    assert_eq!(post(server, &format!("/v1/jobs/{number}/complete"), json!({})).await.0, 200);
    let text = format!("Job {number} is complete.");
    channel.wait_for(|ledger| ledger.texts("c1").contains(&&*text)).await;
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_backup_sends_nothing_twice_until_it_is_dropped() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    delivered_after_the_backup(folder.path(), &channel).await;
    let text = done(folder.path(), "restore old.db");
    for part in ["1 notification to 1 conversation", "test/c1: 1,", OLD, "go on from 1000004", "release"] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let replaced = text.split_whitespace().find(|word| word.contains(".replaced-")).unwrap();
    let replaced = rusqlite::Connection::open(folder.path().join(replaced.trim_end_matches('.'))).unwrap();
    let jobs: u32 = replaced.query_row("SELECT count(*) FROM job", [], |row| row.get(0)).unwrap();
    assert_eq!(jobs, 3, "what was there is kept");
    assert!(done(folder.path(), "release").contains(OLD));

    let server = Process::start(folder.path(), RUNNING);
    let (status, ready) = get(&server, "/readyz").await;
    assert_eq!((status, &ready["status"]), (200, &json!("held")), "people are answered meanwhile");
    assert!(ready["reasons"][0].as_str().unwrap().contains("proact release"), "{ready}");
    assert_eq!(something_new(&server, &channel).await, 1_000_004, "1 to 3 were given");
    assert_eq!(count(&channel, OLD), 1, "sent without a word");
    let (_, held) = get(&server, "/v1/hold").await;
    assert_eq!(
        (&held["held"]["notifications"], &held["held"]["sample"][0]["text"]),
        (&json!(1), &json!(OLD))
    );
    assert_eq!(post(&server, "/v1/hold/release", json!({ "send": "some" })).await.0, 400);
    let metrics = client().get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nproact_held 1\n"), "{metrics}");

    assert!(done(folder.path(), "release --list").contains(OLD));
    let text = done(folder.path(), "release --drop");
    assert!(text.contains("0 notifications to be sent, 1 dropped"), "{text}");
    assert_eq!(done(folder.path(), "release --send"), "Nothing is held.\n");
    assert_eq!(post(&server, "/v1/hold/release", json!({ "send": "all" })).await.0, 409);
    something_new(&server, &channel).await;
    assert_eq!(count(&channel, OLD), 1, "sent although it was dropped");
    let (_, list) = get(&server, "/v1/notifications?state=cancelled").await;
    assert!(list["items"][0]["reason"].as_str().unwrap().contains("after a restore"), "{list}");
    assert_eq!(get(&server, "/readyz").await.1["status"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_sent_again_when_that_is_said_and_the_record_says_why() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    delivered_after_the_backup(folder.path(), &channel).await;
    done(folder.path(), "restore old.db");
    let server = Process::start(folder.path(), RUNNING);
    something_new(&server, &channel).await;
    // Killed while it is held: a start changes nothing about that.
    server.kill();
    let server = Process::start(folder.path(), RUNNING);
    something_new(&server, &channel).await;
    assert_eq!(count(&channel, OLD), 1);
    let text = done(folder.path(), "release --send --newer-than 1h --drop-rest --json");
    let released: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&released["released"]["sent"], &released["released"]["dropped"]), (&json!(1), &json!(0)));
    eventually("sent again", async || (count(&channel, OLD) == 2).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_it_is_released_in_the_file() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    delivered_after_the_backup(folder.path(), &channel).await;
    // Restored twice: the second life gives no number of the first.
    done(folder.path(), "restore old.db");
    let text = done(folder.path(), "restore old.db --job-gap 10");
    assert!(text.contains("go on from 1000014"), "{text}");
    let text = done(folder.path(), "release --send --newer-than 0s --drop-rest");
    assert!(text.contains("1 dropped") && text.contains("No server runs"), "{text}");
    let server = Process::start(folder.path(), RUNNING);
    something_new(&server, &channel).await;
    assert_eq!(count(&channel, OLD), 1);
    for wrong in ["release --drop --send", "release --newer-than 1h", "release --send --newer-than 1h"] {
        assert_eq!(run(folder.path(), wrong).0, Some(2), "{wrong}");
    }
}

#[test]
fn a_backup_goes_over_nothing_and_what_is_no_backup_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let line = refused(folder.path(), "backup b.db");
    assert!(line.contains("no data") && line.contains("--data"), "{line}");
    let server = Process::start(folder.path(), RUNNING);
    done(folder.path(), "backup b.db");
    let line = refused(folder.path(), "backup b.db");
    assert!(line.contains("b.db") && line.contains("--force"), "{line}");
    done(folder.path(), "backup b.db --force");
    for wrong in ["data/proact.db", "data/directline.secret", "data/server.json"] {
        let before = fs::read(folder.path().join(wrong)).unwrap();
        let line = refused(folder.path(), &format!("backup {wrong} --force"));
        assert!(line.contains(wrong), "{line}");
        assert_eq!(fs::read(folder.path().join(wrong)).unwrap(), before);
    }
    server.terminate();
    assert!(server.end().0.success());
    fs::write(folder.path().join("no.db"), "no database").unwrap();
    for wrong in ["no.db", "missing.db", "data"] {
        let line = refused(folder.path(), &format!("restore {wrong}"));
        assert!(line.contains(wrong), "{line}");
    }
    // To a new place.
    done(folder.path(), "restore b.db --data elsewhere/data");
    assert!(folder.path().join("elsewhere/data/proact.db").is_file());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_no_more_leaves_nothing_half_written() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let server = Process::start(folder.path(), RUNNING);
    for _ in 0..3 {
        say(&channel, &channel.user("c1"), "c1", &format!("{}/api/messages", server.url), "run").await;
    }
    fs::create_dir(folder.path().join("full")).unwrap();
    // No file may grow beyond 40 KiB: the copy stops in its middle.
    let script = "trap '' XFSZ; ulimit -f 80; exec \"$0\" backup full/b.db";
    let limited = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_proact")]).current_dir(folder.path());
        command.stdin(Stdio::null()).output().unwrap()
    };
    let output = limited(script);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("full/b.db") && error.contains("has room"), "{error}");
    assert_eq!(fs::read_dir(folder.path().join("full")).unwrap().count(), 0);
    // With room it goes.
    assert_eq!(limited("exec \"$0\" backup full/b.db").status.code(), Some(0));
    server.terminate();
    assert!(server.end().0.success());
    // A restore without room changes nothing.
    let before = fs::read(folder.path().join("data/proact.db")).unwrap();
    let output = limited("trap '' XFSZ; ulimit -f 80; exec \"$0\" restore full/b.db");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read(folder.path().join("data/proact.db")).unwrap(), before);
    // (Reading a database that has a log can leave an empty one, and its index, which holds nothing by itself.)
    let mut left: Vec<_> = fs::read_dir(folder.path().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.metadata().unwrap().len() > 0 || !entry.path().ends_with("proact.db-wal"))
        .filter(|entry| !entry.path().ends_with("proact.db-shm"))
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["directline.secret", "proact.db", "proact.db.lock"]);
}
