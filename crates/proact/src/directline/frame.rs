//! Activities as JSON: as they are kept, shown to clients, and handed to the bot.
//!
//! What is kept lacks the id and the time, which are known only inside the commit, and what depends on where the
//! channel listens today. They are put in front of the text when it goes out; nothing is parsed or written again.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use super::members::{BOT_ID, BOT_NAME};
use crate::activity::Activity;

/// The id of an activity: the conversation's, and its number in at least seven digits.
pub(super) fn id(conversation: &str, seq: i64) -> String {
    format!("{conversation}|{seq:07}")
}

/// The number in an id of this conversation's own.
pub(super) fn number(conversation: &str, id: &str) -> Option<i64> {
    let digits = id.strip_prefix(conversation)?.strip_prefix('|')?;
    let own = (7..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let seq = if own { digits.parse().ok()? } else { return None };
    // Only as it was written: with more zeros it is another id.
    (id.len() == self::id(conversation, seq).len()).then_some(seq)
}

/// Whether a kept activity ends its conversation. The type is written first.
pub(super) fn ends(body: &str) -> bool {
    body.starts_with(r#"{"type":"endOfConversation""#)
}

/// Whether a kept activity says that the one of its id was deleted.
pub(super) fn is_delete(body: &str) -> bool {
    body.starts_with(r#"{"type":"messageDelete""#)
}

/// An activity as it is kept. What the channel itself gives is taken out.
pub(super) fn body(activity: &Activity) -> Arc<str> {
    debug_assert!(activity.id.is_none() && activity.timestamp.is_none() && activity.service_url.is_none());
    String::from_utf8(activity.encode()).expect("JSON is text").into()
}

/// An activity as clients see it.
pub(super) fn shown(id: &str, at: i64, body: &str) -> String {
    let mut text = String::with_capacity(body.len() + id.len() + 80);
    begin(&mut text, id, at);
    text.push_str(rest(body));
    text
}

/// An activity as the bot is handed it.
pub(super) fn handed_over(id: &str, at: i64, service_url: &str, body: &str) -> String {
    let mut text = String::with_capacity(body.len() + id.len() + service_url.len() + 160);
    begin(&mut text, id, at);
    text.push_str(r#""serviceUrl":"#);
    push_json(&mut text, service_url);
    let _ = write!(text, r#","recipient":{{"id":"{BOT_ID}","name":"{BOT_NAME}","role":"bot"}},"#);
    text.push_str(rest(body));
    text
}

/// What the channel sends to clients: activities, and how far they take the client. Without a watermark, the client
/// stays where it is.
pub(super) fn activity_set(activities: &[String], watermark: Option<&str>) -> String {
    let size: usize = activities.iter().map(|activity| activity.len() + 1).sum();
    let mut text = String::with_capacity(size + 64);
    text.push_str(r#"{"activities":["#);
    for (n, activity) in activities.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        text.push_str(activity);
    }
    text.push(']');
    if let Some(watermark) = watermark {
        let _ = write!(text, r#","watermark":"{watermark}""#);
    }
    text.push('}');
    text
}

fn begin(text: &mut String, id: &str, at: i64) {
    text.push_str(r#"{"id":"#);
    push_json(text, id);
    let at = Timestamp::from_millisecond(at).unwrap_or_default();
    let _ = write!(text, r#","timestamp":"{at:.3}","#);
}

/// An activity's JSON after its brace: there is always a field, its type.
fn rest(body: &str) -> &str {
    body.strip_prefix('{').unwrap_or(body)
}

fn push_json(text: &mut String, value: &str) {
    text.push_str(&serde_json::Value::from(value).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::ActivityType;

    #[test]
    fn what_goes_out_is_a_whole_activity() {
        let body = body(&Activity::message("hi \"there\""));
        let seen = Activity::decode(shown(&id("c\"", 12), 1500, &body).as_bytes()).unwrap();
        assert_eq!(seen.id.as_deref(), Some("c\"|0000012"));
        assert_eq!(seen.timestamp.as_deref(), Some("1970-01-01T00:00:01.500Z"));
        assert_eq!(seen.text(), "hi \"there\"");
        assert_eq!(seen.service_url, None);

        let handed = handed_over("c|0000001", 0, "http://127.0.0.1:1/", &body);
        let handed = Activity::decode(handed.as_bytes()).unwrap();
        assert_eq!(handed.service_url.as_deref(), Some("http://127.0.0.1:1/"));
        assert_eq!(handed.recipient_id(), Some(BOT_ID));
        assert_eq!(handed.timestamp.as_deref(), Some("1970-01-01T00:00:00.000Z"));
    }

    #[test]
    fn a_number_is_read_from_the_id_that_it_gave_and_from_no_other() {
        for seq in [0, 7, 9_999_999, 10_000_000] {
            assert_eq!(number("c|d", &id("c|d", seq)), Some(seq));
        }
        for other in [
            "c|7",
            "c|00000007",
            "d|0000007",
            "c|-000007",
            "c|0000007x",
            "c|",
            "c",
            "",
            "c|99999999999999999999",
        ] {
            assert_eq!(number("c", other), None, "{other}");
        }
    }

    #[test]
    fn a_kept_activity_tells_its_type() {
        let ends_it = Activity::new(ActivityType::EndOfConversation).with_text("bye");
        assert!(ends(&body(&ends_it)) && !is_delete(&body(&ends_it)));
        assert!(is_delete(&body(&Activity::new(ActivityType::MessageDelete))));
        assert!(!ends(&body(&Activity::message(r#"{"type":"endOfConversation""#))));
    }

    #[test]
    fn a_set_without_watermark_has_none() {
        assert_eq!(activity_set(&[], None), r#"{"activities":[]}"#);
        let two = ["{}".to_owned(), "{}".to_owned()];
        assert_eq!(activity_set(&two, Some("3")), r#"{"activities":[{},{}],"watermark":"3"}"#);
    }
}
