//! `GET /v1/status`: the outbox at a glance. What it costs does not grow with what is stored.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    routing::get,
};
use jiff::Timestamp;
use proact::proactive::{Counts, Pause, Proactive, Reach};
use serde::Serialize;

use super::{Rooted, problem::Problem};

/// Pauses that are named at most: there may be one for each conversation.
const NAMED: u32 = 20;

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

async fn show(State(proactive): State<Proactive>) -> Result<Json<Status>, Problem> {
    let counts = proactive.counts().await?;
    let pauses = oldest(&proactive).await?;
    // More may have come since they were counted, or have gone.
    let paused = proactive.paused().max(pauses.len());
    let held_since = proactive.held().await?.map(|held| held.since);
    Ok(Json(Status { counts, pauses, paused, held_since }))
}

async fn oldest(proactive: &Proactive) -> Result<Vec<Pause>, Problem> {
    Ok(proactive.pause_page(None, NAMED, &Reach::everything()).await?.items)
}

/// What keeps accepted messages waiting, in words, for readiness: it takes work all the same.
pub(super) async fn waits_for(proactive: &Proactive) -> Result<Vec<String>, Problem> {
    let breakers = proactive.breakers();
    let pauses = oldest(proactive).await?;
    let mut reasons: Vec<_> = breakers
        .iter()
        .take(NAMED as usize)
        .map(|open| format!("{} is out of order until {}: {}", open.host, open.until, open.reason))
        .collect();
    reasons.extend(pauses.iter().map(|pause| match &pause.reason {
        Some(reason) => format!("{} is paused since {}: {reason}", pause.scope, pause.at),
        None => format!("{} is paused since {}", pause.scope, pause.at),
    }));
    let others =
        breakers.len().saturating_sub(NAMED as usize) + proactive.paused().saturating_sub(pauses.len());
    if others > 0 {
        reasons.push(format!("and {others} more: GET /v1/status and /v1/pauses list them"));
    }
    Ok(reasons)
}
