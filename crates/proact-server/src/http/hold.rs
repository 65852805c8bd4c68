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
use serde_json::{Value, json};

use super::{Api, members::Members, problem::Problem, query::Query};

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
    let mut members = Members::of(body)?;
    let send: String = members.need("send", "all, none or recent")?;
    let due_within: Option<u64> = members.read("dueWithinSeconds", "a whole number of seconds")?;
    members.end("")?;
    match (send.as_str(), due_within) {
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
