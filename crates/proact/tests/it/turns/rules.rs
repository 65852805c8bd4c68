//! The rules of `POST /api/messages`, and of what stands around turns.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use proact::{
    adapter::{Adapter, Options},
    testkit::FakeChannel,
    turn::{BotError, Middleware, Next, TurnContext},
};
use serde_json::{Value, json};

use super::{Invoked, adapter, body, json_of};
use crate::support::{TestBot, start_usual};

#[tokio::test]
async fn what_is_no_activity_gets_400_with_the_fields_name() {
    let channel = FakeChannel::start();
    let adapter = adapter(TestBot, Options::default());
    let good: Value = serde_json::from_slice(&channel.user("c").message("x").encode()).unwrap();
    let without = |field: &str| {
        let mut value = good.clone();
        value.as_object_mut().unwrap().remove(field);
        value.to_string()
    };
    let with = |field: &str, value: Value| {
        let mut changed = good.clone();
        changed[field] = value;
        changed.to_string()
    };
    for (text, named) in [
        ("[]".to_owned(), "object"),
        ("not json".to_owned(), "JSON"),
        (without("type"), "type"),
        (without("conversation"), "conversation.id"),
        (without("channelId"), "channelId"),
        (without("serviceUrl"), "serviceUrl"),
        (with("conversation", json!({"id": 5})), "conversation.id"),
        (with("serviceUrl", json!("https://example.com/")), "serviceUrl"),
        (with("serviceUrl", json!("http://169.254.169.254/")), "serviceUrl"),
        (with("membersAdded", json!([{"id": []}])), "membersAdded[0].id"),
    ] {
        let answer = adapter.process(Bytes::from(text.clone())).await;
        let message = json_of(&answer)["error"]["message"].to_string();
        assert_eq!(answer.status, 400, "{text}");
        assert!(message.contains(named), "{text}: {message}");
    }
    assert!(channel.ledger().is_empty());
}

#[tokio::test]
async fn the_route_checks_method_type_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let running = start_usual(folder.path()).await;
    let http = reqwest::Client::new();
    let activity = channel.user("c").message("x").encode();
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(http.get(&running.bot_url)).await, 405);
    assert_eq!(status(http.post(&running.bot_url).body(activity.clone())).await, 415);
    let json =
        |body: Vec<u8>| http.post(&running.bot_url).header("content-type", "application/json").body(body);
    assert_eq!(status(json(vec![b' '; 1024 * 1024 + 1])).await, 413);
    assert_eq!(status(json(activity)).await, 200);
}

/// Writes down when it was passed, and stops turns that say so.
struct Passed(&'static str, Arc<Mutex<Vec<String>>>);

impl Middleware for Passed {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        self.1.lock().unwrap().push(format!("{} in", self.0));
        if ctx.activity().text() == format!("stop at {}", self.0) {
            return Ok(());
        }
        next.run(ctx).await?;
        self.1.lock().unwrap().push(format!("{} out", self.0));
        Ok(())
    }
}

#[tokio::test]
async fn a_channel_that_takes_ids_shows_no_reply_twice_when_a_turn_is_run_again() {
    let channel = FakeChannel::start();
    channel.take_ids();
    let said = body(&channel.user("c").message("x"));
    for _ in 0..2 {
        // Another adapter is another process: it knows nothing of the first one's turns.
        let adapter = Adapter::builder(Invoked).takes_ids(channel.service_url()).build();
        assert_eq!(adapter.process(said.clone()).await.status, 200);
    }
    assert_eq!(channel.ledger().texts("c"), ["one", "two"]);
    // To any other channel no id goes along.
    let adapter = Adapter::builder(Invoked).takes_ids("http://127.0.0.1:1/").build();
    adapter.process(said).await;
    assert_eq!(channel.ledger().texts("c"), ["one", "two", "one", "two"]);
}

#[tokio::test]
async fn middleware_stands_around_turns_in_order_and_may_stop_them() {
    let channel = FakeChannel::start();
    let log = Arc::new(Mutex::new(Vec::new()));
    let adapter = Adapter::builder(TestBot)
        .middleware(Passed("a", Arc::clone(&log)))
        .middleware(Passed("b", Arc::clone(&log)))
        .build();
    adapter.process(body(&channel.user("c").message("x"))).await;
    assert_eq!(*log.lock().unwrap(), ["a in", "b in", "b out", "a out"]);
    log.lock().unwrap().clear();
    assert_eq!(adapter.process(body(&channel.user("c").message("stop at b"))).await.status, 200);
    assert_eq!(*log.lock().unwrap(), ["a in", "b in", "a out"]);
    assert_eq!(channel.ledger().texts("c"), ["echo x"]);
}
