//! `POST /api/messages`: the adapter behind axum.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};

use super::{Adapter, Answer};

/// The largest activity that is read.
const LARGEST: usize = 1024 * 1024;

impl Adapter {
    /// A router with `POST /api/messages`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/api/messages", post(messages).fallback(not_post))
            .layer(DefaultBodyLimit::disable())
            .with_state(self.clone())
    }
}

async fn messages(State(adapter): State<Adapter>, headers: HeaderMap, request: Request) -> Answer {
    if !is_json(&headers) {
        return Answer::error(415, "UnsupportedMediaType", "send the activity as application/json");
    }
    match axum::body::to_bytes(request.into_body(), LARGEST).await {
        Ok(body) => adapter.process(body).await,
        Err(error) => {
            let too_large = std::error::Error::source(&error)
                .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
            if too_large {
                Answer::error(413, "MessageSizeTooBig", "an activity has at most 1 MiB")
            } else {
                Answer::bad("the body could not be read")
            }
        }
    }
}

async fn not_post() -> Response {
    let answer = Answer::error(405, "MethodNotAllowed", "activities are posted");
    ([(header::ALLOW, "POST")], answer).into_response()
}

/// `application/json`, or a kind of JSON (`application/…+json`); what a page of another origin can send unasked is neither.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = media_type(headers).map(str::to_ascii_lowercase);
    let subtype = kind.as_deref().and_then(|kind| kind.strip_prefix("application/"));
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// What the headers say that the body is, without parameters such as a character set.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    Some(headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim())
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self.body {
            None => status.into_response(),
            Some(body) => {
                (status, [(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
            }
        }
    }
}
