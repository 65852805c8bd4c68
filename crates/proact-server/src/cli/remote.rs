//! The server that runs on the data folder, as a client of its HTTP API.

use std::{path::Path, time::Duration};

use axum::http::{HeaderMap, HeaderValue, Method, header};
use bytes::Bytes;
use proact::{
    app::{Freed, Held},
    egress::{BearerToken, Credential, Guard, Options, Request},
    proactive::Release,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Failed,
    source::{Completed, End},
};
use crate::{
    http::Health,
    server::{LocalKey, Running},
};

/// A server that does not answer within this time is not taken for one.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Remote {
    guard: Guard,
    base: String,
}

struct Answer {
    status: u16,
    body: Bytes,
}

impl Remote {
    /// The server that `running` speaks of, if it is there and still the same.
    pub(super) async fn find(running: &Running, data: &Path) -> Option<Self> {
        let base = format!("http://{}", running.address);
        let remote = Self { guard: guard(&base, None)?, base };
        let answer = remote.ask(Method::GET, "/healthz").await.ok()?;
        let health: Health = serde_json::from_slice(&answer.body).ok()?;
        if health.instance != running.instance {
            return None;
        }
        // What lets the data folder's owner in goes only to a server that is known by its instance. It is good for that process alone.
        match LocalKey::read(data) {
            Some(key) => Some(Self { guard: guard(&remote.base, Some(key))?, ..remote }),
            None => Some(remote),
        }
    }

    pub(super) async fn job(&self, number: u64) -> Result<Option<Value>, Failed> {
        let answer = self.ask(Method::GET, &format!("/v1/jobs/{number}")).await?;
        match answer.status {
            200 => answer.read().map(Some),
            404 => Ok(None),
            _ => Err(answer.refused()),
        }
    }

    pub(super) async fn end(&self, number: u64, end: End) -> Result<Completed, Failed> {
        let (verb, body) = match end {
            End::Complete => ("complete", json!({})),
            End::Fail { reason } => ("fail", json!({ "reason": reason })),
            End::Cancel => ("cancel", json!({})),
        };
        let answer =
            self.send(Method::POST, &format!("/v1/jobs/{number}/{verb}"), body.to_string().into()).await?;
        match answer.status {
            200 => Ok(Completed::Now(answer.read()?)),
            404 => Ok(Completed::NoSuchJob),
            409 => Ok(Completed::Before),
            _ => Err(answer.refused()),
        }
    }

    pub(super) async fn held(&self, limit: u32) -> Result<Option<Held>, Failed> {
        #[derive(Deserialize)]
        struct Shown {
            held: Option<Held>,
        }
        let answer = self.ask(Method::GET, &format!("/v1/hold?limit={limit}")).await?;
        if answer.status == 200 { Ok(answer.read::<Shown>()?.held) } else { Err(answer.refused()) }
    }

    pub(super) async fn release(&self, release: Release) -> Result<Option<Freed>, Failed> {
        let wanted = match release {
            Release::Send => json!({ "send": "all" }),
            Release::SendDueWithin(age) => json!({ "send": "recent", "dueWithinSeconds": age.as_secs() }),
            _ => json!({ "send": "none" }),
        };
        let answer = self.send(Method::POST, "/v1/hold/release", wanted.to_string().into()).await?;
        match answer.status {
            200 => answer.read().map(Some),
            409 => Ok(None),
            _ => Err(answer.refused()),
        }
    }

    /// Any request, with these headers beside its own: status and body.
    pub(super) async fn request(
        &self,
        method: Method,
        path: &str,
        more: HeaderMap,
        body: Bytes,
    ) -> Result<(u16, Bytes), Failed> {
        let answer = self.send_with(method, path, more, body).await?;
        Ok((answer.status, answer.body))
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Answer, Failed> {
        let body = if method == Method::POST { Bytes::from_static(b"{}") } else { Bytes::new() };
        self.send(method, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, Failed> {
        self.send_with(method, path, HeaderMap::new(), body).await
    }

    async fn send_with(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Failed> {
        let url =
            self.guard.check(&format!("{}{path}", self.base)).map_err(|error| Failed::because(&error))?;
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let answer = self.guard.send(Request { method, url, headers, body }).await.map_err(|error| {
            Failed::because(&format!("the server at {} does not answer: {error}", self.base))
        })?;
        Ok(Answer { status: answer.status, body: answer.body })
    }
}

/// A way to this server alone, with what lets the owner of its data in.
fn guard(base: &str, key: Option<String>) -> Option<Guard> {
    let credential = key.map(|key| Credential::fixed(BearerToken::new(key)));
    let options = Options { timeout: PATIENCE, ..Options::default() };
    Guard::builder().configured(base, credential).options(options).build().ok()
}

impl Answer {
    fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failed> {
        serde_json::from_slice(&self.body).map_err(|_| {
            Failed::because(&"the server's answer cannot be read: is it another version of the program?")
        })
    }

    /// The server's own words.
    fn refused(&self) -> Failed {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no reason given");
        Failed::because(&format!("the server answered {}: {detail}", self.status))
    }
}
