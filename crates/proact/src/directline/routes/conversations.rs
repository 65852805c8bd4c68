//! Conversations: started once, and come back to.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::body::JsonBody;
use super::caller::{Caller, Opened, query_parameter};
use crate::directline::Channel;
use crate::directline::channel::new_conversation_id;
use crate::directline::claims::{Claims, LIFETIME_SECONDS};
use crate::directline::commands::{Place, Start};
use crate::directline::error::Problem;
use crate::directline::queries::{Locate, Otherwise};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Conversation {
    conversation_id: String,
    token: String,
    #[serde(rename = "expires_in")]
    expires_in: i64,
    stream_url: String,
}

/// `201` with a new conversation; `200` with the token's own if that was started before. Either way the stream begins
/// at the beginning.
pub(super) async fn start(
    State(channel): State<Channel>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    let introduction = body.introduction()?;
    let now = channel.now();
    let claims = match caller {
        Caller::Secret => Claims::new(&new_conversation_id(), introduction.user.as_ref(), now)
            .for_origins(introduction.origins),
        Caller::Token(claims) if claims.user.is_some() => claims.renewed(now),
        Caller::Token(claims) => {
            Claims::new(&claims.conv, introduction.user.as_ref(), now).for_origins(claims.origins)
        }
    };
    let user = claims.user();
    if channel.inner().stop.is_cancelled() {
        return Err(Problem::stopping());
    }
    let place = Place::new(&claims.conv).ok_or_else(Problem::unknown_conversation)?;
    let start = Start { place: place.clone(), user, locale: introduction.locale };
    // In a task of its own: a client that hangs up must not keep the bot from hearing of the join.
    let task = channel.inner().tasks.spawn({
        let channel = channel.clone();
        let place = place.clone();
        async move {
            let started = channel.inner().store.commit(start).await?;
            channel.tell_later(place, started.joins);
            Ok::<_, Problem>(started.created)
        }
    });
    let created = task.await.map_err(|_| Problem::failed())??;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let conversation = Conversation::new(&channel, &claims, 0, &uri, &headers);
    Ok((status, Json(conversation)).into_response())
}

/// A new token and a new stream, from the watermark on; without one, from now on.
pub(super) async fn reconnect(
    State(channel): State<Channel>,
    Opened { caller, place }: Opened,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after =
        channel.inner().hub.generation.read(query_parameter(query.as_deref(), "watermark").as_deref())?;
    let locate = Locate { place: place.clone(), after, otherwise: Otherwise::Now };
    let seq = channel.inner().store.read(locate).await?.ok_or_else(Problem::unknown_conversation)?;
    let now = channel.now();
    let claims = match caller {
        Caller::Secret => Claims::new(&place.id, None, now),
        Caller::Token(claims) => claims.renewed(now),
    };
    Ok(Json(Conversation::new(&channel, &claims, seq, &uri, &headers)).into_response())
}

impl Conversation {
    fn new(channel: &Channel, claims: &Claims, seq: i64, uri: &Uri, headers: &HeaderMap) -> Self {
        let signer = &channel.inner().signer;
        let base = &channel.inner().base_url;
        let scheme = if base.scheme() == "https" { "wss" } else { "ws" };
        let stream_url = format!(
            "{scheme}://{}/v3/directline/conversations/{}/stream?watermark={}&t={}",
            authority(uri, headers).unwrap_or_else(|| base.authority().to_owned()),
            claims.conv,
            channel.inner().hub.generation.written(seq),
            signer.ticket(&claims.conv, &claims.origins, channel.now()),
        );
        Self {
            conversation_id: claims.conv.clone(),
            token: signer.token(claims),
            expires_in: LIFETIME_SECONDS,
            stream_url,
        }
    }
}

/// Where the client itself reaches this server: a page may open a stream only to the very host it came from.
pub(super) fn authority(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.or_else(|| uri.authority().map(|authority| authority.as_str())).map(str::to_owned)
}
