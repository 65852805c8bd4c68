//! Conversations: started once, and come back to.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::activities::claimable;
use super::body::JsonBody;
use super::caller::{Caller, Opened, query_parameter};
use super::reached::Reached;
use crate::directline::Channel;
use crate::directline::channel::new_conversation_id;
use crate::directline::claims::{Claims, LIFETIME_SECONDS};
use crate::directline::commands::{Place, Start};
use crate::directline::error::Problem;
use crate::directline::leave::By;
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
    reached: Reached,
    body: JsonBody,
) -> Result<Response, Problem> {
    let introduction = body.introduction()?;
    let now = channel.now();
    let mut key = None;
    let claims = match caller {
        Caller::Secret => Claims::new(&new_conversation_id(), introduction.user.as_ref(), now)
            .for_origins(introduction.origins),
        Caller::Key(grant) => {
            let user = introduction.user.map(|user| claimable(user, "user")).transpose()?;
            key = Some(grant.id.to_string());
            Claims::new(&new_conversation_id(), user.as_ref(), now)
                .for_origins(introduction.origins)
                .by(Some(By::Key(grant.id.to_string())))
        }
        Caller::Token(claims) if claims.user.is_some() => claims.renewed(now),
        Caller::Token(claims) => {
            let user = introduction.user.map(|user| claimable(user, "user")).transpose()?;
            Claims::new(&claims.conv, user.as_ref(), now).for_origins(claims.origins).by(claims.by)
        }
    };
    let user = claims.user();
    if channel.inner().stop.is_cancelled() {
        return Err(Problem::stopping());
    }
    let place = Place::new(&claims.conv).ok_or_else(Problem::unknown_conversation)?;
    let charge = channel.inner().quota.charge(&place, body.0.len(), 0, now)?;
    let most = channel.limits().members;
    let start = Start { place: place.clone(), user, locale: introduction.locale, key, most };
    // In a task of its own: a client that hangs up must not keep the bot from hearing of the join.
    let task = channel.inner().tasks.spawn({
        let channel = channel.clone();
        let place = place.clone();
        async move {
            let started = channel.inner().store.commit(start).await??;
            if !started.joins.is_empty() {
                charge.keep();
            }
            channel.tell_later(place, started.joins);
            Ok::<_, Problem>(started.created)
        }
    });
    let created = task.await.map_err(|_| Problem::failed())??;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let conversation = Conversation::new(&channel, &claims, 0, &reached);
    Ok((status, Json(conversation)).into_response())
}

/// A new token and a new stream, from the watermark on; without one, from now on.
pub(super) async fn reconnect(
    State(channel): State<Channel>,
    Opened { caller, place }: Opened,
    RawQuery(query): RawQuery,
    reached: Reached,
) -> Result<Response, Problem> {
    let after =
        channel.inner().hub.generation.read(query_parameter(query.as_deref(), "watermark").as_deref())?;
    let locate = Locate { place: place.clone(), after, otherwise: Otherwise::Now };
    let seq = channel.inner().store.read(locate).await?.ok_or_else(Problem::unknown_conversation)?;
    let now = channel.now();
    let claims = match caller {
        Caller::Secret => Claims::new(&place.id, None, now),
        Caller::Key(grant) => Claims::new(&place.id, None, now).by(Some(By::Key(grant.id.to_string()))),
        Caller::Token(claims) => claims.renewed(now),
    };
    Ok(Json(Conversation::new(&channel, &claims, seq, &reached)).into_response())
}

impl Conversation {
    fn new(channel: &Channel, claims: &Claims, seq: i64, reached: &Reached) -> Self {
        let signer = &channel.inner().signer;
        let stream_url = format!(
            "{}/v3/directline/conversations/{}/stream?watermark={}&t={}",
            reached.ws(),
            claims.conv,
            channel.inner().hub.generation.written(seq),
            signer.ticket(claims, channel.now()),
        );
        Self {
            conversation_id: claims.conv.clone(),
            token: signer.token(claims),
            expires_in: LIFETIME_SECONDS,
            stream_url,
        }
    }
}
