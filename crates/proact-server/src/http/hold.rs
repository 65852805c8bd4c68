//! `/v1/hold`: what a restore holds back, and the operator's word on it.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use proact::{
    app::{self, Freed, Held},
    proactive::Release,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, problem::Problem, query::Query};

/// Conversations that are named at most.
const NAMED: u32 = 1000;
/// And when nothing else is asked for.
const USUALLY: u32 = 10;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/hold", get(show)).route("/v1/hold/release", post(release))
}

/// `null` in `held` while nothing is.
async fn show(State(api): State<Api>, mut query: Query) -> Result<Json<Value>, Problem> {
    let what = format!("a number from 0 to {NAMED}");
    let read = |text: &str| text.parse().ok().filter(|n| *n <= NAMED);
    let limit = query.parse("limit", &what, read)?.unwrap_or(USUALLY);
    query.end()?;
    let held: Option<Held> = app::held(&api.parts.proactive, limit).await?;
    Ok(Json(json!({ "held": held })))
}

/// What is wanted, as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    /// `all`, `none`, or `recent`.
    send: String,
    /// With `recent`: what came due within so many seconds, or comes due later.
    due_within_seconds: Option<u64>,
}

async fn release(State(api): State<Api>, body: Bytes) -> Result<Json<Freed>, Problem> {
    let wanted = read(&body)?;
    match api.parts.release(wanted).await? {
        Some(freed) => Ok(Json(freed)),
        None => {
            let detail = "nothing is held: no backup was restored, or somebody has released it";
            Err(Problem::new(StatusCode::CONFLICT, "not-held", "Nothing is held", detail))
        }
    }
}

fn read(body: &[u8]) -> Result<Release, Problem> {
    let shape = r#"{"send":"all"}, {"send":"none"} or {"send":"recent","dueWithinSeconds":7200}"#;
    let wanted: Wanted = serde_json::from_slice(body)
        .map_err(|error| Problem::body(format!("this must be {shape} ({error})")))?;
    match (wanted.send.as_str(), wanted.due_within_seconds) {
        ("all", None) => Ok(Release::Send),
        ("none", None) => Ok(Release::Drop),
        ("recent", Some(seconds)) => Ok(Release::SendDueWithin(Duration::from_secs(seconds))),
        ("recent", None) => {
            Err(Problem::field("dueWithinSeconds", "say within how many seconds it came due"))
        }
        ("all" | "none", Some(_)) => {
            Err(Problem::field("dueWithinSeconds", "this goes with \"send\":\"recent\" only"))
        }
        _ => Err(Problem::field("send", "this must be all, none or recent")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_said_exactly() {
        let of = |body: &str| read(body.as_bytes()).ok();
        assert_eq!(of(r#"{"send":"all"}"#), Some(Release::Send));
        assert_eq!(of(r#"{"send":"none"}"#), Some(Release::Drop));
        let recent = of(r#"{"send":"recent","dueWithinSeconds":7200}"#);
        assert_eq!(recent, Some(Release::SendDueWithin(Duration::from_secs(7200))));
        for wrong in [
            "",
            "{}",
            "[]",
            r#"{"send":"some"}"#,
            r#"{"send":"recent"}"#,
            r#"{"send":"all","dueWithinSeconds":1}"#,
            r#"{"send":"recent","dueWithinSeconds":-1}"#,
            r#"{"send":"all","drop":true}"#,
        ] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
