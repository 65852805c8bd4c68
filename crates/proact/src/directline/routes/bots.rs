//! Which bot calls the connector's routes.
//!
//! Asked before a byte of the body is read. A bot that is not let in learns why, and of the channel nothing: not even which conversations
//! there are. Files' addresses open by themselves ([`attachments`](super::attachments)): clients fetch them too.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::auth::Denied;
use crate::directline::Channel;
use crate::directline::error::Problem;

pub(super) async fn admit(
    State(channel): State<Channel>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(bots) = &channel.inner().bots {
        let shown = authorization(request.headers()).map(|shown| shown.map(<[u8]>::to_vec));
        let admitted = match shown {
            Ok(shown) => bots.verify(shown.as_deref()).await.map(drop),
            Err(denied) => Err(denied),
        };
        if let Err(denied) = admitted {
            tracing::warn!(%denied, path = request.uri().path(), "a caller of the connector is not let in");
            return Err(denied.into());
        }
    }
    Ok(next.run(request).await)
}

/// The one `Authorization` header; of several nobody can say which one counts.
fn authorization(headers: &HeaderMap) -> Result<Option<&[u8]>, Denied> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (first, None) => Ok(first.map(HeaderValue::as_bytes)),
        (_, Some(_)) => Err(Denied::NotBearer),
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let status = StatusCode::from_u16(denied.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        Self::new(status, denied.code(), denied.to_string())
    }
}
