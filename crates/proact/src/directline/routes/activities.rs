//! A conversation's activities: read after a watermark, and sent to the bot.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;

use super::body::JsonBody;
use super::caller::{Caller, Opened, query_parameter};
use super::came::file_name;
use super::key;
use crate::activity::{Activity, ActivityType, Attachment, ConversationAccount, ResourceResponse};
use crate::directline::commands::{Again, File, HandOver, Place, Take, Taken};
use crate::directline::error::Problem;
use crate::directline::queries::{Otherwise, ReadPage};
use crate::directline::quota::Charge;
use crate::directline::{CHANNEL_ID, Channel, User, frame};

/// A page of what came after the watermark. Clients read on until a page is empty.
pub(super) async fn list(
    State(channel): State<Channel>,
    Opened { place, .. }: Opened,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let generation = &channel.inner().hub.generation;
    let after = generation.read(query_parameter(query.as_deref(), "watermark").as_deref())?;
    let read = ReadPage { place, after, otherwise: Otherwise::Beginning };
    let page = channel.inner().store.read(read).await?.ok_or_else(Problem::unknown_conversation)?;
    let body = frame::activity_set(&page.activities, Some(&generation.written(page.watermark)));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Takes an activity of a person and hands it to the bot.
pub(super) async fn send(
    State(channel): State<Channel>,
    Opened { caller, place }: Opened,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Json<ResourceResponse>, Problem> {
    let activity = Activity::decode(&body)?;
    let sent = Sent::new(caller, activity, &headers)?;
    take(channel, place, sent, Vec::new(), None).await
}

/// What a person sends, checked.
pub(super) struct Sent {
    user: User,
    activity: Activity,
    /// What tells it from others of this person when it comes again.
    key: Option<String>,
}

impl Sent {
    pub(super) fn new(caller: Caller, activity: Activity, headers: &HeaderMap) -> Result<Self, Problem> {
        if !may_send(&activity.activity_type) {
            return Err(Problem::bad_argument("type: clients do not send activities of this type"));
        }
        let user = sender(caller, &activity)?;
        let key = key::of_client(headers, &activity, user.id())?;
        Ok(Self { user, activity, key })
    }

    /// Puts files into the activity: each where the activity announces it, else at the end. Clients announce a file by
    /// an attachment of its name, which may say more of it, and leave out where it is, which they cannot know.
    pub(super) fn attach(&mut self, files: Vec<Attachment>) {
        let attachments = &mut self.activity.attachments;
        for file in files {
            let announced = attachments.iter_mut().find(|attachment| {
                let name = attachment.name.as_deref().map(file_name);
                attachment.content_url.is_none() && attachment.content.is_none() && name == file.name
            });
            match announced {
                Some(announced) => {
                    let announced_as = std::mem::take(announced);
                    *announced = Attachment {
                        content_type: file.content_type,
                        content_url: file.content_url,
                        name: file.name,
                        ..announced_as
                    };
                }
                None => attachments.push(file),
            }
        }
    }
}

/// Commits it with its files, which `charge` was taken for, and has the bot handed it. In a task of its own: once it is committed the bot is to have
/// it, also when the client hangs up.
pub(super) async fn take(
    channel: Channel,
    place: Place,
    sent: Sent,
    files: Vec<File>,
    charge: Option<Charge>,
) -> Result<Json<ResourceResponse>, Problem> {
    if channel.inner().stop.is_cancelled() {
        return Err(Problem::stopping());
    }
    let tasks = channel.inner().tasks.clone();
    let task = tasks.spawn(take_in(channel, place, sent, files, charge));
    let id = task.await.map_err(|_| Problem::failed())??;
    Ok(Json(ResourceResponse::new(id)))
}

async fn take_in(
    channel: Channel,
    place: Place,
    sent: Sent,
    files: Vec<File>,
    charge: Option<Charge>,
) -> Result<String, Problem> {
    let Sent { user, activity, key } = sent;
    let typing = matches!(activity.activity_type, ActivityType::Typing);
    let locale = activity.locale.clone();
    let body = frame::body(&of_user(activity, &place, &user));
    if typing {
        return pass(&channel, &place, &body).await;
    }
    let ids: Vec<_> = files.iter().map(|file| file.id.to_string()).collect();
    let most = channel.limits().members;
    let taken =
        add(&channel, Take { place: place.clone(), user, locale, body, key, most, files }, charge).await;
    if !matches!(taken, Ok(Taken::New { .. })) {
        // Nobody will ever ask for them.
        channel.inner().files.remove(ids).await;
    }
    // It must not hold the channel, which holds it.
    let (to_bot, to) = (channel.inner().to_bot.clone(), place.clone());
    let (seq, handed) = match taken? {
        Taken::New { join, activity } => {
            failpoint!(DirectLineTaken);
            if let Some(join) = join {
                channel.tell(&place, join).await;
            }
            (activity.seq, async move { Ok(to_bot.once(&to, &activity).await?) }.boxed())
        }
        Taken::Before { seq, hand_over: HandOver::Done } => return Ok(frame::id(&place.id, seq)),
        Taken::Before { seq, hand_over: HandOver::Due(_) } => {
            let again = async move {
                match to_bot.store.commit(Again { place: to.clone(), seq }).await? {
                    HandOver::Done => Ok(()),
                    HandOver::Due(activity) => Ok(to_bot.once(&to, &activity).await?),
                }
            };
            (seq, again.boxed())
        }
    };
    channel.inner().repeated.once(&place, seq, handed).await?;
    Ok(frame::id(&place.id, seq))
}

/// Commits it, if the conversation may be sent so much more. What is not new takes nothing of its allowance.
async fn add(channel: &Channel, take: Take, of_files: Option<Charge>) -> Result<Taken, Problem> {
    let charge = channel.inner().quota.charge(&take.place, take.body.len(), 0, channel.now())?;
    let taken = channel.inner().store.commit(take).await??;
    if matches!(taken, Taken::New { .. }) {
        of_files.into_iter().chain([charge]).for_each(Charge::keep);
    }
    Ok(taken)
}

/// What is only of the moment: for the other sockets and for the bot, and kept by nobody.
async fn pass(channel: &Channel, place: &Place, body: &str) -> Result<String, Problem> {
    channel.is_open(place).await??;
    let (id, now) = (passing_id(place), channel.now().as_millisecond());
    channel.inner().hub.pass(&place.id, frame::activity_set(&[frame::shown(&id, now, body)], None));
    channel.inner().to_bot.post(&id, now, body).await?;
    Ok(id)
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

/// The person who sends: the token's if it names one, else the one that the activity names, who must not be one of those that only
/// tokens name. The secret speaks for anyone.
fn sender(caller: Caller, activity: &Activity) -> Result<User, Problem> {
    let named = activity.from.as_ref().and_then(|from| from.name.clone());
    let user = |id: Option<String>, name| {
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| Problem::missing("from.id"))?;
        User::new(id, name).map_err(|error| Problem::bad_user("from", &error))
    };
    let claimed = activity.from_id().map(str::to_owned);
    match caller {
        Caller::Secret => user(claimed, named),
        Caller::Token(claims) if claims.user.is_some() => user(claims.user, claims.name.or(named)),
        Caller::Token(_) | Caller::Key(_) => user(claimed, named).and_then(|user| claimable(user, "from")),
    }
}

/// The person, if a client whose token names nobody may say that they are this one.
pub(super) fn claimable(user: User, field: &str) -> Result<User, Problem> {
    if user.is_from_tokens_only() {
        let message =
            format!("{field}.id: ids that begin with dl_ are taken from a token only: get one that names it");
        return Err(Problem::new(StatusCode::FORBIDDEN, "Forbidden", message));
    }
    Ok(user)
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
