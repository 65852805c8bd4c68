//! More than can be taken on: refused at the door with 429 and when to come back, and never lost once it was taken.

use std::sync::mpsc;

use proact::{
    store::{self, Command, Tx},
    testkit::FakeChannel,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::support::{TestServer, answer, client, eventually, say};

/// Holds the store's one writer until the test lets it go.
struct Hold {
    began: oneshot::Sender<()>,
    until: mpsc::Receiver<()>,
}

impl Command for Hold {
    type Outcome = ();

    fn apply(self, _: &mut Tx<'_>) -> Result<(), store::Error> {
        let _ = self.began.send(());
        let _ = self.until.recv();
        Ok(())
    }
}

/// Takes a place in the writer's queue.
struct Filler;

impl Command for Filler {
    type Outcome = ();

    fn apply(self, _: &mut Tx<'_>) -> Result<(), store::Error> {
        Ok(())
    }
}

const EARLY: u64 = 40;

#[tokio::test]
async fn a_full_queue_refuses_at_the_door_and_loses_nothing_of_what_it_took() {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "hello").await;
    let store = server.engine().store().clone();
    let ((began, has_begun), (go, until)) = (oneshot::channel(), mpsc::channel());
    let hold = tokio::spawn(store.commit(Hold { began, until }));
    has_begun.await.unwrap();

    let notify = |key: String| {
        let body = json!({ "conversation": { "channelId": "test", "id": "c1" }, "text": key });
        client().post(format!("{}/v1/notifications", server.url)).header("idempotency-key", key).json(&body)
    };
    let early: Vec<_> = (0..EARLY).map(|n| tokio::spawn(answer(notify(format!("early {n}"))))).collect();
    eventually("their places in the queue", async || (store.figures().waiting >= EARLY).then_some(())).await;
    while store.commit_later(Filler).is_ok() {}

    let is_overloaded = |problem: &Value| {
        assert_eq!(problem["type"], "urn:proact:problem:overloaded", "{problem}");
        assert_eq!(problem["status"], 429);
    };
    let refused = notify("late".to_owned()).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let after: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(after > 0);
    is_overloaded(&refused.json().await.unwrap());
    // In a batch each item says so itself.
    let item = json!({ "conversation": { "channelId": "test", "id": "c1" }, "text": "x", "idempotencyKey": "batch" });
    let (status, body) = server.post("/v1/notifications/batch", json!({ "notifications": [item] })).await;
    assert_eq!((status, &body["results"][0]["status"]), (200, &json!(429)), "{body}");
    let (status, problem) = server
        .post("/v1/jobs", json!({ "conversation": { "channelId": "test", "id": "c1" }, "kind": "k" }))
        .await;
    assert_eq!(status, 429);
    is_overloaded(&problem);
    // What only reads is answered as ever, and a channel is asked to come again.
    assert_eq!(server.get("/v1/notifications").await.0, 200);
    let turned_away = channel.user("c1").say(&server.bot(), "run").await.unwrap();
    assert_eq!(turned_away.status, 503);
    assert!(early.iter().all(|asked| !asked.is_finished()), "nobody is told of what is not durable");

    go.send(()).unwrap();
    hold.await.unwrap().unwrap();
    for asked in early {
        let (status, accepted) = asked.await.unwrap();
        assert_eq!(status, 202, "{accepted}");
    }
    // The same request again, as it was asked to.
    assert_eq!(answer(notify("late".to_owned())).await.0, 202);
    let wanted = |text: &str| text == "late" || text.starts_with("early ");
    let ledger = channel
        .wait_for(|ledger| ledger.texts("c1").iter().filter(|text| wanted(text)).count() as u64 > EARLY)
        .await;
    let mut told: Vec<_> = ledger.texts("c1").into_iter().filter(|text| wanted(text)).collect();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len() as u64, EARLY + 1, "each once");
    let (_, jobs) = server.get("/v1/jobs").await;
    assert_eq!(jobs["items"], json!([]), "a refusal has no effect");
}
