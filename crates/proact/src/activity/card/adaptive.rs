//! Adaptive Cards: JSON of their own, which passes through here as it is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::card;

/// An Adaptive Card, as a JSON object (adaptivecards.io). Its schema is large and versioned by itself; nothing of it is checked here.
///
/// ```
/// use proact::activity::{Activity, card::AdaptiveCard};
///
/// let card = AdaptiveCard::new("1.5")
///     .with_body([serde_json::json!({"type": "TextBlock", "text": "Job 17", "weight": "bolder"})])
///     .with_action(serde_json::json!({"type": "Action.Execute", "title": "Cancel", "verb": "cancel", "data": {"job": 17}}));
/// let message = Activity::new("message").with_attachment(card);
/// assert_eq!(message.attachments[0].content_type.as_deref(), Some("application/vnd.microsoft.card.adaptive"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AdaptiveCard(
    /// The card.
    pub Map<String, Value>,
);

card!(AdaptiveCard, "application/vnd.microsoft.card.adaptive");

impl AdaptiveCard {
    /// An empty card of this version of the schema.
    pub fn new(version: impl Into<String>) -> Self {
        let mut card = Map::new();
        card.insert("type".to_owned(), json!("AdaptiveCard"));
        card.insert("version".to_owned(), Value::String(version.into()));
        Self(card)
    }

    /// With these elements after those it has.
    #[must_use]
    pub fn with_body(mut self, elements: impl IntoIterator<Item = Value>) -> Self {
        elements.into_iter().for_each(|element| self.append("body", element));
        self
    }

    /// With one more action.
    #[must_use]
    pub fn with_action(mut self, action: Value) -> Self {
        self.append("actions", action);
        self
    }

    /// With a member of any other name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Teams: renewed for these people as they look at it, by the `Action.Execute` given.
    #[must_use]
    pub fn with_refresh(self, action: Value, user_ids: impl IntoIterator<Item = String>) -> Self {
        let users: Vec<_> = user_ids.into_iter().collect();
        self.with("refresh", json!({"action": action, "userIds": users}))
    }

    fn append(&mut self, list: &str, element: Value) {
        match self.0.entry(list.to_owned()).or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(elements) => elements.push(element),
            other => *other = Value::Array(vec![element]),
        }
    }
}
