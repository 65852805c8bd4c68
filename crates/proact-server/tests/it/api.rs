//! The HTTP API in the shape that stays: lists, pages, and an error for everything that cannot be used.

use std::collections::BTreeSet;

use axum::http::Method;
use proact::testkit::FakeChannel;
use serde_json::{Value, json};

use crate::support::{TestServer, client, eventually, say};

async fn with_jobs(count: usize) -> (TestServer, FakeChannel) {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    for _ in 0..count {
        say(&channel, &channel.user("c1"), "c1", &server.bot(), "run").await;
    }
    (server, channel)
}

fn numbers(list: &Value) -> Vec<u64> {
    list["items"].as_array().unwrap().iter().map(|job| job["number"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn jobs_are_paged_newest_first() {
    let (server, _channel) = with_jobs(5).await;
    let (_, first) = server.get("/v1/jobs?limit=2").await;
    assert_eq!(numbers(&first), [5, 4]);
    // What comes in between does not shift the pages.
    say(&_channel, &_channel.user("c1"), "c1", &server.bot(), "run").await;
    let (_, second) =
        server.get(&format!("/v1/jobs?limit=2&cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!(numbers(&second), [3, 2]);
    let (_, last) =
        server.get(&format!("/v1/jobs?limit=2&cursor={}", second["next"].as_str().unwrap())).await;
    assert_eq!((numbers(&last), &last["next"]), (vec![1], &Value::Null));

    let job = &last["items"][0];
    let keys: BTreeSet<_> = job.as_object().unwrap().keys().map(String::as_str).collect();
    let shape = ["completedAt", "conversation", "createdAt", "kind", "notificationId", "number", "state"];
    assert_eq!(keys, BTreeSet::from(shape));
    assert_eq!(job["conversation"], json!({ "channelId": "test", "id": "c1" }));
    assert_eq!((&job["kind"], &job["state"]), (&json!("job"), &json!("running")));
    assert!(job["createdAt"].as_str().unwrap().ends_with('Z'));

    server.post("/v1/jobs/3/complete", json!({})).await;
    assert_eq!(numbers(&server.get("/v1/jobs?completed=true").await.1), [3]);
    assert_eq!(numbers(&server.get("/v1/jobs?completed=false").await.1), [6, 5, 4, 2, 1]);
}

#[tokio::test]
async fn notifications_are_listed_without_and_shown_with_their_attempts() {
    let (server, channel) = with_jobs(2).await;
    for number in [1, 2] {
        server.post(&format!("/v1/jobs/{number}/complete"), json!({})).await;
    }
    channel.wait_for(|ledger| ledger.texts("c1").len() == 4).await;
    let path = "/v1/notifications?state=delivered&conversation=test%2Fc1";
    let list = eventually("both delivered", async || {
        let (_, list) = server.get(path).await;
        (list["items"].as_array().unwrap().len() == 2).then_some(list)
    })
    .await;
    let newest = &list["items"][0];
    assert_eq!(newest["text"], "Job 2 is complete.");
    assert!(newest.get("activity").is_none() && newest.get("attempts").is_none());
    for (path, count) in [
        ("/v1/notifications?limit=1", 1),
        ("/v1/notifications?state=waiting", 0),
        ("/v1/notifications?conversation=test/other", 0),
    ] {
        assert_eq!(server.get(path).await.1["items"].as_array().unwrap().len(), count, "{path}");
    }
    let (_, one) = server.get(&format!("/v1/notifications/{}", newest["id"].as_str().unwrap())).await;
    assert_eq!(
        (one["attempts"][0]["outcome"].as_str(), &one["attempts"][0]["error"]),
        (Some("delivered"), &json!(null))
    );
    assert_eq!(
        (&one["tries"], &one["policy"], &one["priority"]),
        (&json!(1), &json!("at_least_once"), &json!("normal"))
    );
}

#[tokio::test]
async fn what_cannot_be_used_is_a_problem_that_names_it() {
    let (server, _channel) = with_jobs(1).await;
    for (path, status, code, field) in [
        ("/v1/jobs?limit=0", 400, "invalid-parameter", "limit"),
        ("/v1/jobs?limit=1000", 400, "invalid-parameter", "limit"),
        ("/v1/jobs?cursor=%00", 400, "invalid-parameter", "cursor"),
        ("/v1/jobs?completed=1", 400, "invalid-parameter", "completed"),
        ("/v1/jobs?complete=true", 400, "invalid-parameter", "complete"),
        ("/v1/notifications?state=sent", 400, "invalid-parameter", "state"),
        ("/v1/notifications?conversation=c1", 400, "invalid-parameter", "conversation"),
        ("/v1/notifications?priority=high", 400, "invalid-parameter", "priority"),
        ("/v1/jobs/2", 404, "job-not-found", ""),
        ("/v1/jobs/one", 404, "job-not-found", ""),
        ("/v1/jobs/99999999999999999999", 404, "job-not-found", ""),
        ("/v1/jobs/-1", 404, "job-not-found", ""),
        ("/v1/jobs/%FF", 404, "job-not-found", ""),
        ("/v1/notifications/1", 404, "notification-not-found", ""),
        ("/v1/notifications/00000000-0000-0000-0000-000000000000", 404, "notification-not-found", ""),
        ("/v1", 404, "not-found", ""),
        ("/v1/jobs/1/", 404, "not-found", ""),
        ("/v2/jobs", 404, "not-found", ""),
        ("/../Cargo.toml", 404, "not-found", ""),
        ("/api", 404, "not-found", ""),
    ] {
        let (answered, problem) = server.get(path).await;
        assert_eq!(answered, status, "{path}: {problem}");
        assert_eq!(problem["type"], format!("urn:proact:problem:{code}"), "{path}");
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field, "{path}");
        assert_eq!(problem["status"], status, "{path}");
        for text in ["title", "detail"] {
            assert!(!problem[text].as_str().unwrap().is_empty(), "{path}");
        }
    }
    for (path, body, status, code) in [
        ("/v1/jobs/2/complete", json!({}), 404, "job-not-found"),
        ("/v1/jobs/one/complete", json!({}), 404, "job-not-found"),
        ("/v1/jobs/1/complete", json!([]), 400, "invalid-body"),
        ("/v1/jobs/1/complete", json!({ "result": 1 }), 400, "invalid-parameter"),
    ] {
        let (answered, problem) = server.post(path, body).await;
        assert_eq!(
            (answered, &problem["type"]),
            (status, &json!(format!("urn:proact:problem:{code}"))),
            "{path}"
        );
    }
}

/// Every route, and how its errors look.
const ROUTES: [(&str, bool); 13] = [
    ("/v1/jobs/1/complete", false),
    ("/v1/jobs", false),
    ("/v1/changes", false),
    ("/v1/notifications", false),
    ("/v1/notifications/batch", false),
    ("/v1/notifications/1/cancel", false),
    ("/v1/notifications/1/replay", false),
    ("/page/tokens", false),
    ("/healthz", false),
    ("/", false),
    ("/nowhere", false),
    ("/api/messages", true),
    ("/v3/directline/conversations", true),
];

#[tokio::test]
async fn garbage_gets_the_right_status_in_the_right_shape() {
    let server = TestServer::start().await;
    let large = "x".repeat(1024 * 1024 + 1);
    for (path, of_the_channel) in ROUTES {
        for (kind, body, expected) in [
            (None, "{}", 415),
            (Some("text/plain"), "{}", 415),
            (Some("application/x-www-form-urlencoded"), "a=b", 415),
            (Some("application/json"), large.as_str(), 413),
        ] {
            let mut request = client().post(format!("{}{path}", server.url)).body(body.to_owned());
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), expected, "{path} {kind:?}");
            shaped(response, of_the_channel, path).await;
        }
    }
    for path in ["/api/messages", "/page/tokens", "/v1/jobs/1/complete"] {
        for body in ["{", "[]", "null", "\u{0}", "\"x\"", "{\"a\":1}garbage"] {
            let request = client().post(format!("{}{path}", server.url)).header("origin", &server.url);
            let response = request
                .header("content-type", "application/json; charset=utf-8")
                .body(body)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 400, "{path} {body:?}");
            shaped(response, path == "/api/messages", path).await;
        }
    }
    assert_eq!(server.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn a_method_that_a_route_does_not_take_is_405() {
    let server = TestServer::start().await;
    for (path, of_the_channel) in ROUTES.into_iter().filter(|(path, _)| *path != "/nowhere") {
        let response =
            client().request(Method::DELETE, format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(response.status(), 405, "{path}");
        assert!(response.headers().contains_key("allow"), "{path}");
        if path != "/api/messages" {
            shaped(response, of_the_channel, path).await;
        }
    }
}

/// An error in the shape of the channel's protocol, or a problem.
async fn shaped(response: reqwest::Response, of_the_channel: bool, path: &str) {
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    if of_the_channel {
        assert!(kind.starts_with("application/json"), "{path}: {kind}");
        assert!(body["error"]["code"].is_string() && body["error"]["message"].is_string(), "{path}: {body}");
    } else {
        assert_eq!(kind, "application/problem+json", "{path}");
        assert_eq!(body["status"], status, "{path}");
    }
}

#[tokio::test]
async fn metrics_are_what_a_monitoring_system_reads() {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    let user = channel.user("c1");
    for _ in 0..2 {
        say(&channel, &user, "c1", &server.bot(), "run").await;
    }
    server.post("/v1/jobs/1/complete", json!({})).await;
    let url = format!("{}/metrics", server.url);
    let text = eventually("delivered", async || {
        let response = client().get(&url).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let text = response.text().await.unwrap();
        text.contains("proact_notifications{state=\"delivered\"} 1\n").then_some(text)
    })
    .await;
    let mut samples = std::collections::BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(samples.insert(name, value.parse::<f64>().unwrap()).is_none(), "{name} twice");
        // Each belongs to what is said to come.
        let family = name.split('{').next().unwrap();
        let of = |suffix| family.strip_suffix(suffix).unwrap_or(family);
        assert!(
            [family, of("_bucket"), of("_sum"), of("_count")]
                .iter()
                .any(|name| text.contains(&format!("# TYPE {name} "))),
            "{family}"
        );
    }
    assert_eq!(samples["proact_notifications{state=\"waiting\"}"], 0.0);
    assert_eq!((samples["proact_held"], samples["proact_notification_oldest_due_seconds"]), (0.0, 0.0));
    assert!(samples["proact_store_commands_total"] >= 3.0 && samples["proact_store_file_bytes"] > 0.0);
    assert_eq!(
        samples["proact_store_commit_seconds_bucket{le=\"+Inf\"}"],
        samples["proact_store_commit_seconds_count"]
    );
    let delivered = samples["proact_attempts_total{outcome=\"delivered\"}"];
    assert_eq!((delivered, samples["proact_notification_delivery_seconds_count"]), (1.0, 1.0));
    assert_eq!(samples["proact_store_commands_refused_total"], 0.0);
    server.stop().await;
}
