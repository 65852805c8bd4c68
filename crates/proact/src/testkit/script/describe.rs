//! Activities in the words of a failure's message.

use super::room::How;
use crate::activity::{Activity, ActivityType};

/// An activity, and what became of it, on one line.
pub(super) fn describe(how: How, activity: &Activity) -> String {
    let words = in_words(activity);
    match how {
        How::New => words,
        How::Updated => format!("(updated) {words}"),
        How::Deleted => format!("(deleted) {words}"),
    }
}

fn in_words(activity: &Activity) -> String {
    let mut words = match &activity.activity_type {
        ActivityType::Message => match activity.text.as_deref() {
            Some(text) => format!("{text:?}"),
            None => "a message without a text".to_owned(),
        },
        kind => match activity.name.as_deref() {
            Some(name) => format!("[{} {name:?}]", kind.as_str()),
            None => format!("[{}]", kind.as_str()),
        },
    };
    if let Some(value) = &activity.value {
        words.push_str(&format!(" value {value}"));
    }
    for attachment in &activity.attachments {
        words.push_str(&format!(" + {}", attachment.content_type.as_deref().unwrap_or("attachment")));
    }
    if let Some(actions) = &activity.suggested_actions {
        words.push_str(&format!(" + {} suggested actions", actions.actions.len()));
    }
    words
}
