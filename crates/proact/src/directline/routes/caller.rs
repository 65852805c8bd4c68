//! Who calls, and what they may open.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::{HeaderMap, header, request::Parts};

use crate::directline::Channel;
use crate::directline::claims::Claims;
use crate::directline::commands::Place;
use crate::directline::error::Problem;
use crate::directline::origins::Origins;
use crate::directline::sign::Unsigned;
use crate::directline::started_with::StartedWith;
use crate::keys::{ApiKey, Grant, Verb};

/// A caller who presented something that is valid here.
pub(super) enum Caller {
    /// The secret: any conversation, as anyone.
    Secret,
    /// A key of the API: the conversations that it started.
    Key(Grant),
    /// A token: one conversation, perhaps as one person.
    Token(Claims),
}

impl FromRequestParts<Channel> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, channel: &Channel) -> Result<Self, Problem> {
        let presented = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, presented)| presented.trim())
            .filter(|presented| !presented.is_empty())
            .ok_or_else(Problem::unauthorized)?;
        let signer = &channel.inner().signer;
        if signer.is_secret(presented) {
            return Ok(Self::Secret);
        }
        if ApiKey::looks_like(presented) {
            let grant = channel.inner().leave.keys.as_ref().and_then(|keys| keys.check(presented));
            let grant = grant.ok_or_else(Problem::unauthorized)?;
            return if grant.permits(Verb::Complete) {
                Ok(Self::Key(grant))
            } else {
                Err(Problem::forbidden("this key does not permit `complete`: use one that does"))
            };
        }
        let claims = signer.claims(presented, channel.now())?;
        trusted(&claims.origins, &parts.headers)?;
        if !channel.inner().leave.holds(claims.by.as_ref()) {
            return Err(Unsigned::Expired.into());
        }
        Ok(Self::Token(claims))
    }
}

/// Refuses a page of an origin that is not trusted.
pub(super) fn trusted(origins: &Origins, headers: &HeaderMap) -> Result<(), Problem> {
    // One that is no text is nobody's.
    let mut sent = headers.get_all(header::ORIGIN).iter().map(|value| value.to_str().unwrap_or("null"));
    let trusted = match (sent.next(), sent.next()) {
        (origin, None) => origins.trusts(origin),
        _ => origins.is_empty(),
    };
    if trusted { Ok(()) } else { Err(Problem::forbidden("pages of this origin may not use this token")) }
}

/// A caller, and the conversation in the path, which they may open.
pub(super) struct Opened {
    pub(super) caller: Caller,
    pub(super) place: Place,
}

impl FromRequestParts<Channel> for Opened {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, channel: &Channel) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<Channel>>::from_request_parts(parts, channel).await?;
        let place = Place::from_request_parts(parts, channel).await?;
        match &caller {
            // Before anything is looked up: a token does not even tell which other conversations there are.
            Caller::Token(claims) if claims.conv != *place.id => {
                Err(Problem::forbidden("this token is for another conversation"))
            }
            Caller::Key(grant) => {
                let with = channel.inner().store.read(StartedWith(place.clone())).await?;
                if with.as_deref() == Some(&*grant.id) {
                    Ok(Self { caller, place })
                } else {
                    // The same of one that does not exist.
                    Err(Problem::forbidden("this key did not start that conversation"))
                }
            }
            _ => Ok(Self { caller, place }),
        }
    }
}

impl FromRequestParts<Channel> for Place {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, channel: &Channel) -> Result<Self, Problem> {
        let id = path_parameter(parts, channel, "conversation").await;
        id.and_then(|id| Self::new(&id)).ok_or_else(Problem::unknown_conversation)
    }
}

/// The activity in the path.
pub(super) struct ActivityId(pub(super) String);

impl FromRequestParts<Channel> for ActivityId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, channel: &Channel) -> Result<Self, Problem> {
        let id = path_parameter(parts, channel, "activity").await;
        id.map(Self).ok_or_else(|| Problem::bad_argument("the activity's id in the path is not text"))
    }
}

/// The member in the path.
pub(super) struct MemberId(pub(super) String);

impl FromRequestParts<Channel> for MemberId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, channel: &Channel) -> Result<Self, Problem> {
        path_parameter(parts, channel, "member").await.map(Self).ok_or_else(Problem::unknown_member)
    }
}

/// `None` when the path's bytes are not text.
pub(super) async fn path_parameter(parts: &mut Parts, channel: &Channel, name: &str) -> Option<String> {
    let parameters = <RawPathParams as FromRequestParts<Channel>>::from_request_parts(parts, channel).await;
    let parameters = parameters.ok()?;
    parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The first parameter of this name in the query.
pub(super) fn query_parameter(query: Option<&str>, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
