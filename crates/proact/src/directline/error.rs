//! Errors as the channel's protocol gives them: a status, a code that clients may rely on, and words for people.
//!
//! The words say what to do. They never repeat a secret, a token, or text from a body.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::members::BadUser;
use super::sign::Unsigned;
use super::watermark::Garbage;
use crate::activity::DecodeError;
use crate::store;

/// An answer that is not the one asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// Something in the request is wrong; the message names it.
    pub(super) fn bad_argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadArgument", message)
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MissingProperty", format!("{field}: missing"))
    }

    pub(super) fn unauthorized() -> Self {
        let message = "send the header `Authorization: Bearer` with a token or the secret";
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", message)
    }

    pub(super) fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    pub(super) fn unknown_conversation() -> Self {
        let message = "there is no such conversation: start one with POST /v3/directline/conversations";
        Self::new(StatusCode::NOT_FOUND, "ConversationNotFound", message)
    }

    pub(super) fn stopping() -> Self {
        Self::unavailable("the channel is stopping: try again when it is back")
    }

    /// The channel itself has a defect.
    pub(super) fn failed() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceError", "the channel failed: see its log")
    }

    fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
    }

    #[cfg(test)]
    pub(super) const fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"error": {"code": self.code, "message": self.message}});
        let mut response = (self.status, axum::Json(body)).into_response();
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

impl From<Unsigned> for Problem {
    fn from(why: Unsigned) -> Self {
        match why {
            Unsigned::Invalid => Self::forbidden("this token or secret is not valid here: get a new one"),
            Unsigned::Expired => {
                Self::new(StatusCode::FORBIDDEN, "TokenExpired", "the token has expired: get a new one")
            }
        }
    }
}

impl From<Garbage> for Problem {
    fn from(Garbage: Garbage) -> Self {
        Self::bad_argument(
            "watermark: not one that this channel gave; leave it out to read from the beginning",
        )
    }
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Self {
        match &error {
            DecodeError::Field { field, problem } if problem.starts_with("missing") => Self::missing(field),
            _ => Self::bad_argument(error.to_string()),
        }
    }
}

impl Problem {
    /// The person's account under `field` cannot be used.
    pub(super) fn bad_user(field: &str, error: &BadUser) -> Self {
        Self::bad_argument(format!("{field}.{error}"))
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        if error.is_retryable() {
            return Self::unavailable(
                "the channel cannot store anything now; nothing was changed: try again later",
            );
        }
        tracing::error!(%error, "the Direct Line channel's store failed");
        Self::failed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Activity;

    #[test]
    fn the_code_tells_missing_from_wrong() {
        for (body, code, message) in [
            ("{}", "MissingProperty", "type: missing"),
            (r#"{"type":5}"#, "BadArgument", "type: "),
            (r#"{"type":"message","text":[]}"#, "BadArgument", "text: "),
            ("[]", "BadArgument", "not a JSON object"),
        ] {
            let problem = Problem::from(Activity::decode(body.as_bytes()).unwrap_err());
            assert_eq!(problem.code(), code, "{body}");
            assert!(problem.message.starts_with(message), "{}", problem.message);
        }
    }
}
