//! A job system at work: `examples/complete-job.sh`, as the guide shows it.

use std::process::Output;

use proact::keys::Verb;
use tokio::process::Command;

use crate::{
    keys::{closed, key},
    support::{TestServer, answer, client},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/complete-job.sh");

async fn complete(server: &TestServer, number: &str, secret: Option<&str>) -> Output {
    let mut command = Command::new("sh");
    command.args([SCRIPT, number, &server.url]).env_remove("PROACT_DIRECTLINE_SECRET");
    match secret {
        Some(secret) => command.env("PROACT_DIRECTLINE_SECRET", secret),
        None => command.env("PROACT_DIRECTLINE_SECRET_FILE", server.data().join("directline.secret")),
    };
    command.output().await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap().trim()
}

#[tokio::test]
async fn an_event_over_direct_line_completes_a_job_and_the_person_is_told_once() {
    let server = TestServer::start().await;
    let person = server.chat(Some("Eva")).await;
    for number in 1..=2 {
        person.say("run").await;
        person
            .hears(&format!("We're starting job {number} for you. We'll notify you when it's complete."))
            .await;
    }
    for _ in 0..2 {
        let output = complete(&server, "1", None).await;
        assert!(output.status.success(), "{output:?}");
        assert!(text(&output.stdout).starts_with("job 1: the bot has taken the event "), "{output:?}");
        person.hears("Job 1 is complete.").await;
    }
    assert!(
        complete(&server, "99", None).await.status.success(),
        "the bot knows of no such job, and says so to nobody"
    );
    assert!(complete(&server, "2", None).await.status.success());
    person.hears("Job 2 is complete.").await;
    let told = person.texts().await;
    assert_eq!(told.iter().filter(|text| *text == "Job 1 is complete.").count(), 1, "{told:?}");
    server.stop().await;
}

#[tokio::test]
async fn the_script_says_what_is_in_its_way() {
    let server = TestServer::start().await;
    for (number, secret, says) in [
        ("", None, "give the number of a job"),
        ("1; rm", None, "give the number of a job"),
        ("1", Some("not-the-secret-of-this-server"), "no conversation: {\"error\""),
    ] {
        let output = complete(&server, number, secret).await;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(said.contains(says), "{said}");
        assert!(secret.is_none_or(|secret| !said.contains(secret)), "{said}");
    }
    server.stop().await;
}

#[tokio::test]
async fn where_keys_are_required_the_event_is_believed_of_who_has_one_and_as_far_as_it_reaches() {
    let server = closed().await;
    let person = server.chat(Some("Eva")).await;
    for number in 1..=3 {
        person.say("run").await;
        person
            .hears(&format!("We're starting job {number} for you. We'll notify you when it's complete."))
            .await;
    }
    // The secret opens the channel and says nothing of jobs; a person in a chat says nothing of them either.
    assert!(complete(&server, "1", None).await.status.success());
    person.send(serde_json::json!({"type": "event", "name": "jobCompleted", "value": 1})).await;
    let reads = key(&server, &[Verb::Read], &[], &[]).await;
    let output = complete(&server, "1", Some(&reads)).await;
    assert!(!output.status.success() && text(&output.stderr).contains("does not permit"), "{output:?}");
    let other = key(&server, &[Verb::Complete], &["other"], &[]).await;
    assert!(complete(&server, "1", Some(&other)).await.status.success(), "the channel takes it");
    let good = key(&server, &[Verb::Complete], &["job"], &["directline/*"]).await;
    assert!(complete(&server, "2", Some(&good)).await.status.success());
    person.hears("Job 2 is complete.").await;
    assert_eq!(server.engine().job(1).await.unwrap().unwrap().state.as_str(), "running");
    let _ = server.parts().keys.revoke(&good[7..23]).await.unwrap();
    assert!(
        !complete(&server, "3", Some(&good)).await.status.success(),
        "a revoked key opens no conversation"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_key_opens_the_conversations_that_it_started_until_it_is_revoked() {
    let server = closed().await;
    let person = server.chat(Some("Eva")).await;
    person.say("run").await;
    person.hears("We're starting job 1 for you. We'll notify you when it's complete.").await;
    let (one, other) =
        (key(&server, &[Verb::Complete], &[], &[]).await, key(&server, &[Verb::Complete], &[], &[]).await);
    let url = format!("{}/v3/directline/conversations", server.url);
    let (status, started) = answer(client().post(&url).bearer_auth(&one).json(&serde_json::json!({}))).await;
    assert_eq!(status, 201, "{started}");
    let id = started["conversationId"].as_str().unwrap();
    let activities = format!("{url}/{id}/activities");
    assert_eq!(answer(client().get(&activities).bearer_auth(&one)).await.0, 200);
    for key in [&other, "proact_0000000000000000_x"] {
        let (status, _) = answer(client().get(&activities).bearer_auth(key)).await;
        assert!(matches!(status, 401 | 403), "{status}");
    }
    let theirs = format!("{url}/{}/activities", person.id);
    let asked = async |at: &str| answer(client().get(at).bearer_auth(&one)).await;
    let (found, missing) = (asked(&theirs).await, asked(&format!("{url}/nobody/activities")).await);
    assert_eq!((found.0, &found), (403, &missing), "nobody learns which conversations there are");
    let generate = format!("{}/v3/directline/tokens/generate", server.url);
    assert_eq!(answer(client().post(generate).bearer_auth(&one).json(&serde_json::json!({}))).await.0, 403);
    // Its token ends with it, and nothing that it says is believed of jobs.
    let _ = server.parts().keys.revoke(&one[7..23]).await.unwrap();
    let token = started["token"].as_str().unwrap();
    let event =
        serde_json::json!({"type": "event", "name": "jobCompleted", "value": 1, "from": {"id": "ci"}});
    assert_eq!(answer(client().post(&activities).bearer_auth(token).json(&event)).await.0, 403);
    assert_eq!(server.engine().job(1).await.unwrap().unwrap().state.as_str(), "running");
    server.stop().await;
}
