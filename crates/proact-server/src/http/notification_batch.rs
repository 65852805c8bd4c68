//! `POST /v1/notifications/batch`: up to 1,000 notifications in one request, each with its own result.
//!
//! They are handed over in their order and all at once, so that they share commits; each is accepted or refused by itself, and answered
//! when it is durable. A request as a whole is refused only when it cannot be read or is too large.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, State},
    routing::post,
};
use futures_util::future::join_all;
use proact::proactive::Proactive;
use serde_json::{Value, json, value::RawValue};

use super::{
    Rooted, idempotency, members::Members, new_notification, notifications::notify, problem::Problem,
    right::Right,
};

/// Notifications in one request at most.
const LARGEST: usize = 1000;

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new().route("/v1/notifications/batch", post(accept))
}

async fn accept(
    State(proactive): State<Proactive>,
    right: Right,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let mut members = Members::of(&body)?;
    let what = "a list of notifications";
    let Some(list) = members.take("notifications")? else {
        return Err(Problem::field("notifications", format!("this is missing: give {what}")));
    };
    members.end("")?;
    let items: Vec<&RawValue> = serde_json::from_str(list.get())
        .map_err(|_| Problem::field("notifications", format!("this must be {what}")))?;
    if items.is_empty() || items.len() > LARGEST {
        let detail = format!("give 1 to {LARGEST} notifications in a request, not {}", items.len());
        return Err(Problem::field("notifications", detail));
    }
    let results = join_all(items.into_iter().map(|item| one(&proactive, &right, item))).await;
    Ok(Json(json!({ "results": results })))
}

/// The result of one: as a request of its own would have been answered.
async fn one(proactive: &Proactive, right: &Right, item: &RawValue) -> Value {
    let accepted = async {
        let object = || Problem::body("each notification must be a JSON object");
        let mut members: Members<'_> = serde_json::from_str(item.get()).map_err(|_| object())?;
        let key = members.text("idempotencyKey")?.map(|key| idempotency::of(right, key)).transpose()?;
        let new = new_notification::read(members)?;
        right.conversation(&new.conversation)?;
        notify(proactive, new, key).await
    };
    match accepted.await {
        Ok(id) => json!({ "status": 202, "id": id }),
        Err(problem) => json!({ "status": problem.status().as_u16(), "problem": problem.into_json() }),
    }
}
