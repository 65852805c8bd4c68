//! A conversation's activities: read after a watermark, and sent to the bot.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::body::JsonBody;
use super::caller::{Caller, Opened, query_parameter};
use crate::activity::{Activity, ActivityType, ConversationAccount, ResourceResponse};
use crate::directline::commands::{Place, Take};
use crate::directline::error::Problem;
use crate::directline::queries::{Otherwise, ReadPage};
use crate::directline::watermark::Watermark;
use crate::directline::{CHANNEL_ID, Channel, User, frame};

/// A page of what came after the watermark. Clients read on until a page is empty.
pub(super) async fn list(
    State(channel): State<Channel>,
    Opened { place, .. }: Opened,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let after = Watermark::read(query_parameter(query.as_deref(), "watermark").as_deref())?;
    let read = ReadPage { place, after, otherwise: Otherwise::Beginning };
    let page = channel.inner().store.read(read).await?.ok_or_else(Problem::unknown_conversation)?;
    let body = frame::activity_set(&page.activities, Some(page.watermark));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Takes an activity of a person and hands it to the bot.
pub(super) async fn send(
    State(channel): State<Channel>,
    Opened { caller, place }: Opened,
    JsonBody(body): JsonBody,
) -> Result<Json<ResourceResponse>, Problem> {
    let activity = Activity::decode(&body)?;
    if !may_send(&activity.activity_type) {
        return Err(Problem::bad_argument("type: clients do not send activities of this type"));
    }
    let user = sender(caller, &activity)?;
    if channel.inner().stop.is_cancelled() {
        return Err(Problem::stopping());
    }
    // In a task of its own: once it is committed the bot is to have it, also when the client hangs up.
    let tasks = &channel.inner().tasks;
    let task = tasks.spawn(take(channel.clone(), place, user, activity));
    let id = task.await.map_err(|_| Problem::failed())??;
    Ok(Json(ResourceResponse::new(id)))
}

async fn take(channel: Channel, place: Place, user: User, activity: Activity) -> Result<String, Problem> {
    let passing = matches!(activity.activity_type, ActivityType::Typing);
    let locale = activity.locale.clone();
    let body = frame::body(&of_user(activity, &place, &user));
    let to_bot = &channel.inner().to_bot;
    if passing {
        channel.locate(&place).await?.ok_or_else(Problem::unknown_conversation)?;
        let id = passing_id(&place);
        to_bot.post(&id, channel.now().as_millisecond(), &body).await?;
        return Ok(id);
    }
    let take = Take { place: place.clone(), user, locale, body };
    let taken = channel.inner().store.commit(take).await?.ok_or_else(Problem::unknown_conversation)?;
    failpoint!(DirectLineTaken);
    if let Some(join) = taken.join {
        channel.tell(&place, join).await;
    }
    to_bot.once(&place, &taken.activity).await?;
    Ok(frame::id(&place.id, taken.activity.seq))
}

/// The id of an activity that is not stored.
pub(super) fn passing_id(place: &Place) -> String {
    format!("{}|{}", place.id, uuid::Uuid::new_v4().simple())
}

/// What only a channel or a bot says, a client must not.
fn may_send(kind: &ActivityType) -> bool {
    !matches!(
        kind,
        ActivityType::ConversationUpdate
            | ActivityType::ContactRelationUpdate
            | ActivityType::InstallationUpdate
            | ActivityType::DeleteUserData
            | ActivityType::InvokeResponse
            | ActivityType::Trace
            | ActivityType::Delay
    )
}

/// The person who sends: the token's if it names one, else the one that the activity names.
fn sender(caller: Caller, activity: &Activity) -> Result<User, Problem> {
    let named = activity.from.as_ref().and_then(|from| from.name.clone());
    let (id, name) = match caller {
        Caller::Token(claims) if claims.user.is_some() => (claims.user, claims.name.or(named)),
        _ => (activity.from_id().map(str::to_owned), named),
    };
    let id = id.filter(|id| !id.is_empty()).ok_or_else(|| Problem::missing("from.id"))?;
    User::new(id, name).map_err(|error| Problem::bad_user("from", &error))
}

/// The activity with everything that is the channel's to say.
fn of_user(activity: Activity, place: &Place, user: &User) -> Activity {
    Activity {
        id: None,
        timestamp: None,
        service_url: None,
        // Never to be believed from the wire (Activity protocol A2251).
        caller_id: None,
        // How the channel wants the bot's replies is not the client's to say.
        delivery_mode: None,
        recipient: None,
        channel_id: Some(CHANNEL_ID.to_owned()),
        conversation: Some(ConversationAccount::new(&*place.id)),
        from: Some(user.account()),
        ..activity
    }
}
