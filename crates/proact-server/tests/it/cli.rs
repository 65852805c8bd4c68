//! `proact jobs`, with a server that runs and without one.

use std::{fs, path::Path, process::Stdio};

use proact::testkit::FakeChannel;
use serde_json::Value;

use crate::support::{Process, command, proact, say};

const RUNNING: &[&str] = &["--listen", "127.0.0.1:0"];

/// Exit code, stdout, stderr.
fn run(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    let output = proact(folder, &line.split(' ').collect::<Vec<_>>());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn start_jobs(server: &Process, channel: &FakeChannel, count: usize) {
    for _ in 0..count {
        say(channel, &channel.user("c1"), "c1", &format!("{}/api/messages", server.url), "run").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_the_server_that_runs() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let server = Process::start(folder.path(), RUNNING);
    assert_eq!(run(folder.path(), "jobs list").1, "The job log is empty.\n");
    start_jobs(&server, &channel, 3).await;
    let (code, text, _) = run(folder.path(), "jobs complete 2");
    assert_eq!((code, text.as_str()), (Some(0), "Job 2 is complete. Its conversation is being told.\n"));
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 2 is complete.")).await;

    let (_, text, error) = run(folder.path(), "jobs list --limit 2");
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with("NUMBER") && lines[1].starts_with("3 ") && lines[2].starts_with("2 "),
        "{text}"
    );
    assert!(lines[1].ends_with("test/c1") && lines[2].contains("succeeded") && lines.len() == 3, "{text}");
    assert!(error.lines().count() == 1 && error.contains("--all") && error.contains("--cursor"), "{error}");
    let (_, text, _) = run(folder.path(), "jobs list --json");
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["next"]), (3, &Value::Null));

    let (code, _, error) = run(folder.path(), "jobs complete 2");
    assert_eq!((code, error.as_str()), (Some(5), "proact: job 2 is already complete\n"));
    let (code, _, error) = run(folder.path(), "jobs complete 99");
    assert_eq!((code, error.lines().count()), (Some(4), 1));
    assert_eq!(run(folder.path(), "jobs complete x").0, Some(2));
    let (_, text, _) = run(folder.path(), "jobs complete 1 --json");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["state"], "succeeded");
    let (code, text, _) = run(folder.path(), "jobs fail 3 --reason tired");
    assert_eq!((code, text.as_str()), (Some(0), "Job 3 has failed. Its conversation is being told.\n"));
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 3 failed: tired")).await;
    let (code, text, _) = run(folder.path(), "jobs show 3");
    assert_eq!((code, &serde_json::from_str::<Value>(&text).unwrap()["reason"]), (Some(0), &"tired".into()));
    assert_eq!(run(folder.path(), "jobs cancel 3").0, Some(5));
    assert_eq!(run(folder.path(), "jobs show 99").0, Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_pages_through_a_long_log() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let server = Process::start(folder.path(), RUNNING);
    start_jobs(&server, &channel, 105).await;
    let (_, text, error) = run(folder.path(), "jobs list --json --limit 103");
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (list["items"].as_array().unwrap().len(), error.as_str()),
        (103, ""),
        "what is next stands in it"
    );
    let rest = format!("jobs list --json --cursor {}", list["next"].as_str().unwrap());
    let rest: Value = serde_json::from_str(&run(folder.path(), &rest).1).unwrap();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null), "{rest}");
    // All of them, by the server and by the folder alone.
    let numbers = |list: &Value| -> Vec<_> {
        list["items"].as_array().unwrap().iter().map(|job| job["number"].as_u64().unwrap()).collect()
    };
    let all: Value = serde_json::from_str(&run(folder.path(), "jobs list --json --all").1).unwrap();
    assert_eq!((numbers(&all), &all["next"]), ((1..=105).rev().collect(), &Value::Null));
    let (_, lines, error) = run(folder.path(), "jobs list --all");
    assert_eq!((lines.lines().count(), error.as_str()), (106, ""));
    server.kill();
    let alone: Value = serde_json::from_str(&run(folder.path(), "jobs list --json --all").1).unwrap();
    assert_eq!(alone, all);
    assert_eq!(run(folder.path(), "jobs list --all").1, lines);
    let (code, _, error) = run(folder.path(), "jobs list --cursor b-1");
    assert_eq!((code, error.contains("cursor")), (Some(1), true), "{error}");
    assert_eq!(run(folder.path(), "jobs list --all --limit 3").0, Some(2), "which one?");
    assert_eq!(run(folder.path(), "jobs list --limit 0").0, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_it_opens_the_data_and_the_message_goes_when_one_runs() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let server = Process::start(folder.path(), RUNNING);
    start_jobs(&server, &channel, 2).await;
    // Killed: what says where it was is stale.
    server.kill();
    assert!(folder.path().join("data/server.json").exists());
    let (_, text, error) = run(folder.path(), "jobs list");
    assert_eq!(text.lines().count(), 3, "{text}{error}");
    let (code, text, _) = run(folder.path(), "jobs complete 1");
    assert_eq!(code, Some(0));
    assert!(text.contains("No server runs"), "{text}");
    assert_eq!(run(folder.path(), "jobs complete 1").0, Some(5));
    assert_eq!(run(folder.path(), "jobs complete 7").0, Some(4));
    assert_eq!(run(folder.path(), "jobs cancel 2").1, text.replace("1 is complete", "2 is cancelled"));
    assert!(run(folder.path(), "jobs show 2").1.contains("cancelled"));
    assert!(!channel.ledger().texts("c1").contains(&"Job 1 is complete."));
    let _server = Process::start(folder.path(), RUNNING);
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 1 is complete.")).await;
}

#[test]
fn another_server_at_a_stale_address_is_not_asked() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Process::start(one.path(), RUNNING);
    let file = fs::read_to_string(one.path().join("data/server.json")).unwrap();
    first.kill();
    let second = Process::start(two.path(), RUNNING);
    let mut stale: Value = serde_json::from_str(&file).unwrap();
    stale["address"] = second.url.strip_prefix("http://").unwrap().into();
    fs::write(one.path().join("data/server.json"), stale.to_string()).unwrap();
    // It is the folder itself that is listed: nobody else's jobs.
    let (code, text, error) = run(one.path(), "jobs list");
    assert_eq!((code, text.as_str()), (Some(0), "The job log is empty.\n"), "{error}");
}

#[test]
fn without_data_it_says_so_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = run(folder.path(), "jobs list");
    assert_eq!((code, error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("./data") && error.contains("--data"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn trust_that_cannot_be_used_is_named_at_the_start_without_credentials_too() {
    for (variable, value, field) in [
        ("PROACT_TRUST_ROOT_CERTIFICATES", "nowhere.pem", "trust.root_certificates"),
        ("PROACT_TRUST_NETWORKS", "10.4.0.0/33", "trust.networks"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = command(folder.path(), &["serve", "--listen", "127.0.0.1:0"])
            .env(variable, value)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(field) && error.contains(value), "{error}");
    }
}
