//! Where the client itself reaches this server.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::uri::Scheme;
use axum::http::{header, request::Parts};

use crate::directline::Channel;

/// Scheme, host and port as the client knows them, such as `http://localhost:3978`: a page may open a stream only to the very host it
/// came from, and shows pictures from there only. The scheme is what stands before the routes says (`http::uri::Scheme` as an
/// extension: a proxy may end TLS), else that of the channel's own URL.
pub(super) struct Reached(String);

impl Reached {
    pub(super) fn of(parts: &Parts, channel: &Channel) -> Self {
        let base = &channel.inner().base_url;
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
        let scheme = parts.extensions.get::<Scheme>().map_or(base.scheme(), Scheme::as_str);
        Self(format!("{scheme}://{}", host.unwrap_or(base.authority())))
    }

    /// For files and pages.
    pub(super) fn http(&self) -> &str {
        &self.0
    }

    /// For streams.
    pub(super) fn ws(&self) -> String {
        self.0.replacen("http", "ws", 1)
    }
}

impl FromRequestParts<Channel> for Reached {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, channel: &Channel) -> Result<Self, Infallible> {
        Ok(Self::of(parts, channel))
    }
}
