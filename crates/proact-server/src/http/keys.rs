//! `/v1/keys`: keys, for who may do everything. The command line asks here.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRef, State},
    http::StatusCode,
    routing::{delete, get},
};
use jiff::Timestamp;
use proact::{
    keys::{ApiKey, KeyInfo, KeyMark, Keys, NewKey, RevokedKey, Scope, Verb},
    proactive::{Place, Proactive},
};
use serde::Serialize;

use super::{
    Rooted,
    members::Members,
    problem::Problem,
    query::{Cursor, Listed, Query, Segment, from_opaque, opaque},
    right::Right,
};

/// Characters of a name at most.
const NAME: usize = 100;

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Keys: FromRef<S>,
    Proactive: FromRef<S>,
{
    Router::new().route("/v1/keys", get(list).post(create)).route("/v1/keys/{id}", delete(revoke))
}

async fn list(
    State(keys): State<Keys>,
    right: Right,
    query: Query,
) -> Result<Json<Listed<KeyInfo>>, Problem> {
    right.is_operator()?;
    let (after, limit) = query.page()?;
    Ok(Json(keys.page(after, limit).await?.into()))
}

impl Cursor for KeyMark {
    fn write(&self) -> String {
        opaque(&(self.created_at.as_millisecond(), &self.id))
    }

    fn read(text: &str) -> Option<Self> {
        let (at, id) = from_opaque(text)?;
        Some(Self { created_at: Timestamp::from_millisecond(at).ok()?, id })
    }
}

/// The only answer that has the key itself.
#[derive(Serialize)]
struct Made {
    key: String,
    #[serde(flatten)]
    info: KeyInfo,
}

async fn create(
    State(keys): State<Keys>,
    State(proactive): State<Proactive>,
    right: Right,
    body: Bytes,
) -> Result<(StatusCode, Json<Made>), Problem> {
    right.is_operator()?;
    let new = read(&body, proactive.store().clock().now())?;
    let (key, info): (ApiKey, _) = keys.create(new).await?;
    tracing::info!(key = %info.id, verbs = ?info.verbs, "a key was made");
    Ok((StatusCode::CREATED, Json(Made { key: key.expose().to_owned(), info })))
}

async fn revoke(State(keys): State<Keys>, right: Right, Segment(id): Segment) -> Result<StatusCode, Problem> {
    right.is_operator()?;
    match keys.revoke(&id).await? {
        RevokedKey::Done => {
            tracing::info!(key = %id, "a key was revoked");
            Ok(StatusCode::NO_CONTENT)
        }
        RevokedKey::NotFound => {
            let detail = format!("there is no key {id}: GET /v1/keys lists them");
            Err(Problem::new(StatusCode::NOT_FOUND, "key-not-found", "No such key", detail))
        }
    }
}

fn read(body: &[u8], now: Timestamp) -> Result<NewKey, Problem> {
    let mut members = Members::of(body)?;
    let name: String = members.need("name", "whom it is for")?;
    let words: Vec<String> = members.need("verbs", "a list of verbs")?;
    let kinds = members.read("kinds", "a list of kinds of jobs")?;
    let places: Option<Vec<String>> = members.read("conversations", "a list of conversations")?;
    let expires_at = members.time("expiresAt")?;
    members.end("")?;
    if name.trim().is_empty() || name.chars().count() > NAME || name.contains(char::is_control) {
        return Err(Problem::field("name", format!("give 1 to {NAME} characters on one line")));
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Problem::field("expiresAt", "this has passed"));
    }
    let verbs = words.iter().map(|word| {
        let known: Vec<_> = Verb::ALL.iter().map(|verb| verb.as_str()).collect();
        Verb::parse(word)
            .ok_or_else(|| Problem::field("verbs", format!("each must be one of {}", known.join(", "))))
    });
    let verbs = verbs.collect::<Result<Vec<_>, _>>()?;
    let places = places.map(|places| {
        let place =
            |text: &String| text.parse().map_err(|error| Problem::field("conversations", format!("{error}")));
        places.iter().map(place).collect::<Result<Vec<Place>, _>>()
    });
    let scope = Scope::new(verbs, kinds, places.transpose()?);
    let scope = scope.map_err(|error| Problem::field(error.field(), error.to_string()))?;
    Ok(NewKey { name, scope, expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_named() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        assert!(read(br#"{"name":"ci","verbs":["complete"],"kinds":["report"]}"#, now).is_ok());
        for (body, field) in [
            (r#"{"verbs":["read"]}"#, "name"),
            (r#"{"name":" ","verbs":["read"]}"#, "name"),
            (r#"{"name":"a\nb","verbs":["read"]}"#, "name"),
            (r#"{"name":"ci"}"#, "verbs"),
            (r#"{"name":"ci","verbs":[]}"#, "verbs"),
            (r#"{"name":"ci","verbs":["write"]}"#, "verbs"),
            (r#"{"name":"ci","verbs":["read"],"kinds":[]}"#, "kinds"),
            (r#"{"name":"ci","verbs":["notify"],"kinds":["report"]}"#, "verbs"),
            (r#"{"name":"ci","verbs":["read"],"conversations":["msteams"]}"#, "conversations"),
            (r#"{"name":"ci","verbs":["read"],"conversations":"msteams/*"}"#, "conversations"),
            (r#"{"name":"ci","verbs":["read"],"expiresAt":"2020-01-01T00:00:00Z"}"#, "expiresAt"),
            (r#"{"name":"ci","verbs":["read"],"kind":"report"}"#, "kind"),
        ] {
            let problem = read(body.as_bytes(), now).unwrap_err().into_json();
            assert_eq!(problem["field"], field, "{body}: {problem}");
        }
    }
}
