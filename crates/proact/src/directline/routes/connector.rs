//! The connector: what a bot calls to send, to reply, and to change what it has said.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::activities::passing_id;
use super::body::JsonBody;
use super::caller::ActivityId;
use super::key;
use crate::activity::{Activity, ActivityType, ConversationAccount, ResourceResponse};
use crate::directline::commands::{Became, Change, Outcome, Place, Say};
use crate::directline::error::Problem;
use crate::directline::members::{self, BOT_ID, BOT_NAME};
use crate::directline::{CHANNEL_ID, Channel, frame};

type Answer = Result<Json<ResourceResponse>, Problem>;

/// An activity at the end of the conversation.
pub(super) async fn send(
    State(channel): State<Channel>,
    place: Place,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Answer {
    say(&channel, place, &headers, Activity::decode(&body)?).await
}

/// An activity that answers the one in the path.
pub(super) async fn reply(
    State(channel): State<Channel>,
    place: Place,
    ActivityId(to): ActivityId,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut activity = Activity::decode(&body)?;
    activity.reply_to_id.get_or_insert(to);
    say(&channel, place, &headers, activity).await
}

/// Another activity under the id of one that the bot has said. Clients are sent it again.
pub(super) async fn update(
    State(channel): State<Channel>,
    place: Place,
    ActivityId(id): ActivityId,
    JsonBody(body): JsonBody,
) -> Answer {
    let activity = Activity::decode(&body)?;
    if !is_shown(&activity.activity_type) || activity.activity_type == ActivityType::MessageDelete {
        return Err(Problem::bad_argument("type: an activity cannot become one of this type"));
    }
    let body = frame::body(&of_bot(activity, &place));
    change(&channel, place, &id, Became::Updated(body)).await?;
    Ok(Json(ResourceResponse::new(id)))
}

/// Takes back what the bot has said. Clients are sent a `messageDelete` of its id.
pub(super) async fn delete(
    State(channel): State<Channel>,
    place: Place,
    ActivityId(id): ActivityId,
) -> Result<StatusCode, Problem> {
    let body = frame::body(&of_bot(Activity::new(ActivityType::MessageDelete), &place));
    change(&channel, place, &id, Became::Deleted(body)).await?;
    Ok(StatusCode::OK)
}

async fn change(channel: &Channel, place: Place, id: &str, became: Became) -> Result<(), Problem> {
    let change = Change { place, id: id.to_owned(), became };
    match channel.inner().store.commit(change).await?? {
        Outcome::Done => Ok(()),
        Outcome::NotThere => Err(Problem::unknown_activity()),
        Outcome::NotTheBots => {
            Err(Problem::forbidden("a person has said this: a bot changes only what bots have said"))
        }
    }
}

async fn say(channel: &Channel, place: Place, headers: &HeaderMap, activity: Activity) -> Answer {
    let key = key::of_bot(headers)?;
    let kind = activity.activity_type.clone();
    let body = frame::body(&of_bot(activity, &place));
    let id = match kind {
        ActivityType::Typing => {
            channel.is_open(&place).await??;
            let id = passing_id(&place);
            let typing = frame::shown(&id, channel.now().as_millisecond(), &body);
            channel.inner().hub.pass(&place.id, frame::activity_set(&[typing], None));
            id
        }
        kind if !is_shown(&kind) => {
            channel.is_open(&place).await??;
            passing_id(&place)
        }
        kind => {
            let ends = kind == ActivityType::EndOfConversation;
            let say = Say { place: place.clone(), body, key, ends };
            let seq = channel.inner().store.commit(say).await??;
            failpoint!(DirectLineSaid);
            frame::id(&place.id, seq)
        }
    };
    Ok(Json(ResourceResponse::new(id)))
}

/// Whether clients are shown activities of this type, now and later. What is not for them is taken, and shown to nobody.
pub(super) fn is_shown(kind: &ActivityType) -> bool {
    !matches!(
        kind,
        ActivityType::Typing
            | ActivityType::ConversationUpdate
            | ActivityType::Trace
            | ActivityType::InvokeResponse
            | ActivityType::Delay
    )
}

/// The activity with everything that is the channel's to say.
pub(super) fn of_bot(activity: Activity, place: &Place) -> Activity {
    let mut from = activity.from.unwrap_or_default();
    from.role = Some("bot".to_owned());
    if from.id.as_ref().is_none_or(String::is_empty) {
        from = members::bot();
    } else if from.id.as_deref() == Some(BOT_ID) {
        from.name.get_or_insert_with(|| BOT_NAME.to_owned());
    }
    Activity {
        id: None,
        timestamp: None,
        service_url: None,
        caller_id: None,
        channel_id: Some(CHANNEL_ID.to_owned()),
        conversation: Some(ConversationAccount::new(&*place.id)),
        from: Some(from),
        ..activity
    }
}
