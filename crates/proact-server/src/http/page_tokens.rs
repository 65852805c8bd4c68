//! `POST /page/tokens`: a Direct Line token for the page, so that no secret ever reaches a browser.
//!
//! A token opens one conversation as one person. Only a page of this very server may ask: the gate has checked the Origin
//! against the Host, and here there must be one. Where the page asks for a sign-in, it must have been signed in.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use proact::directline::{IssueError, IssuedToken, User};
use serde_json::{Map, Value};

use super::{Api, problem::Problem};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/page/tokens", post(issue))
}

async fn issue(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<IssuedToken>, Problem> {
    if !headers.contains_key(header::ORIGIN) {
        let detail = "only the page gets tokens here: send its Origin, or use /v3/directline/tokens/generate with the secret";
        return Err(Problem::new(StatusCode::FORBIDDEN, "origin-required", "An Origin is required", detail));
    }
    // A token is for any person and any conversation: for who may do everything.
    api.access.who(&headers, false)?.is_operator()?;
    let mut members = members(&body)?;
    let mut text = |name: &str| match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Problem::field(name, "this must be a string")),
    };
    let (id, name, conversation) = (text("userId")?, text("userName")?, text("conversationId")?);
    if let Some(unknown) = members.keys().next() {
        return Err(Problem::field(unknown, "there is no such member here"));
    }
    let user = match id {
        // Clients take such an id from a token only: what the page makes up has the form that the channel makes.
        Some(id) if !id.starts_with("dl_") => {
            return Err(Problem::field("userId", "this must begin with dl_"));
        }
        Some(id) => User::new(id, name),
        None => User::generated(name),
    };
    let user = user.map_err(|bad| {
        let field = if bad.field == "id" { "userId" } else { "userName" };
        Problem::field(field, bad.problem)
    })?;
    let issued = match api.access.session_named(&headers) {
        // It ends with the session, and so do the streams that it opens.
        Some(session) => api.channel.issue_token_within(&session, conversation.as_deref(), &user).await,
        None => api.channel.issue_token(conversation.as_deref(), &user).await,
    };
    match issued {
        Ok(token) => Ok(Json(token)),
        Err(IssueError::UnknownConversation) => {
            let detail = "there is no such conversation: leave conversationId out for a new one";
            let title = "No such conversation";
            Err(Problem::new(StatusCode::NOT_FOUND, "conversation-not-found", title, detail)
                .with("field", "conversationId"))
        }
        Err(IssueError::Store(error)) => Err(error.into()),
        Err(other) => Err(Problem::internal(&other)),
    }
}

/// The body's members; no body has none.
fn members(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body).map_err(|_| Problem::body("this must be a JSON object, such as {}"))
}
