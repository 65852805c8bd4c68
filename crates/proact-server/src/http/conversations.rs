//! `/v1/conversations`: whom the bot has met, and whether and how they are reached.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    http::StatusCode,
    routing::get,
};
use proact::{
    activity::ConversationKey,
    proactive::{ConversationInfo, Proactive},
};

use super::{
    Rooted,
    problem::Problem,
    query::{Cursor, Listed, Query, Segments, from_opaque, opaque},
    right::Right,
};

pub(super) fn routes<S: Rooted>() -> Router<S>
where
    Proactive: FromRef<S>,
{
    Router::new()
        .route("/v1/conversations", get(list))
        .route("/v1/conversations/{channel}/{conversation}", get(show))
}

async fn list(
    State(proactive): State<Proactive>,
    right: Right,
    query: Query,
) -> Result<Json<Listed<ConversationInfo>>, Problem> {
    let (after, limit) = query.page()?;
    Ok(Json(proactive.conversations(after, limit, &right.reach()).await?.into()))
}

async fn show(
    State(proactive): State<Proactive>,
    right: Right,
    Segments(names): Segments,
) -> Result<Json<ConversationInfo>, Problem> {
    let key = match &names[..] {
        [channel, id] => ConversationKey::new(channel, id).ok(),
        _ => None,
    };
    // One that is not reached is answered as one that is not there.
    let found = match key.filter(|key| right.conversation(key).is_ok()) {
        Some(key) => proactive.conversation_info(key).await?,
        None => None,
    };
    found.map(Json).ok_or_else(|| {
        let detail = "the bot has met nobody there: GET /v1/conversations lists whom it has";
        Problem::new(StatusCode::NOT_FOUND, "conversation-not-found", "No such conversation", detail)
    })
}

impl Cursor for ConversationKey {
    fn write(&self) -> String {
        opaque(&[self.channel_id(), self.conversation_id()])
    }

    fn read(text: &str) -> Option<Self> {
        let (channel_id, id): (String, String) = from_opaque(text)?;
        Self::new(channel_id, id).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let key = ConversationKey::new("msteams", "19:a/b ü").unwrap();
        assert_eq!(ConversationKey::read(&key.write()), Some(key));
        for wrong in ["", "b17", "W10", "%", "WyIiLCIiXQ"] {
            assert_eq!(ConversationKey::read(wrong), None, "{wrong}");
        }
    }
}
