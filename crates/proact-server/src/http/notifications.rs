//! `/v1/notifications`: accepting what is to be said, and telling what became of it.
//!
//! An acceptance is answered when it is durable, and only with what stays true: under the same `Idempotency-Key` the same request gets the
//! same answer for as long as the notification is kept.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, State},
    http::{HeaderName, StatusCode, header},
    routing::get,
};
use proact::proactive::{
    Content, NewNotification, Notification, NotificationFilter, NotificationState, Priority, Proactive,
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Rooted,
    idempotency::{self, IdempotencyKey},
    members::Members,
    new_notification,
    problem::Problem,
    query::{Listed, Query, Segment},
    right::Right,
};

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new()
        .route("/v1/notifications", get(list).post(accept))
        .route("/v1/notifications/{id}", get(show))
}

async fn list(
    State(proactive): State<Proactive>,
    right: Right,
    mut query: Query,
) -> Result<Json<Listed<Notification>>, Problem> {
    let filter = NotificationFilter {
        limit: query.limit()?,
        before: query.cursor()?,
        state: query.parse("state", &states(), NotificationState::parse)?,
        conversation: query.conversation()?,
        priority: query.parse("priority", "one of urgent, normal, bulk", Priority::parse)?,
        reach: right.reach(),
    };
    query.end()?;
    Ok(Json(proactive.notifications(filter).await?.into()))
}

/// One notification's whole story.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Story {
    #[serde(flatten)]
    notification: Notification,
    may_have_arrived: bool,
}

async fn show(
    State(proactive): State<Proactive>,
    right: Right,
    Segment(id): Segment,
) -> Result<Json<Story>, Problem> {
    let notification = find(&proactive, &right, &id).await?;
    Ok(Json(Story { may_have_arrived: notification.may_have_arrived(), notification }))
}

/// The notification in a route's path, if it is there and reached.
async fn find(proactive: &Proactive, right: &Right, id: &str) -> Result<Notification, Problem> {
    let found = proactive.notification(read_id(id)?).await?.ok_or_else(|| no_such(id))?;
    if right.notification(&found, proactive).await? { Ok(found) } else { Err(no_such(id)) }
}

/// Its id, in front of what is done to it. Whom it is for never changes, so this holds for what follows.
pub(super) async fn reached(proactive: &Proactive, right: &Right, id: &str) -> Result<Uuid, Problem> {
    match right {
        Right::Operator => read_id(id),
        _ => Ok(find(proactive, right, id).await?.id),
    }
}

/// The answer to an acceptance: what does not change.
#[derive(Debug, Serialize)]
pub(super) struct Accepted {
    pub(super) id: Uuid,
}

/// An acceptance with the address of what was accepted.
pub(super) type Created<T> = (StatusCode, [(HeaderName, String); 1], Json<T>);

pub(super) fn created<T>(id: Uuid, answer: T) -> Created<T> {
    (StatusCode::ACCEPTED, [(header::LOCATION, format!("/v1/notifications/{id}"))], Json(answer))
}

async fn accept(
    State(proactive): State<Proactive>,
    right: Right,
    IdempotencyKey(key): IdempotencyKey,
    body: Bytes,
) -> Result<Created<Accepted>, Problem> {
    let new = new_notification::read(Members::of(&body)?)?;
    right.conversation(&new.conversation)?;
    let id = notify(&proactive, new, key)
        .await
        .map_err(|problem| problem.renamed("idempotencyKey", idempotency::HEADER))?;
    Ok(created(id, Accepted { id }))
}

/// Accepts it. A template that is not there, or cannot be filled with this data, is refused here: later it would only use up tries. But
/// what was accepted before is answered as it was then.
pub(super) async fn notify(
    proactive: &Proactive,
    mut new: NewNotification,
    key: Option<String>,
) -> Result<Uuid, Problem> {
    new.idempotency_key = key;
    if let Content::Template(template) = &new.content
        && let Err(error) = proactive.try_template(template).await
    {
        if let Some(accepted) = proactive.accepted_before(&new).await? {
            return Ok(accepted.id);
        }
        let problem = Problem::from(error);
        return Err(if problem.status() == StatusCode::NOT_FOUND {
            problem.into_field("template.name")
        } else {
            problem
        });
    }
    Ok(proactive.notify(new).await?.id)
}

/// The id in a route's path. What is not an id is not the id of a notification.
fn read_id(id: &str) -> Result<Uuid, Problem> {
    id.parse().map_err(|_| no_such(id))
}

pub(super) fn no_such(id: &str) -> Problem {
    let detail = format!("there is no notification {id}: GET /v1/notifications lists them");
    Problem::new(StatusCode::NOT_FOUND, "notification-not-found", "No such notification", detail)
}

fn states() -> String {
    let words: Vec<_> = NotificationState::ALL.iter().map(|state| state.as_str()).collect();
    format!("one of {}", words.join(", "))
}
