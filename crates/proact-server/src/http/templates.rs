//! `/v1/templates`: messages whose words are made when they are sent. One is compiled when it is stored.

use axum::{Json, Router, body::Bytes, extract::State, http::StatusCode, routing::get};
use proact::proactive::{Template, TemplateError};
use serde_json::{Value, json};

use super::{
    Api,
    members::Members,
    problem::Problem,
    query::{Query, Segment},
};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/templates", get(list))
        .route("/v1/templates/{name}", get(show).put(store).delete(remove))
}

async fn list(State(api): State<Api>, query: Query) -> Result<Json<Value>, Problem> {
    query.end()?;
    let templates = api.proactive.templates().await?;
    let items: Vec<_> =
        templates.iter().map(|one| json!({ "name": one.name, "updatedAt": one.updated_at })).collect();
    Ok(Json(json!({ "items": items })))
}

async fn show(State(api): State<Api>, Segment(name): Segment) -> Result<Json<Template>, Problem> {
    Ok(Json(find(&api, name).await?))
}

async fn store(
    State(api): State<Api>,
    Segment(name): Segment,
    body: Bytes,
) -> Result<Json<Template>, Problem> {
    let mut members = Members::of(&body)?;
    let source: String = members.need("source", "the template's text")?;
    members.end("")?;
    let stored = api.proactive.put_template(&name, &source).await;
    stored.map_err(|error| Problem::from(error).renamed("template.name", "name"))?;
    Ok(Json(find(&api, name).await?))
}

async fn remove(State(api): State<Api>, Segment(name): Segment) -> Result<StatusCode, Problem> {
    if api.proactive.remove_template(&name).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(TemplateError::NotFound(name).into())
    }
}

async fn find(api: &Api, name: String) -> Result<Template, Problem> {
    let found = api.proactive.template(&name).await?;
    found.ok_or_else(|| TemplateError::NotFound(name).into())
}
