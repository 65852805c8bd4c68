//! Activities as JSON: as they are kept, shown to clients, and handed to the bot.
//!
//! What is kept lacks the id and the time, which are known only inside the commit, and what depends on where the
//! channel listens today. They are put in front of the text when it goes out; nothing is parsed or written again.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use super::members::{BOT_ID, BOT_NAME};
use super::watermark;
use crate::activity::Activity;

/// The id of an activity: the conversation's, and its number in at least seven digits.
pub(super) fn id(conversation: &str, seq: i64) -> String {
    format!("{conversation}|{seq:07}")
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
pub(super) fn activity_set(activities: &[String], seq: Option<i64>) -> String {
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
    if let Some(seq) = seq {
        let _ = write!(text, r#","watermark":"{}""#, watermark::written(seq));
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
    fn a_set_without_watermark_has_none() {
        assert_eq!(activity_set(&[], None), r#"{"activities":[]}"#);
        let two = ["{}".to_owned(), "{}".to_owned()];
        assert_eq!(activity_set(&two, Some(3)), r#"{"activities":[{},{}],"watermark":"3"}"#);
    }
}
