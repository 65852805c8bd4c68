//! The feed of changes.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use proact::{
    keys::{NewKey, Scope, Verb},
    testkit::{FakeChannel, TestClock},
};
use serde_json::{Value, json};

use crate::support::{STUCK, TestServer, client, say};

/// The events of a stream, one by one.
struct Events {
    chunks: std::pin::Pin<Box<dyn futures_util::Stream<Item = String> + Send>>,
    text: String,
}

impl Events {
    async fn open(url: &str) -> Self {
        Self::with(url, &[]).await
    }

    async fn with(url: &str, headers: &[(&str, &str)]) -> Self {
        let asked = client().get(format!("{url}/v1/changes"));
        let asked = headers.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value));
        let response = asked.send().await.unwrap();
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
    // Each is shown as it is when it is read: the message's first change may show it delivered, before the job's is told.
    let (mut of_job, mut delivered) = (false, false);
    while !(of_job && delivered) {
        let (name, value) = events.next().await.unwrap();
        of_job |= name == "job";
        if value["state"] == "delivered" {
            delivered = true;
            assert_eq!(value["text"], "Job 1 is complete.");
            assert!(value.get("activity").is_none() && value.get("attempts").is_none(), "as in a list");
        }
    }
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

const PAGE_KEY: &str = "the-key-of-the-page";

/// A session of the page, as a browser sends it back.
async fn session(server: &TestServer, key: &str) -> String {
    let form = client().post(format!("{}/sign-in", server.url)).header("origin", &server.url);
    let form = form.header("content-type", "application/x-www-form-urlencoded").body(format!("key={key}"));
    let answer = form.send().await.unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_feed_of_a_page_ends_with_its_session_and_no_others() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::default());
    let environment = [("PROACT_PAGE_SIGN_IN", "on"), ("PROACT_PAGE_KEY", PAGE_KEY)];
    let server = TestServer::at(folder, &environment, Arc::new(clock.clone())).await;
    let (one, other) = (session(&server, PAGE_KEY).await, session(&server, PAGE_KEY).await);
    let mut feeds = [
        Events::with(&server.url, &[("cookie", &one)]).await,
        Events::with(&server.url, &[("cookie", &other)]).await,
    ];
    for feed in &mut feeds {
        assert_eq!(feed.next().await.unwrap().0, "reset");
    }
    let out = client().post(format!("{}/sign-out", server.url));
    let out = out.header("origin", &server.url).header("cookie", &one).send().await.unwrap();
    assert_eq!(out.status(), 303);
    let asked = client().get(format!("{}/v1/jobs", server.url)).header("cookie", &one);
    assert_eq!(asked.send().await.unwrap().status(), 401, "the cookie that somebody copied opens nothing");
    let [mut ended, mut goes_on] = feeds;
    assert_eq!(ended.next().await, None, "without a change, too");

    let channel = FakeChannel::start();
    say(&channel, &channel.user("c1"), "c1", &server.bot(), "run").await;
    assert_eq!(goes_on.next().await.unwrap().0, "job");
    clock.advance(Duration::from_secs(12 * 60 * 60));
    assert_eq!(goes_on.next().await, None, "its time is over");

    let (folder, _) = server.stop().await;
    let server = TestServer::at(folder, &environment, Arc::new(TestClock::default())).await;
    let asked = client().get(format!("{}/v1/jobs", server.url)).header("cookie", &one);
    assert_eq!(asked.send().await.unwrap().status(), 401, "also by the clock of then, after a start");
    server.stop().await;
}

#[tokio::test]
async fn the_feed_of_a_page_ends_when_its_key_is_another() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::default());
    let server = TestServer::at(folder, &[("PROACT_PAGE_SIGN_IN", "on")], Arc::new(clock.clone())).await;
    let file = server.data().join("page.key");
    let session = session(&server, std::fs::read_to_string(&file).unwrap().trim()).await;
    let mut feed = Events::with(&server.url, &[("cookie", &session)]).await;
    assert_eq!(feed.next().await.unwrap().0, "reset");
    proact::secret_file::write(&file, b"another-key-of-the-page").unwrap();
    // Then the file is looked at again.
    clock.advance(Duration::from_secs(10));
    assert_eq!(feed.next().await, None);
    server.stop().await;
}

#[tokio::test]
async fn the_feed_of_a_key_ends_when_it_is_revoked_though_nothing_changes() {
    let server = TestServer::with(&[("PROACT_HTTP_REQUIRE_KEY", "always")]).await;
    let scope = Scope::new([Verb::Read], None, None).unwrap();
    let new = NewKey { name: "ci".to_owned(), scope, expires_at: None };
    let (key, info) = server.parts().keys.create(new).await.unwrap();
    let bearer = format!("Bearer {}", key.expose());
    let mut feed = Events::with(&server.url, &[("authorization", &bearer)]).await;
    assert_eq!(feed.next().await.unwrap().0, "reset");
    let _ = server.parts().keys.revoke(&info.id).await.unwrap();
    assert_eq!(feed.next().await, None);
    server.stop().await;
}
