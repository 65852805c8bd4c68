//! The feed of changes.

use futures_util::StreamExt;
use proact::testkit::FakeChannel;
use serde_json::{Value, json};

use crate::support::{STUCK, TestServer, client, say};

/// The events of a stream, one by one.
struct Events {
    chunks: std::pin::Pin<Box<dyn futures_util::Stream<Item = String> + Send>>,
    text: String,
}

impl Events {
    async fn open(url: &str) -> Self {
        let response = client().get(format!("{url}/v1/changes")).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let chunks = response.bytes_stream();
        let chunks =
            chunks.filter_map(async |chunk| Some(String::from_utf8_lossy(&chunk.ok()?).into_owned()));
        Self { chunks: Box::pin(chunks), text: String::new() }
    }

    /// The next event and its data; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                let parsed = field("event").map(|name| {
                    (name.to_owned(), serde_json::from_str(field("data").unwrap_or_default()).unwrap())
                });
                self.text = rest.to_owned();
                match parsed {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            self.text += &tokio::time::timeout(STUCK, self.chunks.next()).await.unwrap()?;
        }
    }
}

#[tokio::test]
async fn a_listener_is_told_to_read_and_then_of_every_change() {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    let mut events = Events::open(&server.url).await;
    assert_eq!(events.next().await.unwrap(), ("reset".to_owned(), json!({})));
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "run").await;
    let (name, job) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &job), ("job", &server.get("/v1/jobs/1").await.1));
    server.post("/v1/jobs/1/complete", json!({})).await;
    let mut seen = Vec::new();
    loop {
        let (name, value) = events.next().await.unwrap();
        seen.push(name);
        if value["state"] == "delivered" {
            assert_eq!(value["text"], "Job 1 is complete.");
            assert!(value.get("activity").is_none() && value.get("attempts").is_none(), "as in a list");
            break;
        }
    }
    assert!(seen.contains(&"job".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn a_stop_ends_the_feed_and_does_not_wait_for_listeners() {
    let server = TestServer::start().await;
    let mut events = Events::open(&server.url).await;
    events.next().await.unwrap();
    let (_, stopped) = server.stop().await;
    assert_eq!(stopped, proact_server::server::Stopped::Clean);
    assert_eq!(events.next().await, None);
}
