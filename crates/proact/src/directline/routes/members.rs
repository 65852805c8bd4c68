//! Who is in a conversation: the bot, and the people who have joined it.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::caller::{ActivityId, MemberId, query_parameter};
use crate::activity::ChannelAccount;
use crate::directline::commands::{Place, Remove};
use crate::directline::error::Problem;
use crate::directline::members::{BOT_ID, bot};
use crate::directline::queries::{FindMember, HasActivity, ListMembers};
use crate::directline::{Channel, User};

/// People in an answer that has no pages. More are read page by page.
const MOST: usize = 1000;
/// People on a page, unless the bot says otherwise, and at most.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 500;
/// How a continuation token begins, so that none is empty.
const AFTER: char = '>';

type Answer = Result<Json<Vec<ChannelAccount>>, Problem>;

/// The bot and the first thousand people.
pub(super) async fn list(State(channel): State<Channel>, place: Place) -> Answer {
    let people = people(&channel, &place, String::new(), MOST).await?;
    Ok(Json(with_bot(&people)))
}

/// The same, if there is such an activity: everyone in a conversation sees everything.
pub(super) async fn of_activity(
    State(channel): State<Channel>,
    place: Place,
    ActivityId(id): ActivityId,
) -> Answer {
    let people = people(&channel, &place, String::new(), MOST).await?;
    if !channel.inner().store.read(HasActivity { place, id }).await? {
        return Err(Problem::unknown_activity());
    }
    Ok(Json(with_bot(&people)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<String>,
    members: Vec<ChannelAccount>,
}

/// A page of them, the bot first of all. A page without a token is the last.
pub(super) async fn page(
    State(channel): State<Channel>,
    place: Place,
    RawQuery(query): RawQuery,
) -> Result<Json<Page>, Problem> {
    let size = match query_parameter(query.as_deref(), "pageSize").filter(|size| !size.is_empty()) {
        None => PAGE,
        Some(size) => {
            let size = size.parse().ok().filter(|size| (1..=LARGEST_PAGE).contains(size));
            size.ok_or_else(|| Problem::bad_argument("pageSize: not a number from 1 to 500"))?
        }
    };
    let token = query_parameter(query.as_deref(), "continuationToken").filter(|token| !token.is_empty());
    let after = token.as_deref().map(after).transpose()?;
    // The bot is one of the page.
    let room = if after.is_none() { size - 1 } else { size };
    let after = after.unwrap_or_default();
    let mut people = people(&channel, &place, after.clone(), room + 1).await?;
    let more = people.len() > room;
    people.truncate(room);
    let last = people.last().map_or(&*after, User::id);
    let continuation_token = more.then(|| URL_SAFE_NO_PAD.encode(format!("{AFTER}{last}")));
    let members =
        if token.is_none() { with_bot(&people) } else { people.iter().map(User::account).collect() };
    Ok(Json(Page { continuation_token, members }))
}

/// The id of the last person on the pages before; empty when there was room for the bot only.
fn after(token: &str) -> Result<String, Problem> {
    let id = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    id.and_then(|id| id.strip_prefix(AFTER).map(str::to_owned))
        .ok_or_else(|| Problem::bad_argument("continuationToken: not one that this channel gave"))
}

/// One member.
pub(super) async fn show(
    State(channel): State<Channel>,
    place: Place,
    MemberId(id): MemberId,
) -> Result<Json<ChannelAccount>, Problem> {
    let is_bot = id == BOT_ID;
    let found = channel.inner().store.read(FindMember { place, id }).await?;
    let person = found.ok_or_else(Problem::unknown_conversation)?;
    if is_bot {
        return Ok(Json(bot()));
    }
    person.map(|person| Json(person.account())).ok_or_else(Problem::unknown_member)
}

/// Takes a person out. They join again with the next thing they say.
pub(super) async fn remove(
    State(channel): State<Channel>,
    place: Place,
    MemberId(id): MemberId,
) -> Result<StatusCode, Problem> {
    if id == BOT_ID {
        return Err(Problem::bad_argument("the bot cannot leave: end the conversation instead"));
    }
    let member = User::new(id, None).map_err(|_| Problem::unknown_member())?;
    let left = channel.inner().store.commit(Remove { place: place.clone(), member }).await??;
    let left = left.ok_or_else(Problem::unknown_member)?;
    channel.tell_later(place, vec![left]);
    Ok(StatusCode::OK)
}

async fn people(channel: &Channel, place: &Place, after: String, limit: usize) -> Result<Vec<User>, Problem> {
    let list = ListMembers { place: place.clone(), after, limit };
    channel.inner().store.read(list).await?.ok_or_else(Problem::unknown_conversation)
}

fn with_bot(people: &[User]) -> Vec<ChannelAccount> {
    std::iter::once(bot()).chain(people.iter().map(User::account)).collect()
}
