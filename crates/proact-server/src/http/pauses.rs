//! `/v1/pauses`: what an operator holds back. A pause has the address of what it holds back:
//!
//! * `/v1/pauses/all`
//! * `/v1/pauses/channel/{channelId}`
//! * `/v1/pauses/conversation/{channelId}/{conversationId}`
//!
//! `PUT` puts it in force, `DELETE` takes it back; both may be repeated.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, FromRequestParts, RawPathParams, State},
    http::{StatusCode, request::Parts},
    routing::{get, put},
};
use jiff::Timestamp;
use proact::{
    activity::ConversationKey,
    proactive::{ConversationView, Pause, PauseMark, PauseScope, Proactive},
};

use super::{
    Rooted,
    members::Members,
    problem::Problem,
    query::{Cursor, Listed, Query, from_opaque, opaque},
    right::Right,
};

/// Characters of a reason at most.
const REASON: usize = 500;

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new()
        .route("/v1/pauses", get(list))
        .route("/v1/pauses/all", put(pause).delete(resume))
        .route("/v1/pauses/channel/{channel}", put(pause).delete(resume))
        .route("/v1/pauses/conversation/{channel}/{conversation}", put(pause).delete(resume))
}

/// What the path names.
#[derive(Debug)]
struct Scope(PauseScope);

impl<S: Send + Sync> FromRequestParts<S> for Scope {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong = || {
            Problem::field(
                "path",
                "this names no channel and no conversation: percent-encode their ids in UTF-8",
            )
        };
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| wrong())?;
        let names: Vec<&str> = params.iter().map(|(_, value)| value).collect();
        Ok(Self(match names[..] {
            [] => PauseScope::All,
            [channel] => PauseScope::Channel { channel_id: channel.to_owned() },
            [channel, id] => {
                PauseScope::conversation(&ConversationKey::new(channel, id).map_err(|_| wrong())?)
            }
            _ => return Err(wrong()),
        }))
    }
}

async fn list(
    State(proactive): State<Proactive>,
    right: Right,
    query: Query,
) -> Result<Json<Listed<Pause>>, Problem> {
    let (after, limit) = query.page()?;
    Ok(Json(proactive.pause_page(after, limit, &right.reach()).await?.into()))
}

impl Cursor for PauseMark {
    fn write(&self) -> String {
        opaque(&(self.at.as_millisecond(), &self.scope))
    }

    fn read(text: &str) -> Option<Self> {
        let (at, scope) = from_opaque(text)?;
        Some(Self { at: Timestamp::from_millisecond(at).ok()?, scope })
    }
}

/// Whether all that a pause holds back is reached.
fn reached(right: &Right, scope: &PauseScope) -> Result<(), Problem> {
    match scope {
        PauseScope::Channel { channel_id } => right.channel(channel_id),
        PauseScope::Conversation { conversation: ConversationView { channel_id, id } } => {
            match ConversationKey::new(channel_id, id) {
                Ok(key) => right.conversation(&key),
                Err(_) => right.everything(),
            }
        }
        _ => right.everything(),
    }
}

/// One that is in force stays as it is: the answer says since when and why.
async fn pause(
    State(proactive): State<Proactive>,
    right: Right,
    Scope(scope): Scope,
    body: Bytes,
) -> Result<Json<Pause>, Problem> {
    reached(&right, &scope)?;
    let mut members = Members::of(&body)?;
    let reason = members.text("reason")?;
    members.end("")?;
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON) {
        return Err(Problem::field("reason", format!("give {REASON} characters at most")));
    }
    Ok(Json(proactive.pause(scope, reason).await?))
}

async fn resume(
    State(proactive): State<Proactive>,
    right: Right,
    Scope(scope): Scope,
) -> Result<StatusCode, Problem> {
    reached(&right, &scope)?;
    if proactive.resume(scope.clone()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("{scope} is not paused itself: GET /v1/pauses lists what is");
    Err(Problem::new(StatusCode::NOT_FOUND, "not-paused", "There is no such pause", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let at = Timestamp::from_millisecond(1_800_000_000_123).unwrap();
        let key = ConversationKey::new("msteams", "19:a/b ü").unwrap();
        for scope in [
            PauseScope::All,
            PauseScope::Channel { channel_id: "msteams".to_owned() },
            PauseScope::conversation(&key),
        ] {
            let mark = PauseMark { at, scope };
            assert_eq!(PauseMark::read(&mark.write()), Some(mark));
        }
        for wrong in ["", "b17", "W10", "%", "WyIiLCIiXQ"] {
            assert_eq!(PauseMark::read(wrong), None, "{wrong}");
        }
    }
}
