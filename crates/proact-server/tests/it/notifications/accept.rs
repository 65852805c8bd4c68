//! One notification at a time.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;

use super::{code, met, to};
use crate::support::{answer, client};

#[tokio::test]
async fn what_is_accepted_is_sent_and_its_story_told() {
    let (server, channel) = met().await;
    let request = client().post(format!("{}/v1/notifications", server.url));
    let mut body = to("c1", "The price dropped by 20 %.");
    body["priority"] = json!("urgent");
    body["policy"] = json!("at_most_once");
    body["collapseKey"] = json!("price");
    let response = request.json(&body).send().await.unwrap();
    assert_eq!(response.status(), 202);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let accepted: serde_json::Value = response.json().await.unwrap();
    let id = accepted["id"].as_str().unwrap();
    assert_eq!((location, accepted.as_object().unwrap().len()), (format!("/v1/notifications/{id}"), 1));
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"The price dropped by 20 %.")).await;
    let story = server.becomes(id, "delivered").await;
    assert_eq!(story["cause"], json!({ "type": "api" }));
    for (member, value) in [("priority", "urgent"), ("policy", "at_most_once"), ("collapseKey", "price")] {
        assert_eq!(story[member], value);
    }
    assert_eq!(
        (&story["mayHaveArrived"], &story["attempts"][0]["outcome"]),
        (&json!(false), &json!("delivered"))
    );
}

#[tokio::test]
async fn activities_and_templates_are_sent_too() {
    let (server, channel) = met().await;
    let card = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": { "n": 0.1, "type": "AdaptiveCard" } });
    server
        .send(json!({ "conversation": { "channelId": "test", "id": "c1" },
            "activity": { "type": "message", "text": "A card.", "attachments": [card], "x-unknown": [1, { "a": null }] } }))
        .await;
    let ledger = channel.wait_for(|ledger| ledger.texts("c1").contains(&"A card.")).await;
    let sent = ledger.of("c1").last().unwrap().post.activity().clone();
    assert_eq!((&sent["attachments"][0], &sent["x-unknown"]), (&card, &json!([1, { "a": null }])));

    server.parts().proactive.put_template("price", "{{ what }} costs {{ price }} now.").await.unwrap();
    let by = |data| json!({ "conversation": { "channelId": "test", "id": "c1" }, "template": { "name": "price", "data": data } });
    server.send(by(json!({ "what": "Tea", "price": 3 }))).await;
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Tea costs 3 now.")).await;
    let (status, problem) = server.post("/v1/notifications", by(json!({ "what": "Tea" }))).await;
    assert_eq!((status, code(&problem)), (400, "template-unusable"), "what it needs is not there");
}

#[tokio::test]
async fn to_whom_nobody_has_talked_it_is_accepted_and_suppressed() {
    let (server, channel) = met().await;
    let id = server.send(to("stranger", "Hello?")).await;
    let story = server.becomes(&id, "suppressed").await;
    assert!(story["reason"].as_str().unwrap().contains("no contact"), "{story}");
    assert_eq!(channel.ledger().texts("stranger").len(), 0);
}

#[tokio::test]
async fn a_hundred_at_once_under_one_key_are_one() {
    let (server, channel) = met().await;
    let body = to("c1", "Once.");
    let answers = join_all((0..100).map(|_| server.under_key("order-17", &body))).await;
    let first = answers[0].clone();
    assert_eq!(first.0, 202);
    assert!(answers.iter().all(|answer| *answer == first), "{answers:?}");
    server.becomes(first.1["id"].as_str().unwrap(), "delivered").await;
    assert_eq!(server.under_key("order-17", &body).await, first, "also when it is delivered");
    let (status, problem) = server.under_key("order-17", &to("c1", "Twice.")).await;
    assert_eq!((status, code(&problem)), (409, "idempotency-key-reused"));
    // A hundred that differ: one is accepted, the others are told.
    let bodies: Vec<_> = (0..100).map(|n| to("c1", &format!("Number {n}"))).collect();
    let answers = join_all(bodies.iter().map(|body| server.under_key("order-18", body))).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 202).count(), 1);
    assert_eq!(answers.iter().filter(|(status, _)| *status == 409).count(), 99);
    server.send(to("c1", "The end.")).await;
    let ledger = channel.wait_for(|ledger| ledger.texts("c1").contains(&"The end.")).await;
    let texts = ledger.texts("c1");
    assert_eq!(texts.iter().filter(|text| **text == "Once.").count(), 1);
    assert_eq!(texts.iter().filter(|text| text.starts_with("Number")).count(), 1);
    let ids: HashSet<_> = answers.iter().filter_map(|(_, answer)| answer["id"].as_str()).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_when_it_would_be_refused_by_now() {
    let (server, _channel) = met().await;
    server.parts().proactive.put_template("t", "Words.").await.unwrap();
    let by = json!({ "conversation": { "channelId": "test", "id": "c1" }, "template": { "name": "t" } });
    let first = server.under_key("a", &by).await;
    assert_eq!(first.0, 202);
    server.parts().proactive.remove_template("t").await.unwrap();
    assert_eq!(server.under_key("a", &by).await, first);
    let (status, problem) = server.under_key("b", &by).await;
    assert_eq!((status, &problem["field"]), (400, &json!("template.name")));
}

#[tokio::test]
async fn what_cannot_be_used_is_named_and_nothing_is_accepted() {
    let (server, _channel) = met().await;
    let with = |member: &str, value: serde_json::Value| {
        let mut body = to("c1", "Hello");
        body[member] = value;
        body
    };
    let without = |member: &str| {
        let mut body = to("c1", "Hello");
        body.as_object_mut().unwrap().remove(member);
        body
    };
    for (body, field) in [
        (without("conversation"), "conversation"),
        (with("conversation", json!("test/c1")), "conversation"),
        (with("conversation", json!({ "channelId": "test" })), "conversation.id"),
        (with("conversation", json!({ "channelId": "", "id": "c1" })), "conversation.channelId"),
        (with("conversation", json!({ "channelId": "test", "id": 1 })), "conversation.id"),
        (
            with("conversation", json!({ "channelId": "test", "id": "c1", "tenant": "t" })),
            "conversation.tenant",
        ),
        (without("text"), "text"),
        (with("text", json!(" ")), "text"),
        (with("text", json!(1)), "text"),
        (with("activity", json!({ "type": "message" })), "activity"),
        (with("template", json!({ "name": "t" })), "template"),
        (with("priority", json!("high")), "priority"),
        (with("policy", json!("exactly_once")), "policy"),
        (with("moment", json!("idle")), "moment"),
        (with("notBefore", json!("tomorrow")), "notBefore"),
        (with("notBefore", json!(1_700_000_000)), "notBefore"),
        (with("expiresAt", json!("2001-01-01T00:00:00Z")), "expiresAt"),
        (with("collapseKey", json!("")), "collapseKey"),
        (with("collapseKey", json!("x".repeat(256))), "collapseKey"),
        (with("cause", json!("bot")), "cause"),
        (with("idempotencyKey", json!("k")), "idempotencyKey"),
        (with("prioritiy", json!("bulk")), "prioritiy"),
    ] {
        let (status, problem) = server.post("/v1/notifications", body.clone()).await;
        assert_eq!((status, problem["field"].as_str()), (400, Some(field)), "{body}: {problem}");
    }
    let activity = |activity: serde_json::Value| json!({ "conversation": { "channelId": "test", "id": "c1" }, "activity": activity });
    for (body, field) in [
        (activity(json!("hello")), "activity"),
        (activity(json!({ "text": "no type" })), "activity.type"),
        (activity(json!({ "type": "message", "attachments": "none" })), "activity.attachments"),
        (activity(json!({ "type": "typing" })), "activity"),
        (activity(json!({ "type": "message", "text": "x".repeat(257 * 1024) })), "activity"),
    ] {
        let (status, problem) = server.post("/v1/notifications", body).await;
        assert_eq!((status, problem["field"].as_str()), (400, Some(field)), "{problem}");
    }
    for garbage in [
        "{",
        "[]",
        "null",
        "\"x\"",
        "\u{0}",
        "",
        "{}",
        r#"{"text":"a","text":"b","conversation":{"channelId":"test","id":"c1"}}"#,
        r#"{"text":"\ud800","conversation":{"channelId":"test","id":"c1"}}"#,
    ] {
        let request = client().post(format!("{}/v1/notifications", server.url));
        let request = request.header("content-type", "application/json").body(garbage);
        let (status, problem) = answer(request).await;
        assert_eq!(status, 400, "{garbage}: {problem}");
        assert!(!code(&problem).is_empty());
    }
    for key in ["", "\t", "caf\u{e9}"] {
        let (status, problem) = server.under_key(key, &to("c1", "Hello")).await;
        assert_eq!((status, problem["field"].as_str()), (400, Some("Idempotency-Key")), "{key:?}: {problem}");
    }
    let (_, list) = server.get("/v1/notifications").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 0, "{list}");
}
