//! Conversations that bots begin, and the list of all.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::body::JsonBody;
use super::caller::query_parameter;
use super::connector::{is_shown, of_bot};
use crate::activity::{ChannelAccount, ConversationParameters, ConversationResourceResponse, decode};
use crate::directline::channel::new_conversation_id;
use crate::directline::commands::{Create, Place};
use crate::directline::error::Problem;
use crate::directline::members::{BOT_ID, bot};
use crate::directline::queries::{ListConversations, ListedConversation};
use crate::directline::{Channel, User, frame};

/// Conversations on a page.
const PAGE: usize = 100;
/// People shown of one conversation; its members' own routes show all.
const MEMBERS: usize = 100;

/// Begins a conversation with these members and this first activity. A client opens it with the secret, or with a token
/// that was made for it.
pub(super) async fn create(
    State(channel): State<Channel>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<ConversationResourceResponse>), Problem> {
    let parameters: ConversationParameters = decode(&body)?;
    let most = channel.limits().members;
    if parameters.members.len() > most {
        return Err(Problem::bad_argument(format!("members: more than {most}: begin several conversations")));
    }
    let mut members = Vec::new();
    for (n, account) in parameters.members.into_iter().enumerate() {
        let field = format!("members[{n}]");
        let id =
            account.id.filter(|id| !id.is_empty()).ok_or_else(|| Problem::missing(&format!("{field}.id")))?;
        if id != BOT_ID {
            members.push(User::new(id, account.name).map_err(|error| Problem::bad_user(&field, &error))?);
        }
    }
    let place = Place::new(&new_conversation_id()).ok_or_else(Problem::failed)?;
    let first = match parameters.activity {
        None => None,
        Some(activity) if is_shown(&activity.activity_type) => Some(frame::body(&of_bot(*activity, &place))),
        Some(_) => return Err(Problem::bad_argument("activity.type: clients are not shown this type")),
    };
    let seq = channel.inner().store.commit(Create { place: place.clone(), members, first }).await?;
    let answer = ConversationResourceResponse {
        activity_id: seq.map(|seq| frame::id(&place.id, seq)),
        service_url: Some(channel.inner().to_bot.service_url.clone()),
        id: Some(place.id.to_string()),
        ..ConversationResourceResponse::default()
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<String>,
    conversations: Vec<Conversation>,
}

#[derive(Serialize)]
struct Conversation {
    id: String,
    members: Vec<ChannelAccount>,
}

/// A page of all conversations. One without a token is the last.
pub(super) async fn list(
    State(channel): State<Channel>,
    RawQuery(query): RawQuery,
) -> Result<Json<Page>, Problem> {
    let token = query_parameter(query.as_deref(), "continuationToken").filter(|token| !token.is_empty());
    let after = token.as_deref().map(after).transpose()?;
    let list = ListConversations { after, limit: PAGE + 1, members: MEMBERS };
    let mut found = channel.inner().store.read(list).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let last = found.last().filter(|_| more);
    let continuation_token = last.map(|last| URL_SAFE_NO_PAD.encode(last.place.id.as_bytes()));
    let conversations = found.into_iter().map(|ListedConversation { place, members }| Conversation {
        id: place.id.to_string(),
        members: std::iter::once(bot()).chain(members.iter().map(User::account)).collect(),
    });
    Ok(Json(Page { continuation_token, conversations: conversations.collect() }))
}

/// The last conversation on the page before.
fn after(token: &str) -> Result<Place, Problem> {
    let id = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    id.and_then(|id| Place::new(&id))
        .ok_or_else(|| Problem::bad_argument("continuationToken: not one that this channel gave"))
}
