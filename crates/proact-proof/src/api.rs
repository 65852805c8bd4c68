//! The store, read over `/v1` as anybody can.

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::history::{Attempt, Job, Notification, Store};

/// A client that knows nothing but the HTTP API.
#[derive(Clone, Debug)]
pub struct Api {
    http: Client,
    base: String,
}

impl Api {
    /// For the program at `base`.
    pub fn new(base: &str) -> Self {
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { http, base: base.trim_end_matches('/').to_owned() }
    }

    /// Asks, and answers the status and the body, or `None` if there was no answer.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
        self.ask_under(method, path, None, body).await
    }

    /// The same under an `Idempotency-Key`.
    pub async fn ask_under(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Option<(u16, Value)> {
        self.ask_as(None, method, path, key, body).await
    }

    /// The same as who has a token.
    pub async fn ask_as(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Option<(u16, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response: Response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// What stands at `path`.
    pub async fn get(&self, path: &str) -> Value {
        match self.ask(Method::GET, path, None).await {
            Some((200, body)) => body,
            other => panic!("GET {path}: {other:?}"),
        }
    }

    /// Completes a job; the status, or `None` if there was no answer.
    pub async fn complete(&self, number: u64) -> Option<u16> {
        let path = format!("/v1/jobs/{number}/complete");
        Some(self.ask(Method::POST, &path, Some(json!({}))).await?.0)
    }

    /// How many notifications have not come to an end; `None` if there was no answer.
    pub async fn is_settled(&self) -> Option<bool> {
        for state in ["waiting", "sending"] {
            let path = format!("/v1/notifications?limit=1&state={state}");
            let (status, body) = self.ask(Method::GET, &path, None).await?;
            assert_eq!(status, 200, "{path}: {body}");
            if body["items"].as_array().is_none_or(|items| !items.is_empty()) {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Some that have not come to an end, as they are shown.
    pub async fn unsettled(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for state in ["waiting", "sending"] {
            let body = self.get(&format!("/v1/notifications?limit=5&state={state}")).await;
            all.extend(body["items"].as_array().cloned().unwrap_or_default());
        }
        all
    }

    /// All jobs, by number.
    pub async fn jobs(&self) -> Vec<Job> {
        let items = self.all("/v1/jobs").await;
        items.iter().map(job).collect()
    }

    /// Everything there is, each notification with its attempts.
    pub async fn store(&self) -> Store {
        let (mut notifications, mut progress) = (Vec::new(), Vec::new());
        for short in self.all("/v1/notifications").await {
            let id = short["id"].as_str().unwrap_or_default();
            let shown = self.get(&format!("/v1/notifications/{id}")).await;
            let kind = if shown["cause"]["type"] == "progress" { &mut progress } else { &mut notifications };
            kind.push(notification(&shown));
        }
        Store { jobs: self.jobs().await, notifications, progress }
    }

    /// A list from its last page to its first, oldest first.
    async fn all(&self, list: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{list}?limit=100{cursor}")).await;
            all.extend(page["items"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        all.reverse();
        all
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn job(value: &Value) -> Job {
    Job {
        number: value["number"].as_u64().expect("a job's number"),
        conversation: text(&value["conversation"]["id"]),
        completed: value["state"] == "succeeded",
        notification: value["notificationId"].as_str().map(str::to_owned),
        state: text(&value["state"]),
        title: value["title"].as_str().map(str::to_owned),
        silent: value["silentAt"].is_string(),
        way: value["progress"]["way"].as_str().map(str::to_owned),
    }
}

fn notification(value: &Value) -> Notification {
    let attempts = value["attempts"].as_array().expect("a shown notification's attempts");
    let maybe = |name: &str| value[name].as_str().map(str::to_owned);
    Notification {
        id: text(&value["id"]),
        conversation: text(&value["conversation"]["id"]),
        state: text(&value["state"]),
        reason: maybe("reason"),
        job: value["cause"]["job"].as_u64(),
        text: text(&value["text"]),
        policy: text(&value["policy"]),
        priority: text(&value["priority"]),
        moment: text(&value["moment"]),
        replay_of: maybe("replayOf"),
        ready_ms: 0,
        attempts: attempts.iter().map(attempt).collect(),
    }
}

fn attempt(value: &Value) -> Attempt {
    let time = |name: &str| value[name].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    Attempt {
        outcome: value["outcome"].as_str().map(str::to_owned),
        begun_ms: time("begunAt").map_or(0, jiff::Timestamp::as_millisecond),
        ended_ms: time("endedAt").map(jiff::Timestamp::as_millisecond),
    }
}
