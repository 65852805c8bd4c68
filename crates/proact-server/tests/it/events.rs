//! What other systems tell over `/v1/events`: CloudEvents in each mode, by key or by signature.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use proact::{activity::ConversationKey, keys::Verb, proactive::NewJob, testkit::FakeChannel};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    keys::{closed, key},
    support::{TestServer, answer, client, say},
};

const SECRET: [u8; 32] = [5; 32];
const OLD: [u8; 24] = [6; 24];

fn event(id: &str, kind: &str, number: u64, data: Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/ci", "type": format!("com.proact.job.{kind}"),
           "subject": number.to_string(), "data": data})
}

async fn structured(server: &TestServer, key: Option<&str>, event: &Value) -> (u16, Value) {
    post(server, key, "application/cloudevents+json", event.to_string()).await
}

async fn post(server: &TestServer, key: Option<&str>, kind: &str, body: String) -> (u16, Value) {
    let request = client().post(format!("{}/v1/events", server.url)).header("content-type", kind).body(body);
    answer(key.into_iter().fold(request, |request, key| request.bearer_auth(key))).await
}

/// `count` jobs of the kind `report` in the conversation `c1`.
async fn jobs(server: &TestServer, count: u64) -> FakeChannel {
    let channel = FakeChannel::start();
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "hello").await;
    for _ in 0..count {
        let place = ConversationKey::new("test", "c1").unwrap();
        server.engine().start_job(place, NewJob::new("report")).await.unwrap();
    }
    channel
}

#[tokio::test]
async fn each_mode_says_how_a_job_is_and_its_conversation_is_told() {
    let server = closed().await;
    let channel = jobs(&server, 4).await;
    let key = key(&server, &[Verb::Complete], &["report"], &["test/*"]).await;
    let (status, done) =
        structured(&server, Some(&key), &event("1", "progress", 1, json!({"percent": 40}))).await;
    assert_eq!((status, done), (200, json!({"job": 1, "state": "running"})));
    channel.wait_for(|ledger| ledger.shown("c1").contains(&"Job 1: 40 %")).await;
    let (status, done) =
        structured(&server, Some(&key), &event("2", "completed", 1, json!({"message": "Here."}))).await;
    assert_eq!((status, done), (200, json!({"job": 1, "state": "succeeded"})));
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Here.")).await;

    let request = client().post(format!("{}/v1/events", server.url)).bearer_auth(&key);
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "3"),
        ("ce-source", "/ci"),
        ("ce-type", "com.proact.job.failed"),
    ];
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let (status, done) = answer(request.json(&json!({"job": 2, "reason": "the disk is full"}))).await;
    assert_eq!((status, done), (200, json!({"job": 2, "state": "failed"})));
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 2 failed: the disk is full")).await;

    let batch = json!([
        event("4", "completed", 3, Value::Null), event("5", "completed", 99, json!({})), {"specversion": "1.0"},
        event("6", "completed", 1, json!({})), event("7", "exploded", 4, json!({})), event("4", "completed", 4, json!({})),
        event("8", "completed", 4, json!({}))
    ]);
    let (status, answer) =
        post(&server, Some(&key), "application/cloudevents-batch+json", batch.to_string()).await;
    let results: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!((status, results), (200, vec![200, 404, 400, 409, 400, 409, 200]), "{answer}");
    assert_eq!(
        answer["results"][4]["problem"]["field"], "type",
        "a type that nobody waits for is not taken and forgotten"
    );
    assert_eq!(answer["results"][5]["problem"]["type"], "urn:proact:problem:event-id-reused");
    channel
        .wait_for(|ledger| ledger.texts("c1").ends_with(&["Job 3 is complete.", "Job 4 is complete."]))
        .await;
    let (status, answer) =
        post(&server, Some(&key), "application/cloudevents-batch+json", "[]".to_owned()).await;
    assert_eq!((status, answer), (200, json!({"results": []})));
    server.stop().await;
}

#[tokio::test]
async fn an_event_takes_effect_once_and_gets_the_same_answer_also_after_a_restart() {
    let server = closed().await;
    let channel = jobs(&server, 2).await;
    let one = key(&server, &[Verb::Complete], &[], &[]).await;
    let other = key(&server, &[Verb::Complete], &[], &[]).await;
    let done = event("1", "completed", 1, json!({}));
    let first = structured(&server, Some(&one), &done).await;
    assert_eq!(first, (200, json!({"job": 1, "state": "succeeded"})));
    // Its order of members, and what belongs to no one, change nothing.
    let mut again = done.clone();
    again["time"] = "2030-01-31T08:55:00Z".into();
    assert_eq!(structured(&server, Some(&one), &again).await, first);
    let (status, problem) = structured(&server, Some(&one), &event("1", "completed", 2, json!({}))).await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:proact:problem:event-id-reused")));
    // Nobody uses up another's ids.
    let (status, problem) = structured(&server, Some(&other), &done).await;
    assert_eq!((status, &problem["state"]), (409, &json!("succeeded")));
    assert_eq!(
        structured(&server, Some(&other), &event("1", "progress", 2, json!({"percent": 1}))).await.0,
        200
    );
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 1 is complete.")).await;
    let (folder, _) = server.stop().await;
    let server = TestServer::on(folder, &[("PROACT_HTTP_REQUIRE_KEY", "always")]).await;
    assert_eq!(structured(&server, Some(&one), &done).await, first);
    assert_eq!(channel.ledger().texts("c1").iter().filter(|text| **text == "Job 1 is complete.").count(), 1);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_named_and_does_nothing() {
    let server = TestServer::start().await;
    let _channel = jobs(&server, 1).await;
    let mut other_job = event("1", "completed", 1, json!({"job": 2}));
    for (event, field) in [
        (std::mem::take(&mut other_job), "data.job"),
        (event("1", "exploded", 1, json!({})), "type"),
        (event("1", "progress", 1, json!({})), "data.percent"),
        (event("1", "progress", 1, json!({"percent": 101})), "data.percent"),
        (event("1", "progress", 1, json!({"percent": "1"})), "data.percent"),
        (event("1", "completed", 1, json!({"reason": "x"})), "data.reason"),
        (event("1", "completed", 1, json!([])), "data"),
        (event("1", "failed", 1, json!({"reason": "a\nb"})), "data.reason"),
        (
            json!({"specversion": "1.0", "id": "1", "source": "/ci", "type": "com.proact.job.completed"}),
            "subject",
        ),
        (
            json!({"specversion": "1.0", "id": "1", "source": "/ci", "type": "com.proact.job.completed", "subject": "+1"}),
            "subject",
        ),
    ] {
        let (status, problem) = structured(&server, None, &event).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{event}: {problem}");
    }
    for (kind, status) in [
        ("application/cloudevents+xml", 415),
        ("text/plain", 415),
        ("application/cloudevents-batch+json", 400),
    ] {
        let body = event("1", "completed", 1, json!({})).to_string();
        assert_eq!(post(&server, None, kind, body).await.0, status, "{kind}");
    }
    assert_eq!(server.get("/v1/jobs/1").await.1["state"], "running");
    // And on other routes these kinds of bodies are none.
    let request = client().post(format!("{}/v1/jobs/1/complete", server.url));
    let (status, _) = answer(request.header("content-type", "application/cloudevents+json").body("{}")).await;
    assert_eq!(status, 415);
    server.stop().await;
}

fn v1(secret: &[u8], id: &str, at: i64, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(format!("{id}.{at}.{body}"));
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

async fn deliver(
    server: &TestServer,
    query: &str,
    id: &str,
    at: i64,
    signature: &str,
    body: &str,
) -> (u16, Value) {
    let request = client().post(format!("{}/v1/events{query}", server.url)).header("webhook-id", id);
    let request = request.header("webhook-timestamp", at).header("webhook-signature", signature);
    answer(request.header("content-type", "application/cloudevents+json").body(body.to_owned())).await
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// A configuration with a sender `ci` of two secrets and one `other` with a public key.
fn configured(folder: &tempfile::TempDir) -> Ed25519KeyPair {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let text = format!(
        "[http]\nrequire_key = \"always\"\n[events.senders.ci]\nsecrets = [\"whsec_{}\", \"whsec_{}\"]\nkinds = [\"report\"]\n\
         [events.senders.other]\nsecrets = [\"whpk_{}\"]\nkinds = [\"nothing\"]\n",
        BASE64_STANDARD.encode(SECRET),
        BASE64_STANDARD.encode(OLD),
        BASE64_STANDARD.encode(pair.public_key().as_ref()),
    );
    std::fs::write(folder.path().join("proact.toml"), text).unwrap();
    pair
}

#[tokio::test]
async fn a_signature_is_believed_whole_in_time_and_of_a_sender_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let pair = configured(&folder);
    let server = TestServer::configured(folder).await;
    let channel = jobs(&server, 4).await;
    let (at, body) = (now(), event("1", "completed", 1, json!({})).to_string());
    let good = v1(&SECRET, "msg_1", at, &body);
    for end in 0..good.len() {
        let (status, problem) = deliver(&server, "?sender=ci", "msg_1", at, &good[..end], &body).await;
        assert_eq!(
            (status, &problem["type"]),
            (401, &json!("urn:proact:problem:signature-not-valid")),
            "{end}"
        );
    }
    let changed = body.replace("/ci", "/ic");
    for (query, id, time, signature, body) in [
        ("?sender=ci", "msg_1", at, &good, &changed),
        ("?sender=ci", "msg_2", at, &good, &body),
        ("?sender=ci", "msg_1", at + 1, &good, &body),
        ("?sender=ci", "a.b", at, &v1(&SECRET, "a.b", at, &body), &body),
        ("?sender=ci", "msg_1", at - 400, &v1(&SECRET, "msg_1", at - 400, &body), &body),
        ("?sender=ci", "msg_1", at + 400, &v1(&SECRET, "msg_1", at + 400, &body), &body),
        ("?sender=ci", "msg_1", at, &v1(&[8; 32], "msg_1", at, &body), &body),
        ("?sender=other", "msg_1", at, &good, &body),
        ("?sender=nobody", "msg_1", at, &good, &body),
        ("", "msg_1", at, &good, &body),
    ] {
        assert_eq!(deliver(&server, query, id, time, signature, body).await.0, 401, "{query} {id} {time}");
    }
    assert_eq!(server.engine().job(1).await.unwrap().unwrap().state.as_str(), "running");
    assert_eq!(deliver(&server, "?sender=ci", "msg_1", at, &good, &body).await.0, 200);
    // The old secret is good beside the new one; one of several signatures is enough.
    let body = event("2", "completed", 2, json!({})).to_string();
    let both = format!("{} {}", v1(&[8; 32], "msg_2", at, &body), v1(&OLD, "msg_2", at, &body));
    assert_eq!(deliver(&server, "?sender=ci", "msg_2", at, &both, &body).await.0, 200);
    channel.wait_for(|ledger| ledger.texts("c1").contains(&"Job 2 is complete.")).await;
    // What a sender's limits leave out is not there for it.
    let body = event("3", "completed", 3, json!({})).to_string();
    let signature = BASE64_STANDARD.encode(pair.sign(format!("msg_3.{at}.{body}").as_bytes()));
    let (status, problem) =
        deliver(&server, "?sender=other", "msg_3", at, &format!("v1a,{signature}"), &body).await;
    assert_eq!((status, &problem["type"]), (404, &json!("urn:proact:problem:job-not-found")));
    // In binary mode the signature would not cover what the event says: a signed body must not be turned into another event.
    let body = json!({"message": "Here."}).to_string();
    let request = client()
        .post(format!("{}/v1/events?sender=ci", server.url))
        .header("content-type", "application/json")
        .header("webhook-id", "msg_4")
        .header("webhook-timestamp", at)
        .header("webhook-signature", v1(&SECRET, "msg_4", at, &body))
        .header("ce-specversion", "1.0")
        .header("ce-id", "4")
        .header("ce-source", "/ci")
        .header("ce-type", "com.proact.job.completed")
        .header("ce-subject", "3");
    let (status, problem) = answer(request.body(body)).await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:proact:problem:attributes-not-signed")));
    assert_eq!(server.engine().job(3).await.unwrap().unwrap().state.as_str(), "running");
    // A signature opens this route alone.
    let request = client().get(format!("{}/v1/jobs", server.url)).header("webhook-id", "msg_1");
    assert_eq!(
        answer(request.header("webhook-timestamp", at).header("webhook-signature", &good)).await.0,
        401
    );
    server.stop().await;
}

#[tokio::test]
async fn what_is_played_back_does_nothing_twice_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    configured(&folder);
    let server = TestServer::configured(folder).await;
    let channel = jobs(&server, 2).await;
    let (at, body) = (now(), event("1", "progress", 1, json!({"percent": 10})).to_string());
    let (signature, query) = (v1(&SECRET, "msg_1", at, &body), "?sender=ci");
    assert_eq!(deliver(&server, query, "msg_1", at, &signature, &body).await.0, 200);
    let later = event("2", "progress", 1, json!({"percent": 50})).to_string();
    assert_eq!(deliver(&server, query, "msg_2", at, &v1(&SECRET, "msg_2", at, &later), &later).await.0, 200);
    // The very same again: answered, and without effect.
    assert_eq!(deliver(&server, query, "msg_1", at, &signature, &body).await.0, 200);
    assert_eq!(server.engine().job(1).await.unwrap().unwrap().progress.unwrap().percent, Some(50));
    let server = TestServer::configured(server.stop().await.0).await;
    assert_eq!(deliver(&server, query, "msg_1", at, &signature, &body).await.0, 200);
    assert_eq!(server.engine().job(1).await.unwrap().unwrap().progress.unwrap().percent, Some(50));
    // Another body under the same id, though signed.
    let other = event("9", "completed", 2, json!({})).to_string();
    let (status, problem) =
        deliver(&server, query, "msg_1", at, &v1(&SECRET, "msg_1", at, &other), &other).await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:proact:problem:webhook-id-reused")));
    assert_eq!(server.engine().job(2).await.unwrap().unwrap().state.as_str(), "running");
    drop(channel);
    server.stop().await;
}
