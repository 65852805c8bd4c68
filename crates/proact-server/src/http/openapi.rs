//! `GET /v1/openapi.json`: what `/v1` takes and answers, as an OpenAPI 3.1 document (<https://spec.openapis.org/oas/v3.1.1.html>).
//!
//! It is open to everybody who reaches the server: it says what the documentation says. It is written by hand, because what is read and
//! written here is no one type a route; that it is true is held by the tests, which look at every request and answer of theirs with it,
//! and at the routes themselves.

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use super::{Api, problem::Problem, query::Query};

/// The document.
pub(super) const DOCUMENT: &str = include_str!("openapi.json");

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/openapi.json", get(show))
}

async fn show(query: Query) -> Result<Response, Problem> {
    query.end()?;
    Ok(([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response())
}
