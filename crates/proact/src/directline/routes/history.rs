//! A conversation's past, brought along by a bot: from a person who took over, or from another channel.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::body::{JsonBody, object};
use super::connector::is_shown;
use crate::activity::{Activity, ActivityType, ConversationAccount, ResourceResponse};
use crate::directline::commands::{AddHistory, Past, Place};
use crate::directline::error::Problem;
use crate::directline::{CHANNEL_ID, Channel, frame, members};

/// Activities in one request at most.
const MOST: usize = 500;
/// Characters in an activity's id at most.
const LONGEST_ID: usize = 512;

#[derive(Deserialize)]
struct Transcript<'b> {
    #[serde(borrow, default)]
    activities: Vec<&'b RawValue>,
}

/// Adds activities under their own ids and times. What clients are never shown is left out, and so is what is there. The
/// answer has the id of the last one that was added, if one was.
pub(super) async fn add(
    State(channel): State<Channel>,
    place: Place,
    JsonBody(body): JsonBody,
) -> Result<Json<ResourceResponse>, Problem> {
    object(&body)?;
    let transcript: Transcript<'_> =
        serde_json::from_slice(&body).map_err(|_| Problem::bad_argument("activities: not a list"))?;
    if transcript.activities.len() > MOST {
        return Err(Problem::bad_argument(format!("activities: more than {MOST}: send them in parts")));
    }
    let mut past = Vec::with_capacity(transcript.activities.len());
    for (n, raw) in transcript.activities.iter().enumerate() {
        let at = |problem: Problem| problem.within(&format!("activities[{n}]"));
        let activity = Activity::decode(raw.get().as_bytes()).map_err(|error| at(error.into()))?;
        if is_shown(&activity.activity_type) {
            past.push(of_the_past(activity, &place).map_err(at)?);
        }
    }
    let added = channel.inner().store.commit(AddHistory { place: place.clone(), past }).await??;
    Ok(Json(match added {
        Some(seq) => ResourceResponse::new(frame::id(&place.id, seq)),
        None => ResourceResponse::default(),
    }))
}

/// The activity with everything that is the channel's to say; who said it, and when, is the sender's.
fn of_the_past(activity: Activity, place: &Place) -> Result<Past, Problem> {
    let id = activity.id.clone().filter(|id| !id.is_empty());
    if id.as_ref().is_some_and(|id| id.len() > LONGEST_ID) {
        return Err(Problem::bad_argument("id: longer than 512 bytes"));
    }
    let at = match &activity.timestamp {
        None => None,
        Some(_) => Some(
            activity
                .sent_at()
                .map_err(|_| Problem::bad_argument("timestamp: not a time such as 2026-01-05T09:00:00Z"))?,
        ),
    };
    // Somebody said it; if nobody is named, the bot that brings it along.
    let from = activity.from.clone().filter(|from| from.id.as_ref().is_some_and(|id| !id.is_empty()));
    let ended = activity.activity_type == ActivityType::EndOfConversation;
    if ended {
        return Err(Problem::bad_argument("type: a past that goes on has not ended"));
    }
    let body = frame::body(&Activity {
        id: None,
        timestamp: None,
        service_url: None,
        caller_id: None,
        channel_id: Some(CHANNEL_ID.to_owned()),
        conversation: Some(ConversationAccount::new(&*place.id)),
        from: Some(from.unwrap_or_else(members::bot)),
        ..activity
    });
    Ok(Past { id, at: at.flatten().map(|at| at.as_millisecond()), body })
}
