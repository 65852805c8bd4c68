//! `Idempotency-Key`: each key names its requests for itself.

use proact::keys::Verb;
use serde_json::{Value, json};

use super::key;
use crate::support::{TestServer, answer, client};

/// Posts `body` under a name.
async fn post(server: &TestServer, key: Option<&str>, path: &str, name: &str, body: &Value) -> (u16, Value) {
    let request = client().post(format!("{}{path}", server.url)).header("idempotency-key", name).json(body);
    answer(key.into_iter().fold(request, |request, key| request.bearer_auth(key))).await
}

fn to(conversation: &str) -> Value {
    json!({"channelId": "test", "id": conversation})
}

#[tokio::test]
async fn what_one_sender_calls_its_request_is_nothing_to_another() {
    let server = TestServer::with(&[]).await;
    let (one, two) = (
        key(&server, &[Verb::Notify], &[], &["test/one"]).await,
        key(&server, &[Verb::Notify], &[], &["test/two"]).await,
    );
    for (path, status, id, more) in
        [("/v1/notifications", 202, "id", ("text", "hello")), ("/v1/jobs", 201, "number", ("kind", "report"))]
    {
        let body = |conversation: &str| json!({"conversation": to(conversation), more.0: more.1});
        // Somebody takes the name that another sender, and the operator, will use.
        let mut made = Vec::new();
        for (bearer, conversation) in [(Some(&*one), "one"), (Some(&*two), "two"), (None, "one")] {
            let first = post(&server, bearer, path, "order-17", &body(conversation)).await;
            assert_eq!(first.0, status, "{path}: {}", first.1);
            let again = post(&server, bearer, path, "order-17", &body(conversation)).await;
            assert_eq!((again.0, &again.1[id]), (status, &first.1[id]), "{path}");
            made.push(first.1[id].clone());
        }
        assert!(made[0] != made[1] && made[0] != made[2] && made[1] != made[2], "{path}: {made:?}");
        // One's own other request is refused as ever, and the answer says nothing of how the name is kept.
        let mut other = body("one");
        other[more.0] = json!("other");
        for bearer in [Some(&*one), None] {
            let (status, problem) = post(&server, bearer, path, "order-17", &other).await;
            assert_eq!(
                (status, &problem["type"]),
                (409, &json!("urn:proact:problem:idempotency-key-reused"))
            );
            assert!(!problem.to_string().contains("key:"), "{problem}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_key_with_the_same_reach_is_given_no_token_of_anothers_job() {
    let server = TestServer::with(&[]).await;
    let (one, two) = (
        key(&server, &[Verb::Notify], &[], &["test/one"]).await,
        key(&server, &[Verb::Notify], &[], &["test/one"]).await,
    );
    let body = json!({"conversation": to("one"), "kind": "report"});
    let mine = post(&server, Some(&one), "/v1/jobs", "nightly", &body).await.1;
    let theirs = post(&server, Some(&two), "/v1/jobs", "nightly", &body).await.1;
    assert_ne!(mine["number"], theirs["number"]);
    let report = |token: &Value| {
        let url = format!("{}/v1/jobs/{}/heartbeat", server.url, mine["number"]);
        answer(client().post(url).bearer_auth(token.as_str().unwrap()).json(&json!({})))
    };
    assert_eq!(report(&theirs["token"]).await.0, 401);
    assert_eq!(report(&mine["token"]).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn an_item_of_a_batch_and_a_request_of_the_same_key_and_name_are_one() {
    let server = TestServer::with(&[]).await;
    let one = key(&server, &[Verb::Notify], &[], &["test/one"]).await;
    let mut item = json!({"conversation": to("one"), "text": "hello"});
    let (_, alone) = post(&server, Some(&one), "/v1/notifications", "n", &item).await;
    item["idempotencyKey"] = json!("n");
    let batch = json!({ "notifications": [item] });
    let send = |key: Option<&str>| {
        let request = client().post(format!("{}/v1/notifications/batch", server.url)).json(&batch);
        answer(key.into_iter().fold(request, |request, key| request.bearer_auth(key)))
    };
    assert_eq!(send(Some(&one)).await.1["results"][0]["id"], alone["id"]);
    assert_ne!(send(None).await.1["results"][0]["id"], alone["id"]);
    server.stop().await;
}

#[tokio::test]
async fn a_name_is_of_the_same_length_for_everybody() {
    let server = TestServer::with(&[]).await;
    let one = key(&server, &[Verb::Notify], &[], &[]).await;
    let body = json!({"conversation": to("one"), "text": "hello"});
    for bearer in [Some(&*one), None] {
        let longest = post(&server, bearer, "/v1/notifications", &"n".repeat(255), &body).await;
        assert_eq!(longest.0, 202, "{}", longest.1);
        for wrong in ["", &"n".repeat(256)] {
            let (status, problem) = post(&server, bearer, "/v1/notifications", wrong, &body).await;
            assert_eq!((status, &problem["field"]), (400, &json!("Idempotency-Key")), "{problem}");
        }
    }
    server.stop().await;
}
