//! Why the gate did not let a request through.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// A request that no route has seen. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The Host header names another machine, or none.
    #[error("the Host header must name this machine: localhost, 127.0.0.1 or [::1]")]
    Host,
    /// The Origin header is another site's.
    #[error("only pages of this server may call it: leave the Origin header out, or send the server's own")]
    Origin,
    /// There is a body that does not say it is JSON.
    #[error("say what the body is: Content-Type: application/json")]
    NotJson,
    /// The body is larger than allowed.
    #[error("the body is larger than {limit} bytes: send less")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The body took too long.
    #[error("the body took too long to arrive: send it faster")]
    TooSlow,
    /// The body ended before its end.
    #[error("the body did not arrive whole: send it again")]
    Broken,
    /// The server is stopping.
    #[error("the server is stopping: try again when it runs")]
    Stopping,
}

impl Refusal {
    /// The answer's status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A name for it, in words joined by dashes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Host => "host-not-allowed",
            Self::Origin => "origin-not-allowed",
            Self::NotJson => "unsupported-media-type",
            Self::TooLarge { .. } => "body-too-large",
            Self::TooSlow => "body-too-slow",
            Self::Broken => "body-broken",
            Self::Stopping => "stopping",
        }
    }

    /// The answer in the shape of channels: `{"error":{"code":"…","message":"…"}}`.
    #[must_use]
    pub fn in_channel_shape(&self) -> Response {
        let code = match self {
            Self::Host | Self::Origin => "Forbidden",
            Self::NotJson => "UnsupportedMediaType",
            Self::TooLarge { .. } => "MessageSizeTooBig",
            Self::TooSlow | Self::Broken => "BadArgument",
            Self::Stopping => "ServiceUnavailable",
        };
        let body = serde_json::json!({ "error": { "code": code, "message": self.to_string() } });
        (
            self.status(),
            [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body.to_string(),
        )
            .into_response()
    }
}
