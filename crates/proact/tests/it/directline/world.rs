//! A channel on a store in a file, served on a runtime of its own so that it can be killed, and what clients do with
//! it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use proact::app;
use proact::clock::Clock;
use proact::directline::{self, Channel, Secret};
use proact::egress::{self, Guard};
use proact::store::Store;
use proact::testkit::TestClock;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::bot::Bot;
use crate::support;

pub(super) const SECRET: &str = "a-secret-that-is-long-enough";

pub(super) struct World {
    pub(super) bot: Bot,
    pub(super) clock: TestClock,
    pub(super) channel: Channel,
    pub(super) store: Store,
    /// `http://127.0.0.1:port`
    pub(super) base: String,
    pub(super) http: reqwest::Client,
    folder: tempfile::TempDir,
    runtime: Option<tokio::runtime::Runtime>,
    configure: Configure,
}

/// What a test changes of the channel's options.
type Configure = Arc<dyn Fn(&mut directline::Options) + Send + Sync>;

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with_keep_alive(keep_alive: Duration) -> Self {
        Self::with(move |options| options.keep_alive = keep_alive).await
    }

    pub(super) async fn with(configure: impl Fn(&mut directline::Options) + Send + Sync + 'static) -> Self {
        Self::make(tempfile::tempdir().unwrap(), Arc::new(configure)).await
    }

    /// On data that is there.
    pub(super) async fn on(folder: tempfile::TempDir) -> Self {
        Self::make(folder, Arc::new(|_| {})).await
    }

    async fn make(folder: tempfile::TempDir, configure: Configure) -> Self {
        let bot = Bot::start().await;
        let clock = TestClock::default();
        let store = open(&folder, &clock).await;
        let (runtime, channel, base) = serve(&store, &bot, &folder, &configure).await;
        let http = reqwest::Client::new();
        Self { bot, clock, channel, store, base, http, folder, runtime: Some(runtime), configure }
    }

    /// Kills the channel in the middle of whatever it does, and starts another on the same file.
    pub(super) async fn kill_and_restart(&mut self) {
        self.restart(None).await;
    }

    /// The same, and in between a backup is put in the place of the file.
    pub(super) async fn restore(&mut self, backup: &Path) {
        self.restart(Some(backup)).await;
    }

    async fn restart(&mut self, backup: Option<&Path>) {
        self.runtime.take().unwrap().shutdown_background();
        // The old handles keep the store open; some on another file take their place meanwhile.
        let elsewhere = tempfile::tempdir().unwrap();
        self.store = open(&elsewhere, &self.clock).await;
        let (idle, channel, _) = serve(&self.store, &self.bot, &elsewhere, &self.configure).await;
        drop(std::mem::replace(&mut self.channel, channel));
        let store = open(&self.folder, &self.clock).await;
        let store = match backup {
            None => store,
            Some(backup) => {
                store.close().await;
                let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
                app::restore(backup, self.folder.path(), 1000, &clock).unwrap();
                open(&self.folder, &self.clock).await
            }
        };
        let (runtime, channel, base) = serve(&store, &self.bot, &self.folder, &self.configure).await;
        idle.shutdown_background();
        self.store = store;
        self.runtime = Some(runtime);
        self.channel = channel;
        self.base = base;
    }

    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(super) async fn post(&self, path: &str, bearer: &str, body: &Value) -> (u16, Value) {
        self.call("POST", &format!("/v3/directline/{path}"), Some(bearer), Some(body)).await
    }

    pub(super) async fn get(&self, path: &str, bearer: &str) -> (u16, Value) {
        self.call("GET", &format!("/v3/directline/{path}"), Some(bearer), None).await
    }

    /// A conversation of the person `u`, called `Uma`; the bot has welcomed her.
    pub(super) async fn talk(&self) -> Talk {
        let user = json!({"user": {"id": "u", "name": "Uma"}});
        let (status, started) = self.post("conversations", SECRET, &user).await;
        assert_eq!(status, 201, "{started}");
        let talk = Talk::of(&started);
        let welcomed = format!("conversations/{}/activities", talk.id);
        for _ in 0..500 {
            let (_, set) = self.get(&welcomed, SECRET).await;
            if set["activities"].as_array().is_some_and(|all| !all.is_empty()) {
                return talk;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody was welcomed");
    }

    pub(super) async fn say(&self, talk: &Talk, text: &str) -> (u16, Value) {
        let activity = json!({"type": "message", "from": {"id": "u"}, "text": text});
        self.post(&format!("conversations/{}/activities", talk.id), &talk.token, &activity).await
    }

    /// What clients are shown of a conversation.
    pub(super) async fn history(&self, talk: &Talk) -> Vec<Value> {
        let mut all = Vec::new();
        let mut watermark = String::new();
        loop {
            let path = format!("conversations/{}/activities?watermark={watermark}", talk.id);
            let (status, set) = self.get(&path, SECRET).await;
            assert_eq!(status, 200, "{set}");
            watermark = set["watermark"].as_str().unwrap().to_owned();
            let page = set["activities"].as_array().unwrap().clone();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// The bot says something of its own accord.
    pub(super) async fn bot_says(&self, talk: &Talk, text: &str, key: Option<&str>) -> (u16, Value) {
        let url = format!("{}/v3/conversations/{}/activities", self.base, talk.id);
        let mut request = self.http.post(url).json(&json!({"type": "message", "text": text}));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// A route that bots call.
    pub(super) async fn bot_calls(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call(method, &format!("/v3/conversations{path}"), None, body).await
    }

    /// The folder of the files that were sent.
    pub(super) fn files(&self) -> std::path::PathBuf {
        self.folder.path().join("files")
    }

    /// A new stream's URL, from `watermark` on.
    pub(super) async fn reconnect(&self, talk: &Talk, watermark: &str) -> Talk {
        let path = format!("conversations/{}?watermark={watermark}", talk.id);
        let (status, again) = self.get(&path, &talk.token).await;
        assert_eq!(status, 200, "{again}");
        Talk::of(&again)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

async fn serve(
    store: &Store,
    bot: &Bot,
    folder: &tempfile::TempDir,
    configure: &Configure,
) -> (tokio::runtime::Runtime, Channel, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (store, url, files) = (store.clone(), bot.url.clone(), folder.path().join("files"));
    let configure = Arc::clone(configure);
    let served = runtime.spawn(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let guard = Guard::loopback_only(egress::Options::default());
        let secret = Secret::new(SECRET).unwrap();
        let mut options = directline::Options::new(store, guard, format!("{base}/"), url, secret);
        options.files = Some(files);
        configure(&mut options);
        let channel = Channel::open(options).await.unwrap();
        let router = channel.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (channel, base)
    });
    let (channel, base) = served.await.unwrap();
    (runtime, channel, base)
}

async fn open(folder: &tempfile::TempDir, clock: &TestClock) -> Store {
    support::open(folder.path(), &[directline::MIGRATION], Arc::new(clock.clone())).await
}

/// A client's end of a conversation.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) stream_url: String,
}

impl Talk {
    pub(super) fn of(conversation: &Value) -> Self {
        let field = |name: &str| conversation[name].as_str().unwrap().to_owned();
        assert_eq!(conversation["expires_in"], 1800);
        Self { id: field("conversationId"), token: field("token"), stream_url: field("streamUrl") }
    }
}

/// A client's stream, and the watermark as clients keep it: what is missing does not overwrite.
pub(super) struct Socket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(super) watermark: String,
}

impl Socket {
    pub(super) async fn open(talk: &Talk) -> Self {
        let (socket, _) = connect_async(&talk.stream_url).await.unwrap();
        Self { socket, watermark: String::new() }
    }

    /// The next frame as it is; `None` when the stream has ended.
    pub(super) async fn frame(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(Duration::from_secs(30), self.socket.next()).await;
        next.expect("a frame should have come").and_then(Result::ok)
    }

    pub(super) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The activities of the next set, keep-alive left out; `None` when the stream has ended.
    pub(super) async fn set(&mut self) -> Option<Vec<Value>> {
        loop {
            match self.frame().await? {
                Message::Text(text) if text.is_empty() => {}
                Message::Text(text) => {
                    let mut set: Value = serde_json::from_str(&text).unwrap();
                    if let Some(watermark) = set["watermark"].as_str() {
                        self.watermark = watermark.to_owned();
                    }
                    match set["activities"].take() {
                        Value::Array(activities) => return Some(activities),
                        other => panic!("no activities but {other}"),
                    }
                }
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next `count` activities; exactly so many.
    pub(super) async fn activities(&mut self, count: usize) -> Vec<Value> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(self.set().await.expect("the stream should go on"));
        }
        assert_eq!(all.len(), count, "{all:#?}");
        all
    }
}

pub(super) fn texts(activities: &[Value]) -> Vec<&str> {
    activities.iter().map(|activity| activity["text"].as_str().unwrap_or_default()).collect()
}

pub(super) fn code(answer: &Value) -> &str {
    assert!(answer["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
    answer["error"]["code"].as_str().unwrap()
}
