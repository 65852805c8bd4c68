//! Errors as `application/problem+json` (RFC 9457): a stable code for programs, words that say what to do for people.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use proact::{
    app::{self, Refusal},
    proactive::{self, TemplateError},
    store,
};
use serde_json::{Map, Value, json};

/// An answer that is not the one asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    more: Map<String, Value>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { status, code, title, detail: detail.into(), more: Map::new() }
    }

    /// With one more member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// A parameter or a member of the body that cannot be used.
    pub(crate) fn field(field: &str, detail: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self::new(status, "invalid-parameter", "The request has a value that cannot be used", detail)
            .with("field", field)
    }

    /// A member of an object that is itself the member `name`.
    pub(crate) fn within(mut self, name: &str) -> Self {
        if let Some(Value::String(field)) = self.more.get_mut("field") {
            *field = format!("{name}.{field}");
        }
        self
    }

    /// The same with another name for the field, if it is `from`: a header, not a member.
    pub(crate) fn renamed(mut self, from: &str, to: &str) -> Self {
        if let Some(field) = self.more.get_mut("field")
            && field == from
        {
            *field = to.into();
        }
        self
    }

    /// The same as an error of a field: what a body names is not what a path names.
    pub(crate) fn into_field(self, field: &str) -> Self {
        Self::field(field, self.detail)
    }

    pub(crate) fn body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-body", "The body cannot be read", detail)
    }

    pub(crate) fn no_such_route(path: &str) -> Self {
        let detail = format!("{path} is not a route of this server: docs/http-api.md lists them");
        Self::new(StatusCode::NOT_FOUND, "not-found", "No such route", detail)
    }

    pub(crate) fn no_such_method() -> Self {
        let detail = "this route does not take this method: the Allow header says which it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    /// A defect: logged with its cause, answered without it.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "a request failed");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(
            status,
            "internal",
            "The server failed",
            "this is a defect of the server: its log says more",
        )
    }

    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let title = match refusal {
            Refusal::Host => "This host is not served here",
            Refusal::Origin => "This origin is not allowed",
            Refusal::Proxied => "There is no proxy configured",
            Refusal::NotJson => "The body must be JSON",
            Refusal::TooLarge { .. } => "The body is too large",
            Refusal::JsonTooLarge { .. } | Refusal::JsonTooDeep { .. } => "The body holds too much",
            Refusal::Encoded => "The body must not be compressed",
            Refusal::UriTooLong { .. } | Refusal::HeadersTooLarge { .. } => "The request's head is too large",
            Refusal::TooMany => "Too much is open from this address",
            Refusal::Full => "The server is full",
            Refusal::Stopping => "The server is stopping",
            _ => "The body did not arrive",
        };
        Self::new(refusal.status(), refusal.code(), title, refusal.to_string())
    }
}

impl From<proactive::Error> for Problem {
    fn from(error: proactive::Error) -> Self {
        match error {
            proactive::Error::Store(error) => error.into(),
            proactive::Error::Invalid { field, why } => Self::field(field, why),
            proactive::Error::Activity(why) => Self::field("activity", why),
            proactive::Error::Template(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<TemplateError> for Problem {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Store(error) => error.into(),
            TemplateError::NotFound(_) => {
                Self::new(StatusCode::NOT_FOUND, "template-not-found", "No such template", error.to_string())
            }
            TemplateError::Unusable { .. } => {
                let status = StatusCode::BAD_REQUEST;
                Self::new(status, "template-unusable", "The template cannot be used", error.to_string())
            }
            other => Self::internal(&other),
        }
    }
}

impl From<app::Error> for Problem {
    fn from(error: app::Error) -> Self {
        match error {
            app::Error::Store(error) => error.into(),
            app::Error::Engine(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        let (status, code, title) = match error {
            // Nothing more is taken by this process either: the next one may have what was asked, or not.
            store::Error::Unavailable(_) | store::Error::Broken(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", "The store takes nothing now")
            }
            // Nothing was accepted: the one who asks is to slow down, and asks again with the same key.
            store::Error::Overloaded(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "overloaded", "More is waiting than can be taken on")
            }
            store::Error::KeyReused { .. } => {
                let title = "The idempotency key was used for another request";
                // Not in the engine's words: it may know the request by another name than the client does.
                let detail = "it came before with other content: use a new key for another request";
                return Self::new(StatusCode::CONFLICT, "idempotency-key-reused", title, detail);
            }
            _ => return Self::internal(&error),
        };
        Self::new(status, code, title, error.to_string())
    }
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// How to prove oneself, which every 401 says (RFC 9110, 11.6.1; RFC 6750, 3).
    fn challenge(&self) -> Option<&'static str> {
        match (self.status, self.code) {
            (StatusCode::UNAUTHORIZED, "key-required") => Some("Bearer"),
            (StatusCode::UNAUTHORIZED, _) => Some("Bearer error=\"invalid_token\""),
            _ => None,
        }
    }

    /// The problem as JSON.
    pub(crate) fn into_json(self) -> Value {
        let mut body = json!({
            "type": format!("urn:proact:problem:{}", self.code),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Value::Object(body) = &mut body {
            body.extend(self.more);
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let challenge = self.challenge();
        let mut response = (status, self.into_json().to_string()).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
