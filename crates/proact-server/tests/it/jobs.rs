//! Workers and their tokens, and what this machine may do without one, over HTTP.

use proact::{
    activity::ConversationKey,
    proactive::{NewJob, StartedJob},
    testkit::FakeChannel,
};
use serde_json::{Value, json};

use crate::support::{TestServer, answer, client, say};

/// A server with a conversation `c1` and two jobs in it that have tokens.
async fn with_workers() -> (TestServer, FakeChannel, [StartedJob; 2]) {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "hello").await;
    let start = async || {
        let place = ConversationKey::new("test", "c1").unwrap();
        server.engine().start_job(place, NewJob::new("report")).await.unwrap()
    };
    let jobs = [start().await, start().await];
    (server, channel, jobs)
}

async fn report(server: &TestServer, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = client().post(format!("{}/v1/jobs/{path}", server.url));
    answer(request.header("authorization", format!("Bearer {token}")).json(body)).await
}

#[tokio::test]
async fn a_worker_reports_and_finishes_its_job_and_learns_nothing_of_the_conversation() {
    let (server, channel, [job, _]) = with_workers().await;
    let token = job.token.as_str();
    let (status, body) =
        report(&server, token, "1/progress", &json!({"percent": 40, "text": "reading"})).await;
    assert_eq!((status, body), (200, json!({"number": 1, "state": "running", "completedAt": null})));
    channel.wait_for(|ledger| ledger.shown("c1").last() == Some(&"Job 1: 40 % – reading")).await;
    assert_eq!(report(&server, token, "1/heartbeat", &json!({})).await.0, 200);
    let (_, shown) = server.get("/v1/jobs/1").await;
    assert_eq!((&shown["progress"]["percent"], &shown["progress"]["way"]), (&json!(40), &json!("edits")));
    assert!(shown["heardAt"].is_string() && shown.get("token").is_none(), "{shown}");

    let done = json!({"message": "Your report is there."});
    let (status, first) = report(&server, token, "1/complete", &done).await;
    assert_eq!((status, &first["state"]), (200, &json!("succeeded")));
    channel.wait_for(|ledger| ledger.shown("c1").ends_with(&["Job 1: 100 %", "Your report is there."])).await;
    // No answer came? The same again gets the same.
    assert_eq!(report(&server, token, "1/complete", &done).await, (200, first));
    for (path, body) in [
        ("1/complete", json!({})),
        ("1/fail", json!({"message": "Your report is there."})),
        ("1/progress", json!({"percent": 50})),
        ("1/heartbeat", json!({})),
    ] {
        let (status, problem) = report(&server, token, path, &body).await;
        assert_eq!(
            (status, &problem["type"]),
            (409, &json!("urn:proact:problem:job-already-complete")),
            "{path}"
        );
        assert_eq!(problem["state"], "succeeded");
    }
    assert_eq!(
        channel.ledger().texts("c1").iter().filter(|text| **text == "Your report is there.").count(),
        1
    );
}

#[tokio::test]
async fn no_token_but_its_own_is_a_jobs_and_all_refusals_look_the_same() {
    let (server, _channel, [one, two]) = with_workers().await;
    let mut problems = Vec::new();
    for (token, path) in [
        (two.token.as_str(), "1/progress"),
        (one.token.as_str(), "2/progress"),
        ("x", "1/progress"),
        (one.token.as_str(), "99/progress"),
        (one.token.as_str(), "one/progress"),
        (one.token.as_str(), "99999999999999999999/progress"),
    ] {
        let (status, problem) = report(&server, token, path, &json!({"percent": 1})).await;
        assert_eq!(status, 401, "{path}");
        problems.push(problem);
    }
    for header in ["", "Bearer", "Bearer ", "Basic eDp5", one.token.as_str()] {
        let request =
            client().post(format!("{}/v1/jobs/1/complete", server.url)).header("authorization", header);
        let (status, problem) = answer(request.json(&json!({}))).await;
        assert_eq!(status, 401, "{header}");
        problems.push(problem);
    }
    // Taking back is not a worker's.
    problems.push(report(&server, one.token.as_str(), "1/cancel", &json!({})).await.1);
    assert!(problems.iter().all(|problem| *problem == problems[0]), "{problems:#?}");
    assert_eq!(problems[0]["type"], "urn:proact:problem:job-token-not-valid");
    assert_eq!(server.get("/v1/jobs/1").await.1["state"], "running");
}

#[tokio::test]
async fn this_machine_fails_and_cancels_and_what_cannot_be_meant_is_named() {
    let (server, channel, _) = with_workers().await;
    for (path, body, field) in [
        ("1/progress", json!({}), "percent"),
        ("1/progress", json!({"percent": 101}), "percent"),
        ("1/progress", json!({"percent": 1.5}), "percent"),
        ("1/progress", json!({"percent": "1"}), "percent"),
        ("1/progress", json!({"text": "a\nb"}), "text"),
        ("1/progress", json!({"percentage": 1}), "percentage"),
        ("1/fail", json!({"reason": ""}), "reason"),
        ("1/fail", json!({"message": ""}), "message"),
        ("1/complete", json!({"message": 1}), "message"),
        ("1/heartbeat", json!({"alive": true}), "alive"),
    ] {
        let (status, problem) = server.post(&format!("/v1/jobs/{path}"), body.clone()).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{path} {body}: {problem}");
    }
    let (status, job) = server.post("/v1/jobs/1/fail", json!({"reason": "the disk is full"})).await;
    assert_eq!((status, &job["state"], &job["reason"]), (200, &json!("failed"), &json!("the disk is full")));
    let (status, job) = server.post("/v1/jobs/2/cancel", json!({})).await;
    assert_eq!((status, &job["state"]), (200, &json!("cancelled")));
    let told = ["Job 1 failed: the disk is full", "Job 2 was cancelled."];
    channel.wait_for(|ledger| ledger.texts("c1").ends_with(&told)).await;
    for verb in ["complete", "fail", "cancel", "progress", "heartbeat"] {
        let body = if verb == "progress" { json!({"percent": 1}) } else { json!({}) };
        assert_eq!(server.post(&format!("/v1/jobs/1/{verb}"), body.clone()).await.0, 409, "{verb}");
        let (status, problem) = server.post(&format!("/v1/jobs/9/{verb}"), body).await;
        assert_eq!((status, &problem["type"]), (404, &json!("urn:proact:problem:job-not-found")), "{verb}");
    }
}

#[tokio::test]
async fn the_built_in_channel_shows_one_message_and_changes_it() {
    let server = TestServer::start().await;
    let person = server.chat(Some("Eva")).await;
    person.say("run").await;
    person.hears("We're starting job 1 for you. We'll notify you when it's complete.").await;
    server.post("/v1/jobs/1/progress", json!({"percent": 10})).await;
    person.hears("Job 1: 10 %").await;
    server.post("/v1/jobs/1/progress", json!({"percent": 20})).await;
    person.hears("Job 1: 20 %").await;
    assert_eq!(server.get("/v1/jobs/1").await.1["progress"]["way"], "edits");
    server.post("/v1/jobs/1/complete", json!({})).await;
    person.hears("Job 1: 100 %").await;
    person.hears("Job 1 is complete.").await;
}

#[tokio::test]
async fn a_program_starts_a_job_and_its_worker_finishes_it_with_the_token_from_the_answer() {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "hello").await;
    let start = async |key: &str, body: &Value| {
        let request = client().post(format!("{}/v1/jobs", server.url)).header("idempotency-key", key);
        answer(request.json(body)).await
    };
    let asked = json!({
        "conversation": {"channelId": "test", "id": "c1"}, "kind": "report", "title": "Yearly report",
        "deadline": 3600, "heartbeat": 60.5, "queued": true,
    });
    let (status, first) = start("order-1", &asked).await;
    assert_eq!((status, &first["number"]), (201, &json!(1)));
    let (_, shown) = server.get("/v1/jobs/1").await;
    assert_eq!((&shown["state"], &shown["title"]), (&json!("queued"), &json!("Yearly report")));
    assert!(shown["deadline"].is_string(), "{shown}");
    // Its answer was lost: the same request finds the same job, and both tokens open it.
    let (status, again) = start("order-1", &asked).await;
    assert_eq!((status, &again["number"]), (201, &json!(1)));
    let mut other = asked.clone();
    other["title"] = "Another".into();
    let mut elsewhere = asked.clone();
    elsewhere["conversation"]["id"] = "c2".into();
    for differs in [other, elsewhere] {
        let (status, problem) = start("order-1", &differs).await;
        assert_eq!((status, &problem["type"]), (409, &json!("urn:proact:problem:idempotency-key-reused")));
    }
    for token in [&first["token"], &again["token"]] {
        assert_eq!(report(&server, token.as_str().unwrap(), "1/heartbeat", &json!({})).await.0, 200);
    }
    let token = first["token"].as_str().unwrap();
    assert_eq!(report(&server, token, "1/complete", &json!({"message": "There it is."})).await.0, 200);
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"There it is.")).await;
    let (_, jobs) = server.get("/v1/jobs").await;
    assert_eq!(jobs["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_job_that_cannot_be_meant_is_refused_with_the_members_name() {
    let server = TestServer::start().await;
    let asked = json!({"conversation": {"channelId": "test", "id": "c1"}, "kind": "report"});
    for (member, value) in [
        ("conversation", json!("c1")),
        ("kind", json!("")),
        ("kind", json!(null)),
        ("title", json!("a\nb")),
        ("deadline", json!(0)),
        ("deadline", json!(-1)),
        ("heartbeat", json!(1e300)),
        ("heartbeat", json!("60")),
        ("queued", json!("yes")),
        ("token", json!("mine")),
    ] {
        let mut wrong = asked.clone();
        wrong[member] = value.clone();
        let request = client().post(format!("{}/v1/jobs", server.url));
        let (status, problem) = answer(request.json(&wrong)).await;
        assert_eq!((status, &problem["field"]), (400, &json!(member)), "{value}: {problem}");
    }
    let (_, jobs) = server.get("/v1/jobs").await;
    assert_eq!(jobs["items"], json!([]));
}
