//! `POST /api/messages`: the adapter as a service of the tower kind, and as a router of axum's.
//!
//! The service does not look at the path: whoever mounts it decides that. What it answers is in the [table](super) of the room.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::task::{Context, Poll};

use axum::{
    Router,
    body::{Body, HttpBody},
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use tower::Service;

use super::{Adapter, Answer};
use crate::auth::Denied;

/// The largest activity that is read.
const LARGEST: usize = 1024 * 1024;

/// Takes activities, posted to wherever it is mounted; made by [`Adapter::service`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MessagesService(Adapter);

impl Adapter {
    /// A router with `POST /api/messages`.
    pub fn router(&self) -> Router {
        Router::new().route_service("/api/messages", self.service())
    }

    /// The adapter as a [`tower::Service`], to be mounted at any path, below any layers:
    ///
    /// ```
    /// # use proact::adapter::Adapter;
    /// use axum::{Router, routing::get};
    /// use tower_http::trace::TraceLayer;
    ///
    /// # fn example(adapter: Adapter) -> Router {
    /// Router::new()
    ///     .route("/", get(async || "This program has a bot, too."))
    ///     .route_service("/bots/reports/messages", adapter.service())
    ///     .layer(TraceLayer::new_for_http())
    /// # }
    /// ```
    ///
    /// A layer that cuts a request off (a time limit) cuts off the answer alone: the turn goes on in its own task. A body is read up
    /// to 1 MiB, after the caller was let in by the adapter's [authenticator](super::AdapterBuilder::authenticator). Without one nobody is asked.
    /// No `Host` or `Origin` is checked: on loopback, put [`Gate::in_front_of`](crate::app::Gate::in_front_of) before it.
    #[must_use]
    pub fn service(&self) -> MessagesService {
        MessagesService(self.clone())
    }
}

impl<B> Service<Request<B>> for MessagesService
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let adapter = self.0.clone();
        let (head, body) = request.into_parts();
        let body = Body::new(body);
        async move {
            if head.method != Method::POST {
                return Ok(not_post());
            }
            Ok(messages(adapter, &head.headers, body).await)
        }
        .boxed()
    }
}

async fn messages(adapter: Adapter, headers: &HeaderMap, body: Body) -> Response {
    // Before a byte of the body is read: who may not speak costs a header.
    let asking = match adapter.who_asks(authorization(headers)).await {
        Ok(asking) => asking,
        Err(denied) => return not_let_in(&denied),
    };
    if !is_json(headers) {
        return Answer::error(415, "UnsupportedMediaType", "send the activity as application/json")
            .into_response();
    }
    let answer = match axum::body::to_bytes(body, LARGEST).await {
        Ok(body) => adapter.process_of(asking, body).await,
        Err(error) => {
            let too_large = StdError::source(&error)
                .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
            if too_large {
                Answer::error(413, "MessageSizeTooBig", "an activity has at most 1 MiB")
            } else {
                Answer::bad("the body could not be read")
            }
        }
    };
    answer.into_response()
}

/// The one `Authorization` header; of several nobody can say which one counts.
fn authorization(headers: &HeaderMap) -> Result<Option<&[u8]>, Denied> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (first, None) => Ok(first.map(HeaderValue::as_bytes)),
        (_, Some(_)) => Err(Denied::NotBearer),
    }
}

/// The answer to who is not let in; a 401 says what would be needed (RFC 6750, section 3).
fn not_let_in(denied: &Denied) -> Response {
    let answer = Answer::denied(denied);
    let needed = match denied {
        Denied::Missing => "Bearer",
        _ => "Bearer error=\"invalid_token\"",
    };
    match answer.status {
        401 => ([(header::WWW_AUTHENTICATE, needed)], answer).into_response(),
        _ => answer.into_response(),
    }
}

fn not_post() -> Response {
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
