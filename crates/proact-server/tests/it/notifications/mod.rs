//! `/v1/notifications` and `/v1/pauses` over real HTTP: what is accepted goes, once, in its order, unless it is taken back or held back.

mod accept;
mod batch;
mod control;
mod pauses;
mod resources;

use proact::testkit::FakeChannel;
use serde_json::{Value, json};

use crate::support::{TestServer, answer, client, eventually, say};

/// A server and a channel in whose conversation `c1` somebody has talked to the bot.
async fn met() -> (TestServer, FakeChannel) {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "show").await;
    (server, channel)
}

fn to(conversation: &str, text: &str) -> Value {
    json!({ "conversation": { "channelId": "test", "id": conversation }, "text": text })
}

impl TestServer {
    async fn send(&self, body: Value) -> String {
        let (status, accepted) = self.post("/v1/notifications", body).await;
        assert_eq!(status, 202, "{accepted}");
        accepted["id"].as_str().unwrap().to_owned()
    }

    async fn under_key(&self, key: &str, body: &Value) -> (u16, Value) {
        let request = client().post(format!("{}/v1/notifications", self.url));
        answer(request.header("idempotency-key", key).json(body)).await
    }

    async fn notification(&self, id: &str) -> Value {
        let (status, found) = self.get(&format!("/v1/notifications/{id}")).await;
        assert_eq!(status, 200, "{found}");
        found
    }

    /// Waits until it is in that state.
    async fn becomes(&self, id: &str, state: &str) -> Value {
        eventually(state, async || {
            let found = self.notification(id).await;
            (found["state"] == state).then_some(found)
        })
        .await
    }

    async fn act(&self, id: &str, what: &str, body: Value) -> (u16, Value) {
        self.post(&format!("/v1/notifications/{id}/{what}"), body).await
    }

    async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        answer(client().put(format!("{}{path}", self.url)).json(&body)).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        answer(client().delete(format!("{}{path}", self.url))).await
    }
}

fn code(problem: &Value) -> &str {
    let code = problem["type"].as_str().and_then(|code| code.strip_prefix("urn:proact:problem:"));
    code.unwrap_or_else(|| panic!("no problem: {problem}"))
}
