//! A job system at work: `examples/complete-job.sh`, as the guide shows it.

use std::process::Output;

use tokio::process::Command;

use crate::support::TestServer;

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
