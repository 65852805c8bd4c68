//! `/v1/templates`: messages whose words are made when they are sent. One is compiled when it is stored.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, State},
    http::StatusCode,
    routing::get,
};
use proact::proactive::{Proactive, Template, TemplateError};
use serde_json::{Value, json};

use super::{Rooted, members::Members, problem::Problem, query::Segment};

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new()
        .route("/v1/templates", get(list))
        .route("/v1/templates/{name}", get(show).put(store).delete(remove))
}

async fn list(State(proactive): State<Proactive>) -> Result<Json<Value>, Problem> {
    let templates = proactive.templates().await?;
    let items: Vec<_> =
        templates.iter().map(|one| json!({ "name": one.name, "updatedAt": one.updated_at })).collect();
    Ok(Json(json!({ "items": items })))
}

async fn show(State(proactive): State<Proactive>, Segment(name): Segment) -> Result<Json<Template>, Problem> {
    Ok(Json(find(&proactive, name).await?))
}

async fn store(
    State(proactive): State<Proactive>,
    Segment(name): Segment,
    body: Bytes,
) -> Result<Json<Template>, Problem> {
    let mut members = Members::of(&body)?;
    let source: String = members.need("source", "the template's text")?;
    members.end("")?;
    let stored = proactive.put_template(&name, &source).await;
    stored.map_err(|error| Problem::from(error).renamed("template.name", "name"))?;
    Ok(Json(find(&proactive, name).await?))
}

async fn remove(State(proactive): State<Proactive>, Segment(name): Segment) -> Result<StatusCode, Problem> {
    if proactive.remove_template(&name).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(TemplateError::NotFound(name).into())
    }
}

async fn find(proactive: &Proactive, name: String) -> Result<Template, Problem> {
    let found = proactive.template(&name).await?;
    found.ok_or_else(|| TemplateError::NotFound(name).into())
}
