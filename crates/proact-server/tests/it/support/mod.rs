//! A server to test, people who talk to it, and requests of every kind.
//!
//! Waiting polls something that must come, with a limit that only a test that is stuck reaches.

pub(crate) mod contract;
mod direct_line;
mod process;
mod raw;

use std::{sync::Arc, time::Duration};

pub(crate) use direct_line::Chat;
use proact::{
    clock::{Clock, SystemClock},
    proactive::Proactive,
    testkit::{FakeChannel, FakeUser},
};
use proact_server::{
    config::{Config, Sources},
    server::{Server, Stopped},
};
pub(crate) use process::{Process, command, proact};
pub(crate) use raw::raw;
use serde_json::Value;
use tempfile::TempDir;

/// How long something that must come may take before the test counts as stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

/// A server in this process, on a free port and a folder of its own.
pub(crate) struct TestServer {
    server: Server,
    pub(crate) url: String,
    folder: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these variables in its environment.
    pub(crate) async fn with(environment: &[(&str, &str)]) -> Self {
        Self::on(tempfile::tempdir().unwrap(), environment).await
    }

    pub(crate) async fn on(folder: TempDir, environment: &[(&str, &str)]) -> Self {
        Self::at(folder, environment, Arc::new(SystemClock)).await
    }

    /// By a clock of the test's own.
    pub(crate) async fn at(folder: TempDir, environment: &[(&str, &str)], clock: Arc<dyn Clock>) -> Self {
        let config = Config::load(Sources {
            listen: Some("127.0.0.1:0".to_owned()),
            data: Some(folder.path().join("data")),
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..Sources::default()
        })
        .unwrap();
        let server = Server::start(config, clock).await.unwrap();
        Self { url: format!("http://{}", server.address()), server, folder }
    }

    /// With the `proact.toml` that is in this folder.
    pub(crate) async fn configured(folder: TempDir) -> Self {
        let config = Config::load(Sources {
            file: Some(folder.path().join("proact.toml")),
            listen: Some("127.0.0.1:0".to_owned()),
            data: Some(folder.path().join("data")),
            ..Sources::default()
        })
        .unwrap();
        let server = Server::start(config, Arc::new(SystemClock)).await.unwrap();
        Self { url: format!("http://{}", server.address()), server, folder }
    }

    /// Its parts.
    pub(crate) fn parts(&self) -> &proact::app::Parts {
        self.server.parts()
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// What lets the command line in.
    pub(crate) fn local_key(&self) -> String {
        std::fs::read_to_string(self.data().join("local.key")).unwrap().trim().to_owned()
    }

    /// The engine inside.
    pub(crate) fn engine(&self) -> &Proactive {
        &self.server.parts().proactive
    }

    /// Its address and port.
    pub(crate) fn host(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Where the bot takes activities.
    pub(crate) fn bot(&self) -> String {
        format!("{}/api/messages", self.url)
    }

    pub(crate) async fn stop(self) -> (TempDir, Stopped) {
        let stopped = self.server.stop(std::future::pending()).await;
        (self.folder, stopped)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(client().get(format!("{}{path}", self.url))).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        answer(client().post(format!("{}{path}", self.url)).json(&body)).await
    }

    /// Opens a conversation of the built-in channel.
    pub(crate) async fn chat(&self, name: Option<&str>) -> Chat {
        Chat::open(&self.url, name, Some(&self.local_key())).await
    }
}

/// A client that goes nowhere else and hides nothing.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(STUCK)
        .build()
        .unwrap()
}

/// Status and JSON body; `null` when the body is none. Whatever is said over `/v1` must be as its OpenAPI document has it.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let asked = contract::Asked::of(&request);
    let response = client.execute(request).await.unwrap();
    let (status, kind) = (response.status().as_u16(), contract::kind(response.headers()));
    let body = response.bytes().await.unwrap();
    asked.was_answered(status, kind.as_deref(), &body);
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// Waits until `found` finds something.
pub(crate) async fn eventually<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = found().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(STUCK, waiting).await.unwrap_or_else(|_| panic!("this has not come: {what}"))
}

/// Says `text` to the bot as `user` and answers what the bot has said to it since: the texts of this turn.
pub(crate) async fn say(
    channel: &FakeChannel,
    user: &FakeUser,
    conversation: &str,
    bot: &str,
    text: &str,
) -> Vec<String> {
    let before = channel.ledger().texts(conversation).len();
    let posted = user.say(bot, text).await.unwrap();
    assert_eq!(posted.status, 200, "{text}");
    channel.ledger().texts(conversation)[before..].iter().map(|text| (*text).to_owned()).collect()
}
