//! What tells an activity from others when it comes again.

use axum::http::{HeaderMap, HeaderName};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::activity::Activity;
use crate::directline::error::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters in an idempotency key at most.
const LONGEST: usize = 255;
/// Begins the keys of clients: no header can carry it, so they are never a bot's.
const OF_CLIENT: char = '\u{1}';

/// The key of a bot's activity: what its header says.
pub(super) fn of_bot(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST => Ok(Some(key.to_owned())),
        _ => Err(Problem::bad_argument("Idempotency-Key: give 1 to 255 visible ASCII characters")),
    }
}

/// The key of a person's activity: what its header says, or else `channelData.clientActivityID`, which clients of Direct
/// Line give to each activity, or else the id that a client sends again. It is that person's own.
pub(super) fn of_client(
    headers: &HeaderMap,
    activity: &Activity,
    user: &str,
) -> Result<Option<String>, Problem> {
    let header = of_bot(headers)?;
    let data = activity.channel_data.as_ref();
    let (kind, key) = if let Some(header) = &header {
        ("header", header.as_str())
    } else if let Some(id) =
        data.and_then(|data| data.get("clientActivityID")?.as_str()).filter(|id| !id.is_empty())
    {
        ("client", id)
    } else if let Some(id) = activity.id.as_deref().filter(|id| !id.is_empty()) {
        ("id", id)
    } else {
        return Ok(None);
    };
    let mut hash = Sha256::new();
    for part in [kind, user, key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Ok(Some(format!("{OF_CLIENT}{}", URL_SAFE_NO_PAD.encode(&hash.finalize()[..18]))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(activity: &Activity, user: &str) -> Option<String> {
        of_client(&HeaderMap::new(), activity, user).unwrap()
    }

    #[test]
    fn a_client_names_what_it_sends_in_one_of_three_ways() {
        let named = |id: &str| Activity::message("x").with_channel_data(json!({"clientActivityID": id}));
        assert_eq!(key(&Activity::message("x"), "u"), None);
        assert_eq!(key(&named(""), "u"), None);
        assert_eq!(key(&Activity::message("x").with_channel_data(json!({"clientActivityID": 5})), "u"), None);
        assert_eq!(key(&named("a"), "u"), key(&named("a"), "u"));
        let others =
            [key(&named("b"), "u"), key(&named("a"), "v"), key(&Activity::message("x").with_id("a"), "u")];
        assert!(others.iter().all(|other| other.is_some() && *other != key(&named("a"), "u")));
        let long = key(&named(&"x".repeat(100_000)), "u").unwrap();
        assert!(long.len() < 40 && long.starts_with(OF_CLIENT));
    }
}
