//! `/v1/notifications`: what was to be said, to whom, and what became of it.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use proact::proactive::{Notification, NotificationFilter, NotificationState};

use super::{
    Api,
    problem::Problem,
    query::{Listed, Query, Segment},
};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/notifications", get(list)).route("/v1/notifications/{id}", get(show))
}

async fn list(State(api): State<Api>, mut query: Query) -> Result<Json<Listed<Notification>>, Problem> {
    let filter = NotificationFilter {
        limit: query.limit()?,
        before: query.cursor()?,
        state: query.parse("state", &states(), NotificationState::parse)?,
        conversation: query.conversation()?,
    };
    query.end()?;
    Ok(Json(api.proactive.notifications(filter).await?.into()))
}

async fn show(State(api): State<Api>, Segment(id): Segment) -> Result<Json<Notification>, Problem> {
    let found = match id.parse() {
        Ok(id) => api.proactive.notification(id).await?,
        // What is not an id is not the id of a notification.
        Err(_) => None,
    };
    found.map(Json).ok_or_else(|| {
        let detail = format!("there is no notification {id}: GET /v1/notifications lists them");
        Problem::new(StatusCode::NOT_FOUND, "notification-not-found", "No such notification", detail)
    })
}

fn states() -> String {
    let words: Vec<_> = NotificationState::ALL.iter().map(|state| state.as_str()).collect();
    format!("one of {}", words.join(", "))
}
