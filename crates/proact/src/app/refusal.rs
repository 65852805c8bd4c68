//! Why the gate did not let a request through.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// A request that no route has seen. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The Host header names another server, or none.
    #[error(
        "the Host header must name this server: localhost, 127.0.0.1, [::1], or the host of its public URL"
    )]
    Host,
    /// The Origin header is another site's.
    #[error("only pages of this server may call it: leave the Origin header out, or send the server's own")]
    Origin,
    /// A proxy brought it, and nobody has said that there is one.
    #[error(
        "this came through a proxy, but the server is configured for its own machine only: configure `public_url`, which needs credentials"
    )]
    Proxied,
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
    /// The body is compressed, or else coded.
    #[error("bodies are taken as they are: send it without Content-Encoding")]
    Encoded,
    /// Objects and arrays inside each other, too many.
    #[error("the body has more than {limit} objects and arrays inside each other: send it flatter")]
    JsonTooDeep {
        /// How many may be.
        limit: usize,
    },
    /// Too much of something in the body.
    #[error("the body has more than {limit} {what}: send less at once")]
    JsonTooLarge {
        /// Of what.
        what: &'static str,
        /// How much may be.
        limit: usize,
    },
    /// The address that was asked for is too long.
    #[error("the path and its query have more than {limit} bytes: ask for less")]
    UriTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// The headers are too large.
    #[error("the headers have more than {limit} bytes: send fewer or shorter ones")]
    HeadersTooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// One address has too much open.
    #[error("too much is open from this address: wait for answers, or use fewer connections")]
    TooMany,
    /// All addresses together have too much open.
    #[error("the server has as many connections as it takes: try again soon")]
    Full,
    /// The bodies of all requests under way together are too large.
    #[error("the server is reading as much as it can at once: try again soon")]
    Busy,
    /// The server is stopping.
    #[error("the server is stopping: try again when it runs")]
    Stopping,
}

impl Refusal {
    /// The answer's status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Host | Self::Origin | Self::Proxied => StatusCode::FORBIDDEN,
            Self::NotJson | Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } | Self::JsonTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::JsonTooDeep { .. } => StatusCode::BAD_REQUEST,
            Self::UriTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Full | Self::Busy | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A name for it, in words joined by dashes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Host => "host-not-allowed",
            Self::Origin => "origin-not-allowed",
            Self::Proxied => "proxy-not-configured",
            Self::NotJson => "unsupported-media-type",
            Self::TooLarge { .. } => "body-too-large",
            Self::TooSlow => "body-too-slow",
            Self::Broken => "body-broken",
            Self::Encoded => "body-encoded",
            Self::JsonTooDeep { .. } => "body-too-deep",
            Self::JsonTooLarge { .. } => "body-too-complex",
            Self::UriTooLong { .. } => "uri-too-long",
            Self::HeadersTooLarge { .. } => "headers-too-large",
            Self::TooMany => "too-many-from-this-address",
            Self::Full => "too-many-connections",
            Self::Busy => "too-much-at-once",
            Self::Stopping => "stopping",
        }
    }

    /// The name that channels have for it.
    pub(crate) const fn channel_code(&self) -> &'static str {
        match self {
            Self::Host | Self::Origin | Self::Proxied => "Forbidden",
            Self::NotJson | Self::Encoded => "UnsupportedMediaType",
            Self::TooLarge { .. } | Self::JsonTooLarge { .. } => "MessageSizeTooBig",
            Self::TooSlow | Self::Broken | Self::JsonTooDeep { .. } => "BadArgument",
            Self::UriTooLong { .. } | Self::HeadersTooLarge { .. } => "BadArgument",
            Self::TooMany => "TooManyRequests",
            Self::Full | Self::Busy | Self::Stopping => "ServiceUnavailable",
        }
    }

    /// The answer in the shape of channels: `{"error":{"code":"…","message":"…"}}`.
    #[must_use]
    pub fn in_channel_shape(&self) -> Response {
        let code = self.channel_code();
        let body = serde_json::json!({ "error": { "code": code, "message": self.to_string() } });
        let mut response = (self.status(), body.to_string()).into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        self.say_more(response.headers_mut());
        response
    }

    /// Headers that belong to it, whatever its shape: when to try again, and what is taken instead.
    pub fn say_more(&self, headers: &mut HeaderMap) {
        match self {
            Self::TooMany | Self::Full | Self::Busy | Self::Stopping => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::Encoded => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            _ => {}
        }
    }
}
