//! What an activity is expected to be.

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
