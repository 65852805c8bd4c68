//! The connector: what a bot calls to send and to reply.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};

use super::activities::passing_id;
use super::body::JsonBody;
use super::caller::ActivityId;
use crate::activity::{Activity, ActivityType, ConversationAccount, ResourceResponse};
use crate::directline::commands::{Place, Say};
use crate::directline::error::Problem;
use crate::directline::members::{self, BOT_ID, BOT_NAME};
use crate::directline::{CHANNEL_ID, Channel, frame};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters in an idempotency key at most.
const LONGEST_KEY: usize = 255;

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

async fn say(channel: &Channel, place: Place, headers: &HeaderMap, activity: Activity) -> Answer {
    let key = idempotency_key(headers)?;
    let kind = activity.activity_type.clone();
    let body = frame::body(&of_bot(activity, &place));
    let id = match kind {
        ActivityType::Typing => {
            channel.locate(&place).await?.ok_or_else(Problem::unknown_conversation)?;
            let id = passing_id(&place);
            let typing = frame::shown(&id, channel.now().as_millisecond(), &body);
            channel.inner().hub.pass(&place.id, frame::activity_set(&[typing], None));
            id
        }
        // Not for clients: taken, and shown to nobody.
        ActivityType::ConversationUpdate
        | ActivityType::Trace
        | ActivityType::InvokeResponse
        | ActivityType::Delay => {
            channel.locate(&place).await?.ok_or_else(Problem::unknown_conversation)?;
            passing_id(&place)
        }
        _ => {
            let say = Say { place: place.clone(), body, key };
            let seq = channel.inner().store.commit(say).await?.ok_or_else(Problem::unknown_conversation)?;
            failpoint!(DirectLineSaid);
            frame::id(&place.id, seq)
        }
    };
    Ok(Json(ResourceResponse::new(id)))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        _ => Err(Problem::bad_argument("Idempotency-Key: give 1 to 255 visible ASCII characters")),
    }
}

/// The activity with everything that is the channel's to say.
fn of_bot(activity: Activity, place: &Place) -> Activity {
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
