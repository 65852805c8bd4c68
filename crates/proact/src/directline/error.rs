//! Errors as the channel's protocol gives them: a status, a code that clients may rely on, and words for people.
//!
//! The words say what to do. They never repeat a secret, a token, or text from a body.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::commands::Closed;
use super::members::BadUser;
use super::origins::BadOrigins;
use super::quota::Exceeded;
use super::sign::Unsigned;
use super::watermark::Garbage;
use crate::activity::DecodeError;
use crate::app::Refusal;
use crate::store;

/// An answer that is not the one asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    /// In seconds; where it is not said, what is worth trying again is so in a second.
    retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// Something in the request is wrong; the message names it.
    pub(super) fn bad_argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadArgument", message)
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MissingProperty", format!("{field}: missing"))
    }

    /// The same, about a part of what was sent.
    pub(super) fn within(self, field: &str) -> Self {
        Self { message: format!("{field}.{}", self.message).into(), ..self }
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

    /// The conversation was ended. Clients take `404` for an end, and do not try again.
    pub(super) fn ended() -> Self {
        let message =
            "the conversation has ended: it can be read, and nothing can be sent any more; start a new one";
        Self::new(StatusCode::NOT_FOUND, "ConversationEnded", message)
    }

    pub(super) fn unknown_activity() -> Self {
        let message = "there is no such activity in this conversation (any more)";
        Self::new(StatusCode::NOT_FOUND, "ActivityNotFound", message)
    }

    pub(super) fn unknown_member() -> Self {
        let message = "there is no such member in this conversation: GET …/members lists them";
        Self::new(StatusCode::NOT_FOUND, "MemberNotFound", message)
    }

    pub(super) fn unknown_attachment() -> Self {
        let message = "there is no such attachment, or its time is over";
        Self::new(StatusCode::NOT_FOUND, "AttachmentNotFound", message)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {} KiB: send less at once", limit / 1024);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "MessageSizeTooBig", message)
    }

    pub(super) fn unsupported(message: &'static str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    pub(super) fn stopping() -> Self {
        Self::unavailable("the channel is stopping: try again when it is back")
    }

    /// The channel itself has a defect.
    pub(super) fn failed() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceError", "the channel failed: see its log")
    }

    pub(super) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
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
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                let seconds = HeaderValue::from(self.retry_after.unwrap_or(1));
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
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

impl From<Closed> for Problem {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Unknown => Self::unknown_conversation(),
            Closed::Ended => Self::ended(),
            Closed::Full { most } => {
                let message = format!(
                    "the conversation has {most} members, as many as it may: speak as one of them, or start another one"
                );
                Self::new(StatusCode::FORBIDDEN, "ConversationFull", message)
            }
        }
    }
}

impl From<Exceeded> for Problem {
    fn from(Exceeded { what, limit, wait }: Exceeded) -> Self {
        let message = format!(
            "this conversation has been sent as many {what} as it may be in an hour ({limit}): try again in {wait} seconds"
        );
        let retry_after = Some(wait);
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message) }
    }
}

impl Problem {
    /// What the gate would have said of JSON that it cannot see, because it is in a form.
    pub(super) fn refused(field: &str, refusal: &Refusal) -> Self {
        Self::new(refusal.status(), refusal.channel_code(), format!("{field}: {refusal}"))
    }
}

impl From<BadOrigins> for Problem {
    fn from(error: BadOrigins) -> Self {
        Self::bad_argument(error.to_string())
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
