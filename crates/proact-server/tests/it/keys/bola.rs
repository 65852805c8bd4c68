//! Broken object level authorization: each route of the table in the documentation, with keys that must not open it, and with one that
//! reaches one conversation and must not see the other.

use std::collections::BTreeSet;

use proact::{keys::Verb, proactive::NotificationState};
use serde_json::{Value, json};

use super::{Two, ask, closed, key};
use crate::support::{TestServer, eventually};

const DOCUMENTED: &str = include_str!("../../../../../docs/http-api.md");

/// A route of the documentation: method, path, verb, what it is about.
fn routes() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    let table = DOCUMENTED.split("<!-- routes -->").nth(1).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let (method, path) = cells[1].split_once(' ').unwrap();
        (method, path, cells[2], cells[3])
    })
    .collect()
}

/// A request to this route about what is in `theirs`, which would do something if it were let through.
fn request(two: &Two, path: &str) -> (String, Value) {
    let number = two.theirs.report.to_string();
    let id = if path.ends_with("replay") { &two.theirs.told } else { &two.theirs.waiting };
    let filled = path
        .replace("{number}", &number)
        .replace("/v1/notifications/{id}", &format!("/v1/notifications/{id}"))
        .replace("{channel}/{conversation}", "test/theirs")
        .replace("{channel}", "test")
        .replace("{name}", "t")
        .replace("{id}", "0000000000000000");
    let to = json!({"conversation": {"channelId": "test", "id": "theirs"}, "text": "intruded"});
    let body = match path {
        "/v1/jobs" => json!({"conversation": {"channelId": "test", "id": "theirs"}, "kind": "report"}),
        "/v1/notifications" => to,
        "/v1/notifications/batch" => json!({"notifications": [to]}),
        _ if path.ends_with("progress") => json!({"percent": 1}),
        _ if path.ends_with("reschedule") => json!({"notBefore": "2090-01-01T00:00:00Z"}),
        "/v1/templates/{name}" => json!({"source": "intruded"}),
        "/v1/hold/release" => json!({"send": "none"}),
        "/v1/events" => {
            json!({"specversion": "1.0", "id": "1", "source": "/x", "type": "com.proact.job.completed",
                               "subject": number})
        }
        "/v1/keys" => json!({"name": "intruder", "verbs": ["read"]}),
        _ => json!({}),
    };
    (filled, body)
}

/// Everything that there is, as the operator sees it.
async fn everything(server: &TestServer) -> String {
    let engine = server.engine();
    let jobs =
        engine.jobs(proact::proactive::JobFilter { limit: 100, ..Default::default() }).await.unwrap().items;
    let filter = proact::proactive::NotificationFilter { limit: 100, ..Default::default() };
    let notifications = engine.notifications(filter).await.unwrap().items;
    let rest = (
        engine.pauses().await.unwrap(),
        engine.templates(None, 100).await.unwrap().items,
        engine.template("t").await.unwrap(),
        server.parts().keys.list().await.unwrap().len(),
    );
    format!("{} {} {rest:?}", json!(jobs), json!(notifications))
}

/// Waits until what was told is on record as told, which is after the channel has it: so nothing changes by itself.
async fn settled(server: &TestServer, two: &Two) {
    for told in [&two.mine.told, &two.theirs.told] {
        eventually("a delivery on record", async || {
            let found = server.engine().notification(told.parse().unwrap()).await.unwrap()?;
            (found.state == NotificationState::Delivered).then_some(())
        })
        .await;
    }
}

fn with_body<'b>(method: &str, body: &'b Value) -> Option<&'b Value> {
    (method != "GET" && method != "DELETE").then_some(body)
}

#[tokio::test]
async fn no_route_is_open_without_a_key_or_with_one_that_has_the_other_verbs() {
    let server = closed().await;
    let two = Two::of(&server).await;
    settled(&server, &two).await;
    let mut others = Vec::new();
    for verb in Verb::ALL {
        let rest: Vec<_> = Verb::ALL.iter().copied().filter(|one| one != verb).collect();
        others.push((verb.as_str(), key(&server, &rest, &[], &[]).await));
    }
    let all = key(&server, Verb::ALL, &[], &[]).await;
    let before = everything(&server).await;
    for (method, path, verb, _) in routes() {
        let (filled, body) = request(&two, path);
        let (status, problem) = ask(&server, None, method, &filled, with_body(method, &body)).await;
        assert_eq!(
            (status, &problem["type"]),
            (401, &json!("urn:proact:problem:key-required")),
            "{method} {path}"
        );
        let without = others.iter().find(|(one, _)| *one == verb).map_or(&all, |(_, key)| key);
        let (status, problem) = ask(&server, Some(without), method, &filled, with_body(method, &body)).await;
        assert_eq!(
            (status, &problem["type"]),
            (403, &json!("urn:proact:problem:not-permitted")),
            "{method} {path}: {problem}"
        );
    }
    assert_eq!(everything(&server).await, before, "something was done all the same");
    // The paths of the table under other methods open nothing either.
    let paths: BTreeSet<_> = routes().into_iter().map(|(_, path, ..)| path).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            if routes().iter().any(|(one, other, ..)| *one == method && *other == path) {
                continue;
            }
            let (filled, body) = request(&two, path);
            for key in [None, Some(all.as_str())] {
                let (status, _) = ask(&server, key, method, &filled, Some(&body)).await;
                assert!(matches!(status, 401 | 403 | 405), "{method} {path}: {status}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_key_of_one_conversation_does_nothing_to_the_other() {
    let server = closed().await;
    let two = Two::of(&server).await;
    settled(&server, &two).await;
    let verbs = [Verb::Read, Verb::Notify, Verb::Complete, Verb::Control];
    let limited = key(&server, &verbs, &[], &["test/mine"]).await;
    let before = everything(&server).await;
    for (method, path, _, about) in routes() {
        let (filled, body) = request(&two, path);
        if path == "/v1/changes" {
            continue;
        }
        let (status, answer) = ask(&server, Some(&limited), method, &filled, with_body(method, &body)).await;
        let text = answer.to_string();
        assert!(!text.contains("theirs"), "{method} {path}: {text}");
        assert!(
            !text.contains(&two.theirs.waiting) || filled.contains(&two.theirs.waiting),
            "{method} {path}: {text}"
        );
        match (about, path) {
            ("everything", _) => assert_eq!(status, 403, "{method} {path}: {text}"),
            // Lists leave it out, and a batch refuses it item by item.
            (_, "/v1/jobs" | "/v1/notifications" | "/v1/conversations" | "/v1/pauses") if method == "GET" => {
                assert_eq!(status, 200, "{method} {path}")
            }
            (_, "/v1/notifications/batch") => {
                assert_eq!((status, &answer["results"][0]["status"]), (200, &json!(403)), "{text}");
            }
            (_, "/v1/jobs" | "/v1/notifications") => assert_eq!(status, 403, "{text}"),
            _ if path.starts_with("/v1/pauses/") => assert_eq!(status, 403, "{method} {path}: {text}"),
            _ => assert_eq!(status, 404, "{method} {path}: {text}"),
        }
    }
    assert_eq!(everything(&server).await, before, "something was done all the same");
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_reached_and_what_is_not_there_are_one_answer() {
    let server = closed().await;
    let two = Two::of(&server).await;
    let verbs = [Verb::Read, Verb::Complete, Verb::Control];
    let limited = key(&server, &verbs, &[], &["test/mine"]).await;
    let nowhere = uuid::Uuid::now_v7().to_string();
    for (method, path, there, not_there) in [
        ("GET", "/v1/jobs/{}", two.theirs.report.to_string(), "999".to_owned()),
        ("POST", "/v1/jobs/{}/complete", two.theirs.report.to_string(), "999".to_owned()),
        ("POST", "/v1/jobs/{}/cancel", two.theirs.report.to_string(), "999".to_owned()),
        ("GET", "/v1/notifications/{}", two.theirs.told.clone(), nowhere.clone()),
        ("POST", "/v1/notifications/{}/cancel", two.theirs.waiting.clone(), nowhere.clone()),
        ("GET", "/v1/conversations/test/{}", "theirs".to_owned(), "elsewhere".to_owned()),
    ] {
        let asked = async |name: &str| {
            let body = json!({});
            let (status, answer) =
                ask(&server, Some(&limited), method, &path.replace("{}", name), with_body(method, &body))
                    .await;
            let detail = answer["detail"].as_str().unwrap_or_default().replace(name, "…");
            (status, answer["type"].clone(), detail)
        };
        let (one, other) = (asked(&there).await, asked(&not_there).await);
        assert_eq!(one, other, "{path}");
        assert_eq!(one.0, 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_key_of_one_conversation_does_there_what_its_verbs_say() {
    let server = closed().await;
    let two = Two::of(&server).await;
    settled(&server, &two).await;
    let verbs = [Verb::Read, Verb::Notify, Verb::Complete, Verb::Control];
    let limited = key(&server, &verbs, &[], &["test/mine"]).await;
    let (report, secret, waiting) = (two.mine.report, two.mine.secret, &two.mine.waiting);
    let to = json!({"conversation": {"channelId": "test", "id": "mine"}, "text": "heard"});
    let (mine, other) =
        (to.clone(), json!({"conversation": {"channelId": "test", "id": "theirs"}, "text": "intruded"}));
    for (method, path, body, expected) in [
        ("GET", format!("/v1/jobs/{report}"), json!({}), 200),
        ("POST", format!("/v1/jobs/{report}/progress"), json!({"percent": 5}), 200),
        ("POST", format!("/v1/jobs/{report}/heartbeat"), json!({}), 200),
        ("POST", format!("/v1/jobs/{report}/complete"), json!({}), 200),
        ("POST", format!("/v1/jobs/{secret}/cancel"), json!({}), 200),
        ("GET", format!("/v1/notifications/{waiting}"), json!({}), 200),
        (
            "POST",
            format!("/v1/notifications/{waiting}/reschedule"),
            json!({"notBefore": "2090-01-01T00:00:00Z"}),
            200,
        ),
        ("POST", format!("/v1/notifications/{waiting}/cancel"), json!({}), 200),
        ("POST", "/v1/notifications".to_owned(), to, 202),
        ("PUT", "/v1/pauses/conversation/test/mine".to_owned(), json!({}), 200),
        ("DELETE", "/v1/pauses/conversation/test/mine".to_owned(), json!({}), 204),
        ("GET", "/v1/conversations/test/mine".to_owned(), json!({}), 200),
    ] {
        let (status, answer) = ask(&server, Some(&limited), method, &path, with_body(method, &body)).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    let batch = json!({"notifications": [mine, other]});
    let (_, answer) = ask(&server, Some(&limited), "POST", "/v1/notifications/batch", Some(&batch)).await;
    let statuses: Vec<_> = answer["results"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [&json!(202), &json!(403)], "{answer}");
    for (path, count) in [("/v1/jobs", 3), ("/v1/notifications", 6), ("/v1/conversations", 1)] {
        let (_, list) = ask(&server, Some(&limited), "GET", path, None).await;
        let items = list["items"].as_array().unwrap();
        assert!(
            items.len() >= count && items.iter().all(|item| item["conversation"]["id"] == "mine"),
            "{path}: {list}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_key_of_one_kind_reaches_its_jobs_and_what_tells_of_them() {
    let server = closed().await;
    let two = Two::of(&server).await;
    settled(&server, &two).await;
    let limited = key(&server, &[Verb::Read, Verb::Complete, Verb::Control], &["report"], &[]).await;
    let (_, list) = ask(&server, Some(&limited), "GET", "/v1/jobs", None).await;
    let kinds: Vec<_> = list["items"].as_array().unwrap().iter().map(|job| &job["kind"]).collect();
    assert_eq!(kinds, ["report", "report"]);
    let (_, list) = ask(&server, Some(&limited), "GET", "/v1/notifications", None).await;
    assert_eq!(list["items"], json!([]), "what was told so far is of another kind, or of no job");
    for (path, expected) in [
        (format!("/v1/jobs/{}/complete", two.theirs.secret), 404),
        (format!("/v1/jobs/{}/complete", two.theirs.report), 200),
        (format!("/v1/notifications/{}/cancel", two.theirs.waiting), 404),
        (format!("/v1/notifications/{}/replay", two.theirs.told), 404),
    ] {
        assert_eq!(ask(&server, Some(&limited), "POST", &path, Some(&json!({}))).await.0, expected, "{path}");
    }
    let (_, list) = ask(&server, Some(&limited), "GET", "/v1/notifications", None).await;
    assert_eq!(list["items"][0]["cause"]["job"], two.theirs.report, "{list}");
    for path in ["/v1/conversations", "/v1/pauses", "/v1/conversations/test/mine", "/v1/status", "/metrics"] {
        assert_eq!(ask(&server, Some(&limited), "GET", path, None).await.0, 403, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_page_within_a_reach_leads_to_the_next() {
    let server = closed().await;
    Two::of(&server).await;
    let limited = key(&server, &[Verb::Read], &[], &["test/mine", "other/*"]).await;
    // Of pauses: those of which it reaches all that they hold back.
    let all = proact::proactive::PauseScope::All;
    let channel = |id: &str| proact::proactive::PauseScope::Channel { channel_id: id.to_owned() };
    let one = |channel: &str, id: &str| {
        proact::proactive::PauseScope::conversation(
            &proact::activity::ConversationKey::new(channel, id).unwrap(),
        )
    };
    for scope in [
        all,
        channel("test"),
        one("test", "theirs"),
        one("test", "mine"),
        channel("other"),
        one("other", "x"),
    ] {
        server.engine().pause(scope, None).await.unwrap();
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/pauses?limit=1".to_owned());
    loop {
        let (_, page) = ask(&server, Some(&limited), "GET", &path, None).await;
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/pauses?limit=1&cursor={next}");
    }
    assert_eq!(seen.len(), 3);
    // Those of one millisecond stand in the order of their names.
    let seen: BTreeSet<_> = seen
        .iter()
        .map(|pause| pause["channelId"].as_str().or(pause["conversation"]["id"].as_str()).unwrap())
        .collect();
    assert_eq!(seen, BTreeSet::from(["mine", "other", "x"]));
    for list in ["jobs", "notifications"] {
        let (mut seen, mut path) = (Vec::new(), format!("/v1/{list}?limit=1"));
        loop {
            let (_, page) = ask(&server, Some(&limited), "GET", &path, None).await;
            seen.extend(
                page["items"].as_array().unwrap().iter().map(|item| item["conversation"]["id"].clone()),
            );
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/{list}?limit=1&cursor={next}");
        }
        let all = if list == "jobs" { 3 } else { 2 };
        assert_eq!(seen, vec![json!("mine"); all], "{list}");
    }
    server.stop().await;
}
