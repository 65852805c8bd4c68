//! What an activity is expected to be.

use super::describe::describe;
use crate::activity::{Activity, ActivityType};

type That = Box<dyn Fn(&Activity) -> bool + Send>;

/// What the next activity is to be.
pub(super) enum Expectation {
    Text(String),
    Containing(String),
    OneOf(Vec<String>),
    Typing,
    That(String, That),
    With(Box<dyn FnOnce(&Activity) + Send>),
}

impl Expectation {
    /// In words that follow *expected*.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Containing(part) => format!("a message with {part:?} in it"),
            Self::OneOf(texts) => format!("one of {texts:?}"),
            Self::Typing => "[typing]".to_owned(),
            Self::That(what, _) => what.clone(),
            Self::With(_) => "an activity to look at".to_owned(),
        }
    }

    /// What is wrong with what came, if anything is. A closure that asserts for itself panics for itself.
    pub(super) fn check(self, came: &Activity) -> Result<(), String> {
        let is_message = came.is_message();
        let holds = match &self {
            Self::Text(text) => is_message && came.text() == text,
            Self::Containing(part) => is_message && came.text().contains(part),
            Self::OneOf(texts) => is_message && texts.iter().any(|text| came.text() == text),
            Self::Typing => came.activity_type == ActivityType::Typing,
            Self::That(_, holds) => holds(came),
            Self::With(_) => true,
        };
        if !holds {
            return Err(format!("expected: {}\n  came:     {}", self.words(), describe(came)));
        }
        if let Self::With(look) = self {
            look(came);
        }
        Ok(())
    }
}
