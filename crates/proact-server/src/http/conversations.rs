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
use serde_json::{Value, json};

use super::{
    Rooted,
    problem::Problem,
    query::{Query, Segments, from_opaque, opaque},
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
    mut query: Query,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit()?;
    let after = query.cursor_of(read_cursor)?;
    query.end()?;
    let page = proactive.conversations(after, limit, &right.reach()).await?;
    Ok(Json(json!({ "items": page.items, "next": page.next.as_ref().map(cursor) })))
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

/// Where a page ended: opaque to clients.
fn cursor(key: &ConversationKey) -> String {
    opaque(&[key.channel_id(), key.conversation_id()])
}

fn read_cursor(text: &str) -> Option<ConversationKey> {
    let (channel_id, id): (String, String) = from_opaque(text)?;
    ConversationKey::new(channel_id, id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let key = ConversationKey::new("msteams", "19:a/b ü").unwrap();
        assert_eq!(read_cursor(&cursor(&key)), Some(key));
        for wrong in ["", "b17", "W10", "%", "WyIiLCIiXQ"] {
            assert_eq!(read_cursor(wrong), None, "{wrong}");
        }
    }
}
