//! Many in one request.

use serde_json::{Value, json};

use super::{code, met, to};
use crate::support::say;

fn results(answer: &Value) -> &Vec<Value> {
    answer["results"].as_array().unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn a_thousand_go_in_their_order() {
    let (server, channel) = met().await;
    let lanes: Vec<_> = (0..10).map(|n| format!("lane{n}")).collect();
    for lane in &lanes {
        say(&channel, &channel.user(lane), lane, &server.bot(), "show").await;
    }
    let items: Vec<_> = (0..1000).map(|n| to(&lanes[n % 10], &format!("#{n}"))).collect();
    let (status, answer) = server.post("/v1/notifications/batch", json!({ "notifications": items })).await;
    assert_eq!((status, results(&answer).len()), (200, 1000));
    assert!(results(&answer).iter().all(|result| result["status"] == 202), "{answer}");
    for (n, lane) in lanes.iter().enumerate() {
        let last = format!("#{}", 990 + n);
        let ledger = channel.wait_for(|ledger| ledger.texts(lane).contains(&last.as_str())).await;
        let sent: Vec<_> = ledger.texts(lane).into_iter().filter(|text| text.starts_with('#')).collect();
        let expected: Vec<_> = (0..100).map(|of| format!("#{}", of * 10 + n)).collect();
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn each_has_its_own_result() {
    let (server, _channel) = met().await;
    let keyed = |text: &str| {
        let mut item = to("c1", text);
        item["idempotencyKey"] = json!("k");
        item
    };
    let items = json!([keyed("a"), to("c1", "b"), { "text": "to whom?" }, 7, keyed("a"), keyed("other"), to("stranger", "d")]);
    let (status, answer) = server.post("/v1/notifications/batch", json!({ "notifications": items })).await;
    assert_eq!(status, 200);
    let results = results(&answer);
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [202, 202, 400, 400, 202, 409, 202], "{answer}");
    assert_eq!(results[0]["id"], results[4]["id"], "the same key and request");
    assert_eq!(results[2]["problem"]["field"], "conversation");
    assert_eq!(code(&results[3]["problem"]), "invalid-body");
    assert_eq!(code(&results[5]["problem"]), "idempotency-key-reused");
    for at in [1, 6] {
        server.notification(results[at]["id"].as_str().unwrap()).await;
    }
    // The same key as a request of its own: the same answer.
    assert_eq!(server.under_key("k", &to("c1", "a")).await, (202, json!({ "id": results[0]["id"] })));
}

#[tokio::test]
async fn as_a_whole_it_must_be_a_list_of_some_and_not_of_too_many() {
    let (server, _channel) = met().await;
    let many = vec![to("c1", "x"); 1001];
    for (body, field) in [
        (json!({}), "notifications"),
        (json!({ "notifications": [] }), "notifications"),
        (json!({ "notifications": {} }), "notifications"),
        (json!({ "notifications": many }), "notifications"),
        (json!({ "notifications": [to("c1", "x")], "all": true }), "all"),
    ] {
        let (status, problem) = server.post("/v1/notifications/batch", body).await;
        assert_eq!((status, problem["field"].as_str()), (400, Some(field)), "{problem}");
    }
    let (status, problem) = server.post("/v1/notifications/batch", json!([to("c1", "x")])).await;
    assert_eq!((status, code(&problem)), (400, "invalid-body"));
    let (_, list) = server.get("/v1/notifications").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 0, "nothing of them was accepted");
}
