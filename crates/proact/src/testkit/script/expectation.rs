//! What an activity is expected to be.

use serde_json::Value;

use super::describe::describe;
use super::room::How;
use crate::activity::{Activity, ActivityType};

type Look = Box<dyn FnOnce(&Activity) + Send>;
type That = Box<dyn Fn(&Activity) -> bool + Send>;

/// What the next activity is to be.
pub(super) enum Expectation {
    Text(String),
    Containing(String),
    OneOf(Vec<String>),
    Typing,
    Like(Value),
    Update(String),
    UpdateWith(Look),
    Delete,
    That(String, That),
    With(Look),
}

impl Expectation {
    /// In words that follow *expected*.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Containing(part) => format!("a message with {part:?} in it"),
            Self::OneOf(texts) => format!("one of {texts:?}"),
            Self::Typing => "[typing]".to_owned(),
            Self::Like(fields) => format!("an activity like {fields}"),
            Self::Update(text) => format!("(updated) {text:?}"),
            Self::UpdateWith(_) => "an update to look at".to_owned(),
            Self::Delete => "(deleted)".to_owned(),
            Self::That(what, _) => what.clone(),
            Self::With(_) => "an activity to look at".to_owned(),
        }
    }

    /// What is wrong with what came, if anything is. A closure that asserts for itself panics for itself.
    pub(super) fn check(self, how: How, came: &Activity) -> Result<(), String> {
        let is_message = came.is_message();
        let becomes = match &self {
            Self::Update(_) | Self::UpdateWith(_) => How::Updated,
            Self::Delete => How::Deleted,
            _ => How::New,
        };
        let holds = match &self {
            _ if how != becomes => false,
            Self::Text(text) => is_message && came.text() == text,
            Self::Containing(part) => is_message && came.text().contains(part),
            Self::OneOf(texts) => is_message && texts.iter().any(|text| came.text() == text),
            Self::Typing => came.activity_type == ActivityType::Typing,
            Self::Update(text) => came.text() == text,
            Self::That(_, holds) => holds(came),
            Self::Like(fields) => {
                let json = serde_json::to_value(came).unwrap_or_default();
                return match difference("", fields, &json) {
                    None => Ok(()),
                    Some(difference) => {
                        Err(format!("{difference}\n  in the activity {}", describe(how, came)))
                    }
                };
            }
            Self::Delete | Self::With(_) | Self::UpdateWith(_) => true,
        };
        if !holds {
            return Err(format!("expected: {}\n  came:     {}", self.words(), describe(how, came)));
        }
        if let Self::With(look) | Self::UpdateWith(look) = self {
            look(came);
        }
        Ok(())
    }
}

/// Where what came first differs from what was expected, which names some fields of objects and all of everything else.
fn difference(path: &str, expected: &Value, came: &Value) -> Option<String> {
    let below = |step: String| if path.is_empty() { step } else { format!("{path}.{step}") };
    match (expected, came) {
        (Value::Object(expected), Value::Object(came)) => expected.iter().find_map(|(name, value)| {
            difference(&below(name.clone()), value, came.get(name).unwrap_or(&Value::Null))
        }),
        (Value::Array(expected), Value::Array(came)) if expected.len() == came.len() => {
            let pairs = expected.iter().zip(came).enumerate();
            let mut pairs = pairs.map(|(at, (expected, came))| (format!("{path}[{at}]"), expected, came));
            pairs.find_map(|(path, expected, came)| difference(&path, expected, came))
        }
        _ if expected == came => None,
        _ => Some(format!("expected: {path}: {expected}\n  came:     {path}: {came}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_named_is_looked_at_and_the_first_difference_is_told() {
        let came = json!({ "a": { "b": [{ "c": 1, "d": 2 }], "e": null }, "f": "g" });
        for same in [
            json!({}),
            json!({ "a": {} }),
            json!({ "a": { "b": [{ "c": 1 }] }, "absent": null }),
            came.clone(),
        ] {
            assert_eq!(difference("", &same, &came), None, "{same}");
        }
        for (expected, told) in [
            (json!({ "f": "h" }), "expected: f: \"h\"\n  came:     f: \"g\""),
            (json!({ "a": { "b": [{ "d": 3 }] } }), "expected: a.b[0].d: 3\n  came:     a.b[0].d: 2"),
            (json!({ "a": { "b": [] } }), "expected: a.b: []\n  came:     a.b: [{\"c\":1,\"d\":2}]"),
            (json!({ "x": {} }), "expected: x: {}\n  came:     x: null"),
        ] {
            assert_eq!(difference("", &expected, &came).as_deref(), Some(told));
        }
    }
}
