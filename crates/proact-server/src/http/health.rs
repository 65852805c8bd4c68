//! `/healthz` and `/readyz`: whether the process answers, and whether it takes work.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde::{Deserialize, Serialize};

use super::{Api, problem::Problem};

/// The answer while the process answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Health {
    /// `ok`
    pub(crate) status: String,
    /// Which process this is: what `server.json` says too.
    pub(crate) instance: String,
}

const HELD: &str =
    "a backup was restored: what waited in it is not sent before `proact release` says what becomes of it";

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))
}

async fn alive(State(api): State<Api>) -> Json<Health> {
    Json(Health { status: "ok".to_owned(), instance: api.instance.to_string() })
}

async fn ready(State(api): State<Api>, headers: HeaderMap) -> Result<Json<serde_json::Value>, Problem> {
    let mut reasons = Vec::new();
    if api.proactive.store().loops().died().is_some() {
        reasons.push("a part of the server has died, and it is ending: its log says more");
    }
    if api.gate.is_stopping() {
        reasons.push("the server is stopping");
    }
    if !api.proactive.store().takes_writes().await {
        reasons.push("the store cannot write: make room on its disk, or make it writable");
    }
    if reasons.is_empty() {
        // It takes work: people are answered, and what is accepted goes when it can. So a host that is out of order, a pause and a hold
        // are said and change nothing: a process that was taken out of service for another's fault could not even take messages.
        let mut reasons = super::status::waits_for(&api.proactive).await?;
        let mut answer = serde_json::json!({ "status": "ready" });
        if let Some(held) = api.proactive.held().await? {
            reasons.insert(0, HELD.to_owned());
            answer = serde_json::json!({ "status": "held", "since": held.since });
        }
        // They name conversations and hosts: for who may see everything.
        let sees = api.access.who(&headers, false).is_ok_and(|right| right.sees_everything());
        if sees && !reasons.is_empty() {
            answer["reasons"] = reasons.into();
        }
        return Ok(Json(answer));
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Err(Problem::new(status, "not-ready", "The server takes no work now", reasons.join("; "))
        .with("reasons", reasons))
}
