//! Conversations, templates, and how things are.

use std::collections::BTreeSet;

use proact::testkit::Fault;
use serde_json::json;

use super::{code, met, to};
use crate::support::{eventually, say};

#[tokio::test]
async fn conversations_are_paged_and_shown_with_what_waits() {
    let (server, channel) = met().await;
    for n in 2..=7 {
        let id = format!("c{n}");
        say(&channel, &channel.user(&id), &id, &server.bot(), "show").await;
    }
    let (mut met, mut cursor, mut pages) = (BTreeSet::new(), String::new(), 0);
    loop {
        let (status, page) = server.get(&format!("/v1/conversations?limit=3{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        for item in page["items"].as_array().unwrap() {
            assert!(met.insert(item["conversation"]["id"].as_str().unwrap().to_owned()), "twice: {item}");
        }
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((met.len(), pages), (7, 3));
    server.put("/v1/pauses/channel/test", json!({})).await;
    server.send(to("c1", "Waits.")).await;
    let (_, shown) = server.get("/v1/conversations/test/c1").await;
    assert_eq!((&shown["waiting"], &shown["dead"]), (&json!(1), &json!(null)));
    assert_eq!(shown["paused"], json!({ "scope": "channel", "channelId": "test" }));
    assert_eq!(shown["reference"]["serviceUrl"], json!(channel.service_url()));
    assert_eq!(shown["reference"]["user"]["id"].as_str().map(str::is_empty), Some(false));
    for path in ["/v1/conversations/test/none", "/v1/conversations/test/%FF"] {
        let (status, problem) = server.get(path).await;
        assert_eq!((status, code(&problem)), (404, "conversation-not-found"), "{path}");
    }
    assert_eq!(server.get("/v1/conversations?cursor=b7").await.0, 400);
}

#[tokio::test]
async fn one_that_cannot_be_written_to_says_what_the_channel_said() {
    let (server, channel) = met().await;
    channel.script("c1", [Fault::Status(404)]);
    let id = server.send(to("c1", "Gone.")).await;
    server.becomes(&id, "failed").await;
    let (_, shown) = server.get("/v1/conversations/test/c1").await;
    assert!(shown["dead"]["reason"].as_str().unwrap().contains("404"), "{shown}");
    let next = server.send(to("c1", "Gone too.")).await;
    server.becomes(&next, "suppressed").await;
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "show").await;
    assert_eq!(
        server.get("/v1/conversations/test/c1").await.1["dead"],
        json!(null),
        "somebody is there again"
    );
}

#[tokio::test]
async fn templates_are_checked_when_they_are_stored() {
    let (server, _channel) = met().await;
    let path = "/v1/templates/price-drop";
    let (status, stored) = server.put(path, json!({ "source": "{{ what }} is cheaper." })).await;
    assert_eq!(
        (status, &stored["name"], &stored["source"]),
        (200, &json!("price-drop"), &json!("{{ what }} is cheaper."))
    );
    assert_eq!(server.get(path).await, (200, stored.clone()));
    let item = json!({ "name": "price-drop", "updatedAt": stored["updatedAt"] });
    assert_eq!(server.get("/v1/templates").await, (200, json!({ "items": [item], "next": null })));
    for (path, body, wrong, field) in [
        (path, json!({ "source": "{{ what" }), "template-unusable", ""),
        (path, json!({ "source": "x".repeat(65 * 1024) }), "invalid-parameter", "source"),
        (path, json!({}), "invalid-parameter", "source"),
        (path, json!({ "source": 1 }), "invalid-parameter", "source"),
        (path, json!({ "source": "x", "engine": "y" }), "invalid-parameter", "engine"),
        ("/v1/templates/a%20b", json!({ "source": "x" }), "invalid-parameter", "name"),
    ] {
        let (status, problem) = server.put(path, body).await;
        assert_eq!((status, code(&problem)), (400, wrong), "{problem}");
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field);
    }
    assert_eq!(server.get(path).await.1, stored, "nothing of that was stored");
    assert_eq!(server.delete(path).await.0, 204);
    for (status, problem) in [server.delete(path).await, server.get(path).await] {
        assert_eq!((status, code(&problem)), (404, "template-not-found"));
    }
}

#[tokio::test]
async fn templates_are_paged_by_name() {
    let (server, _channel) = met().await;
    for name in ["d", "b.2", "a", "B", "b-1"] {
        server.put(&format!("/v1/templates/{name}"), json!({ "source": "x" })).await;
    }
    let (mut names, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let (status, page) = server.get(&format!("/v1/templates?limit=2{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        names.extend(
            page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // A cursor stays good when what it names is gone.
        assert_eq!(server.delete(&format!("/v1/templates/{}", names.last().unwrap())).await.0, 204);
    }
    assert_eq!((names.join(" ").as_str(), pages), ("B a b-1 b.2 d", 3));
    let (_, exact) = server.get("/v1/templates?limit=3").await;
    assert_eq!((exact["items"].as_array().unwrap().len(), &exact["next"]), (3, &json!(null)));
    let of_another_list = "cursor=WzEsImEiXQ";
    for (wrong, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=b7", "cursor"),
        (of_another_list, "cursor"),
        ("name=a", "name"),
    ] {
        let (status, problem) = server.get(&format!("/v1/templates?{wrong}")).await;
        assert_eq!((status, code(&problem)), (400, "invalid-parameter"), "{wrong}");
        assert_eq!(problem["field"], field, "{wrong}");
    }
}

#[tokio::test]
async fn the_status_and_readiness_say_what_keeps_messages_waiting() {
    let (server, channel) = met().await;
    assert_eq!(server.get("/readyz").await, (200, json!({ "status": "ready" })));
    let (_, status) = server.get("/v1/status").await;
    assert_eq!(
        (&status["notifications"]["waiting"], &status["paused"], &status["oldestDue"]),
        (&json!(0), &json!(0), &json!(null))
    );

    channel.down().await;
    let id = server.send(to("c1", "Nobody is there.")).await;
    let status = eventually("the breaker opens", async || {
        let (_, status) = server.get("/v1/status").await;
        (status["breakers"].as_array().is_some_and(|open| open.len() == 1)
            && status["notifications"]["waiting"] == 1)
            .then_some(status)
    })
    .await;
    let host = channel.service_url().trim_end_matches('/').to_owned();
    assert_eq!(status["breakers"][0]["host"], json!(host));
    assert!(status["oldestWaiting"].is_string() && status["heldSince"].is_null(), "{status}");
    let story = server.notification(&id).await;
    assert!(story["gates"].as_array().unwrap().iter().any(|gate| gate["gate"] == "breaker"), "{story}");
    assert_eq!(story["attempts"][0]["outcome"], "not_sent", "a host that is down uses no tries");

    server.put("/v1/pauses/all", json!({ "reason": "the night" })).await;
    let (ready, said) = server.get("/readyz").await;
    assert_eq!((ready, &said["status"]), (200, &json!("ready")), "it takes work all the same: {said}");
    let reasons: Vec<_> = said["reasons"].as_array().unwrap().iter().filter_map(|one| one.as_str()).collect();
    assert!(reasons.len() == 2 && reasons[0].starts_with(&host), "{reasons:?}");
    assert!(
        reasons[1].starts_with("everything is paused") && reasons[1].ends_with("the night"),
        "{reasons:?}"
    );
    channel.up();
    server.delete("/v1/pauses/all").await;
    server.becomes(&id, "delivered").await;
    eventually("all is well", async || {
        (server.get("/readyz").await.1 == json!({ "status": "ready" })).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_class_is_listed_page_by_page_however_rare_it_is() {
    let (server, _channel) = met().await;
    let one = |priority: &str, text: &str| {
        json!({ "conversation": { "channelId": "test", "id": "c1" }, "text": text, "priority": priority,
            "notBefore": "2100-01-01T00:00:00Z" })
    };
    for text in ["First.", "Second.", "Third."] {
        server.send(one("urgent", text)).await;
    }
    for _ in 0..11 {
        let batch: Vec<_> = (0..1000).map(|_| one("bulk", "Many.")).collect();
        let (status, answer) =
            server.post("/v1/notifications/batch", json!({ "notifications": batch })).await;
        assert_eq!(status, 200, "{answer}");
    }
    let (_, page) = server.get("/v1/notifications?priority=bulk&limit=2&state=waiting").await;
    assert_eq!((page["items"].as_array().unwrap().len(), page["next"].is_string()), (2, true));

    let (mut found, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let path =
            format!("/v1/notifications?priority=urgent&conversation=test%2Fc1&state=waiting&limit=2{cursor}");
        let (status, page) = server.get(&path).await;
        assert_eq!(status, 200, "{page}");
        pages += 1;
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["priority"] == "urgent"), "{page}");
        found.extend(items.iter().map(|item| item["text"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(
        (found.join(" ").as_str(), pages),
        ("Third. Second. First.", 3),
        "an empty page leads on, too"
    );
}
