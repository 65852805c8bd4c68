//! The OpenAPI document is true: it has the server's routes and no others, and each of its answers is one that the server gives.
//!
//! That no answer has another form is looked at with every request of all these tests (`support/contract.rs`).

use std::{collections::BTreeSet, fs, path::Path};

use proact::{
    keys::Verb,
    proactive::{NewNotification, NotificationState},
    testkit::{ChannelAnswer, FakeChannel},
};
use serde_json::{Value, json};

use crate::{
    keys::{closed, key},
    support::{
        TestServer, client,
        contract::{self, Asked, DOCUMENT},
        eventually, say,
    },
};

/// Every operation of the document: method, path, and what it answers itself.
fn operations() -> Vec<(String, String, Vec<String>)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| {
            let answers = operation["responses"].as_object().unwrap().keys();
            (method.clone(), path.clone(), answers.filter(|one| !one.ends_with('X')).cloned().collect())
        })
    });
    operations.collect()
}

/// The routes in the sources of one folder.
fn routes_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes_in(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for rest in text.split(".route(\"").skip(1) {
                let (route, rest) = rest.split_once('"').unwrap();
                let mut depth = 1;
                let end = rest.find(|c| {
                    depth += match c {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                    depth == 0
                });
                let methods = &rest[..end.unwrap()];
                for method in ["get", "post", "put", "delete", "patch", "any"] {
                    let named = |before: char| methods.contains(&format!("{before}{method}("));
                    if named(' ') || named('.') {
                        found.insert(format!("{method} {route}"));
                    }
                }
            }
        }
    }
}

#[test]
fn it_has_the_routes_of_the_router_and_no_others() {
    let mut routes = BTreeSet::new();
    routes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut routes);
    let ours: BTreeSet<_> =
        routes.into_iter().filter(|one| one.contains(" /v1/") || one.ends_with(" /metrics")).collect();
    let documented: BTreeSet<_> =
        operations().into_iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    assert!(ours.len() > 30, "{ours:?}");
    assert_eq!(documented, ours);
}

#[test]
fn it_names_the_problems_that_the_documentation_names() {
    let table =
        include_str!("../../../../docs/http-api.md").split("| code | status | when |").nth(1).unwrap();
    let rows = table.split("\n\n").next().unwrap().lines().skip(2);
    let codes = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|code| format!("urn:proact:problem:{}", code.trim().trim_matches('`')));
    let named = DOCUMENT.pointer("/components/schemas/Problem/properties/type/enum").unwrap();
    let named = named.as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
    assert_eq!(named.collect::<BTreeSet<_>>(), codes.collect());
}

/// Who asks everything, and remembers what was answered.
struct Walk {
    server: TestServer,
    operator: String,
    seen: BTreeSet<String>,
}

impl Walk {
    async fn ask(&mut self, key: Option<&str>, method: &str, path: &str, body: Option<Value>) -> Value {
        let kind =
            if path.starts_with("/v1/events") { "application/cloudevents+json" } else { "application/json" };
        self.ask_with(key, method, path, body.map(|body| (kind, body)), &[]).await
    }

    async fn ask_with(
        &mut self,
        key: Option<&str>,
        method: &str,
        path: &str,
        body: Option<(&str, Value)>,
        headers: &[(&str, &str)],
    ) -> Value {
        let method = method.to_uppercase().parse().unwrap();
        let mut request = client().request(method, format!("{}{path}", self.server.url));
        request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body.to_string());
        }
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let asked = Asked::of(&request);
        let response = client.execute(request).await.unwrap();
        let (status, kind) = (response.status().as_u16(), contract::kind(response.headers()));
        // A stream does not end.
        let body = match kind.as_deref() {
            Some("text/event-stream") => Vec::new(),
            _ => response.bytes().await.unwrap().to_vec(),
        };
        self.seen.extend(asked.was_answered(status, kind.as_deref(), &body));
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// As who may do everything.
    async fn go(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        let operator = self.operator.clone();
        self.ask(Some(&operator), method, path, body).await
    }
}

fn told(id: &str, job: u64) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/x", "type": "com.proact.job.progress", "subject": job.to_string(),
           "data": {"percent": 5}})
}

#[tokio::test]
async fn every_answer_that_it_names_is_given() {
    let (server, channel) = (closed().await, FakeChannel::start());
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "show").await;
    let (reads, notifies) =
        (key(&server, &[Verb::Read], &[], &[]).await, key(&server, &[Verb::Notify], &[], &[]).await);
    let operator = server.local_key();
    let mut walk = Walk { server, operator: operator.clone(), seen: BTreeSet::new() };

    // Everywhere: nobody, somebody who may not, a parameter that there is not, and something that is not there.
    for (method, path, answers) in operations() {
        let mut filled = path.clone();
        for (part, value) in [
            ("{number}", "99"),
            ("{channel}", "no"),
            ("{conversation}", "no"),
            ("{name}", "no"),
            ("{id}", "no"),
        ] {
            filled = filled.replace(part, value);
        }
        let body = (method == "post" || method == "put").then(|| match &*path {
            _ if path.ends_with("/progress") => json!({"percent": 1}),
            _ if path.ends_with("/reschedule") => json!({"notBefore": "2090-01-01T00:00:00Z"}),
            "/v1/events" => told("none", 99),
            "/v1/hold/release" => json!({"send": "none"}),
            _ => json!({}),
        });
        let other = if method == "get" { &notifies } else { &reads };
        for who in [None, Some(&**other)] {
            walk.ask(who, &method, &filled, body.clone()).await;
        }
        let misspelt = walk.go(&method, &format!("{filled}?lmit=1"), body.clone()).await;
        assert_eq!(misspelt["field"], "lmit", "{method} {path}: {misspelt}");
        if answers.iter().any(|answer| answer == "404") {
            walk.go(&method, &filled, body).await;
        }
    }

    let c1 = json!({"channelId": "test", "id": "c1"});
    // Jobs: to each of the ends, and what comes after it.
    for (n, end) in [(1, "complete"), (2, "fail"), (3, "cancel")] {
        let new = json!({"conversation": c1, "kind": "report", "title": "The report", "deadline": 3600, "heartbeat": 60.5});
        let started = walk.go("post", "/v1/jobs", Some(new)).await;
        assert_eq!(started["number"], n);
        let token = started["token"].as_str().unwrap().to_owned();
        walk.go("post", &format!("/v1/jobs/{n}/progress"), Some(json!({"percent": 40, "text": "reading"})))
            .await;
        walk.ask(Some(&token), "post", &format!("/v1/jobs/{n}/progress"), Some(json!({"percent": 50}))).await;
        walk.go("post", &format!("/v1/jobs/{n}/heartbeat"), None).await;
        for _ in 0..2 {
            let message = json!({"message": "Your report is there."});
            walk.go("post", &format!("/v1/jobs/{n}/{end}"), Some(message)).await;
        }
        for (after, body) in [
            ("complete", json!({})),
            ("fail", json!({"reason": "full"})),
            ("cancel", json!({})),
            ("heartbeat", json!({})),
            ("progress", json!({"percent": 60})),
        ] {
            walk.go("post", &format!("/v1/jobs/{n}/{after}"), Some(body)).await;
        }
        walk.go("get", &format!("/v1/jobs/{n}"), None).await;
    }
    walk.go("get", "/v1/jobs?limit=2&completed=true", None).await;

    // Under one key, another request.
    for path in ["/v1/jobs", "/v1/notifications"] {
        for n in ["1", "2"] {
            let body = match path {
                "/v1/jobs" => json!({"conversation": c1, "kind": n}),
                _ => json!({"conversation": c1, "text": n}),
            };
            let (kind, key) = ("application/json", [("idempotency-key", "k")]);
            walk.ask_with(Some(&operator), "post", path, Some((kind, body)), &key).await;
        }
    }

    // Notifications: one that is delivered, one that failed, one that waits; whatever has a form of its own.
    walk.go("put", "/v1/templates/t", Some(json!({"source": "{{ what }} is cheaper."}))).await;
    let from_template = json!({"conversation": c1, "template": {"name": "t", "data": {"what": "Tea"}}, "collapseKey": "price"});
    let delivered = walk.go("post", "/v1/notifications", Some(from_template)).await;
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Tea is cheaper.")).await;
    channel.answer_with(|post| (post.text() == "Refused.").then(|| ChannelAnswer::status(400)));
    let engine = walk.server.engine().clone();
    let place = proact::activity::ConversationKey::new("test", "c1").unwrap();
    let failed = engine.notify(NewNotification::new(place, "Refused.")).await.unwrap().id;
    eventually("a refusal", async || {
        let found = engine.notification(failed).await.unwrap()?;
        (found.state == NotificationState::Failed).then_some(())
    })
    .await;
    let later = json!({"conversation": c1, "text": "Later.", "notBefore": "2090-01-01T00:00:00Z", "expiresAt": "2090-01-02T00:00:00Z",
                       "priority": "bulk", "policy": "at_most_once", "moment": "interject", "cause": "command_line"});
    let waits = walk.go("post", "/v1/notifications", Some(later)).await;
    let stranger = json!({"conversation": {"channelId": "test", "id": "nobody"}, "activity": {"type": "message", "text": "x"}});
    let suppressed = walk.go("post", "/v1/notifications", Some(stranger.clone())).await;
    let (delivered, waits) = (delivered["id"].as_str().unwrap(), waits["id"].as_str().unwrap());
    let failed = failed.to_string();
    eventually("its outcome", async || {
        let found = engine.notification(delivered.parse().unwrap()).await.unwrap()?;
        (found.state == NotificationState::Delivered).then_some(())
    })
    .await;
    for id in [delivered, &failed, waits, suppressed["id"].as_str().unwrap()] {
        walk.go("get", &format!("/v1/notifications/{id}"), None).await;
    }
    for (method, scope) in [("put", "all"), ("put", "channel/test"), ("put", "conversation/test/c1")] {
        walk.go(method, &format!("/v1/pauses/{scope}"), Some(json!({"reason": "the night"}))).await;
        walk.go("get", &format!("/v1/notifications/{waits}"), None).await;
        walk.go("get", "/v1/conversations/test/c1", None).await;
        walk.go("get", "/v1/pauses?limit=1", None).await;
        walk.go("get", "/v1/status", None).await;
        walk.go("delete", &format!("/v1/pauses/{scope}"), None).await;
    }
    let to = json!({"notBefore": "2091-01-01T00:00:00Z"});
    walk.go("post", &format!("/v1/notifications/{delivered}/replay"), Some(json!({}))).await;
    walk.go("post", &format!("/v1/notifications/{delivered}/cancel"), None).await;
    walk.go("post", &format!("/v1/notifications/{delivered}/reschedule"), Some(to)).await;
    walk.go("post", &format!("/v1/notifications/{failed}/replay"), None).await;
    let sooner = json!({"notBefore": "2090-01-01T12:00:00Z"});
    walk.go("post", &format!("/v1/notifications/{waits}/reschedule"), Some(sooner)).await;
    walk.go("post", &format!("/v1/notifications/{waits}/cancel"), None).await;
    let batch = json!({"notifications": [stranger, {"text": "to whom?"}, 17]});
    walk.go("post", "/v1/notifications/batch", Some(batch)).await;
    for list in [
        "notifications?state=failed&conversation=test%2Fc1&priority=normal",
        "conversations?limit=1",
        "templates",
        "hold?limit=0",
    ] {
        walk.go("get", &format!("/v1/{list}"), None).await;
    }
    walk.go("get", "/v1/templates/t", None).await;
    walk.go("delete", "/v1/templates/t", None).await;

    // Events: one, the same with another content, and several at once.
    walk.go("post", "/v1/events", Some(told("1", 4))).await;
    let mut other = told("1", 4);
    other["data"]["percent"] = 6.into();
    walk.go("post", "/v1/events", Some(other)).await;
    let batch = json!([told("2", 4), told("3", 99), {"specversion": "2.0"}]);
    walk.ask_with(
        Some(&operator),
        "post",
        "/v1/events",
        Some(("application/cloudevents-batch+json", batch)),
        &[],
    )
    .await;

    // The rest.
    walk.go("post", "/v1/hold/release", Some(json!({"send": "none"}))).await;
    let new = json!({"name": "ci", "verbs": ["complete"], "kinds": ["report"], "conversations": ["test/*"], "expiresAt": "2090-01-01T00:00:00Z"});
    let made = walk.go("post", "/v1/keys", Some(new)).await;
    walk.go("get", "/v1/keys?limit=2", None).await;
    walk.go("delete", &format!("/v1/keys/{}", made["id"].as_str().unwrap()), None).await;
    walk.go("get", "/metrics", None).await;
    walk.go("get", "/v1/changes", None).await;
    assert_eq!(walk.ask(None, "get", "/v1/openapi.json", None).await, *DOCUMENT, "it is open to everybody");

    let mut missing: BTreeSet<_> = operations()
        .into_iter()
        .flat_map(|(method, path, answers)| {
            answers.into_iter().map(move |answer| format!("{method} {path} {answer}"))
        })
        // More than can be taken on takes more than a test can give (`overload.rs`).
        .filter(|answer| !answer.ends_with(" 429"))
        .collect();
    // What is released was restored before (`restore.rs`).
    missing.remove("post /v1/hold/release 200");
    missing.retain(|answer| !walk.seen.contains(answer));
    assert_eq!(missing, BTreeSet::new(), "nobody has seen these");
    walk.server.stop().await;
}
