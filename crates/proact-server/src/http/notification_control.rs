//! `POST /v1/notifications/{id}/cancel | reschedule | replay`: the operator's hand on one notification.
//!
//! Each answers when it is durable. What comes too late is a conflict that says what the notification has become.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, State},
    http::StatusCode,
    routing::post,
};
use jiff::Timestamp;
use proact::proactive::{Cancelled, NotificationState, Proactive, Replayed, Rescheduled};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Rooted,
    idempotency::{self, IdempotencyKey},
    members::Members,
    new_notification,
    notifications::{Created, created, no_such, reached},
    problem::Problem,
    query::Segment,
    right::Right,
};

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new()
        .route("/v1/notifications/{id}/cancel", post(cancel))
        .route("/v1/notifications/{id}/reschedule", post(reschedule))
        .route("/v1/notifications/{id}/replay", post(replay))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledAnswer {
    id: Uuid,
    state: NotificationState,
    may_have_arrived: bool,
}

async fn cancel(
    State(proactive): State<Proactive>,
    right: Right,
    Segment(id): Segment,
    body: Bytes,
) -> Result<Json<CancelledAnswer>, Problem> {
    Members::of(&body)?.end("")?;
    let id = reached(&proactive, &right, &id).await?;
    match proactive.cancel(id).await? {
        Cancelled::Cancelled { may_have_arrived } => {
            Ok(Json(CancelledAnswer { id, state: NotificationState::Cancelled, may_have_arrived }))
        }
        Cancelled::TooLate(state) => Err(too_late(state)),
        _ => Err(no_such(&id.to_string())),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RescheduledAnswer {
    id: Uuid,
    state: NotificationState,
    not_before: Timestamp,
}

async fn reschedule(
    State(proactive): State<Proactive>,
    right: Right,
    Segment(id): Segment,
    body: Bytes,
) -> Result<Json<RescheduledAnswer>, Problem> {
    let mut members = Members::of(&body)?;
    let not_before = members.time("notBefore")?.ok_or_else(|| {
        Problem::field("notBefore", "this is missing: give the time before which it is not to be sent")
    })?;
    members.end("")?;
    let id = reached(&proactive, &right, &id).await?;
    match proactive.reschedule(id, not_before).await? {
        Rescheduled::Waiting => {
            Ok(Json(RescheduledAnswer { id, state: NotificationState::Waiting, not_before }))
        }
        Rescheduled::TooLate(state) => Err(too_late(state)),
        _ => Err(no_such(&id.to_string())),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplayedAnswer {
    id: Uuid,
    replay_of: Uuid,
}

async fn replay(
    State(proactive): State<Proactive>,
    right: Right,
    Segment(id): Segment,
    IdempotencyKey(key): IdempotencyKey,
    body: Bytes,
) -> Result<Created<ReplayedAnswer>, Problem> {
    let mut members = Members::of(&body)?;
    let cause = new_notification::cause(&mut members)?;
    members.end("")?;
    let of = reached(&proactive, &right, &id).await?;
    let replayed = proactive.replay(of, cause, key).await;
    match replayed.map_err(|e| Problem::from(e).renamed("idempotencyKey", idempotency::HEADER))? {
        Replayed::Accepted(accepted) => {
            Ok(created(accepted.id, ReplayedAnswer { id: accepted.id, replay_of: of }))
        }
        Replayed::NotReplayable(state) => {
            let detail = format!("it is {state}: only what failed, or whose outcome is unknown, is replayed");
            let title = "The notification cannot be replayed";
            Err(Problem::new(StatusCode::CONFLICT, "not-replayable", title, detail)
                .with("state", state.as_str()))
        }
        _ => Err(no_such(&id)),
    }
}

fn too_late(state: NotificationState) -> Problem {
    let detail = match state {
        NotificationState::Sending => {
            "its attempt is under way and its bytes may have left: GET it to see how that ends, then ask again".to_owned()
        }
        state => format!("it is {state}: nothing more happens to it"),
    };
    Problem::new(StatusCode::CONFLICT, "too-late", "It is too late for that", detail)
        .with("state", state.as_str())
}
