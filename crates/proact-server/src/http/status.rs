//! `GET /v1/status`: the outbox at a glance. What it costs does not grow with what is stored.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    routing::get,
};
use jiff::Timestamp;
use proact::proactive::{Counts, Pause, Proactive};
use serde::Serialize;

use super::{Rooted, problem::Problem, query::Query};

/// Pauses that are named at most: there may be one for each conversation.
const NAMED: usize = 20;

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new().route("/v1/status", get(show))
}

/// How things are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    #[serde(flatten)]
    counts: Counts,
    /// The oldest pauses.
    pauses: Vec<Pause>,
    /// How many there are.
    paused: usize,
    /// Since when a restored backup is held.
    held_since: Option<Timestamp>,
}

async fn show(State(proactive): State<Proactive>, query: Query) -> Result<Json<Status>, Problem> {
    query.end()?;
    let counts = proactive.counts().await?;
    let mut pauses = proactive.pauses().await?;
    let paused = pauses.len();
    pauses.truncate(NAMED);
    let held_since = proactive.held().await?.map(|held| held.since);
    Ok(Json(Status { counts, pauses, paused, held_since }))
}

/// What keeps accepted messages waiting, in words, for readiness: it takes work all the same.
pub(super) async fn waits_for(proactive: &Proactive) -> Result<Vec<String>, Problem> {
    let breakers = proactive.breakers();
    let pauses = proactive.pauses().await?;
    let mut reasons: Vec<_> = breakers
        .iter()
        .take(NAMED)
        .map(|open| format!("{} is out of order until {}: {}", open.host, open.until, open.reason))
        .collect();
    reasons.extend(pauses.iter().take(NAMED).map(|pause| match &pause.reason {
        Some(reason) => format!("{} is paused since {}: {reason}", pause.scope, pause.at),
        None => format!("{} is paused since {}", pause.scope, pause.at),
    }));
    let others = breakers.len().saturating_sub(NAMED) + pauses.len().saturating_sub(NAMED);
    if others > 0 {
        reasons.push(format!("and {others} more: GET /v1/status and /v1/pauses list them"));
    }
    Ok(reasons)
}
