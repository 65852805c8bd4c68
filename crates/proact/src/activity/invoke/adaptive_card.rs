//! `adaptiveCard/action`: a button of an Adaptive Card.

use serde_json::{Value, json};

use crate::activity::card::{AdaptiveCard, Card};

wire_struct! {
    /// What a press of an `Action.Execute` carries.
    pub struct AdaptiveCardInvoke {
        /// The action.
        "action" action: Option<AdaptiveCardAction>,
        /// What single sign-on gave, if the card asked for it.
        "authentication" authentication: Option<super::TokenExchangeRequest>,
        /// The code of a sign-in by a page.
        "state" state: Option<String>,
        /// `manual` when a person pressed, `automatic` when the card renewed itself.
        "trigger" trigger: Option<String>,
    }
}

impl AdaptiveCardInvoke {
    /// The action's verb; empty when there is none.
    pub fn verb(&self) -> &str {
        self.action.as_ref().and_then(|action| action.verb.as_deref()).unwrap_or_default()
    }
}

wire_struct! {
    /// The action of a button.
    pub struct AdaptiveCardAction {
        /// `Action.Execute`.
        "type" action_type: Option<String>,
        /// The action's id in the card.
        "id" id: Option<String>,
        /// What it is to do, a word of the card's author.
        "verb" verb: Option<String>,
        /// The data of the card's author, with what the person filled in.
        "data" data: Option<Value>,
    }
}

wire_struct! {
    /// What a press is answered with. It says its own status; the HTTP answer around it is 200.
    pub struct AdaptiveCardResponse {
        /// The status: 200, 401 and 412 for signing in, 400, 500.
        "statusCode" status_code: Option<u16>,
        /// The media type of `value`.
        "type" response_type: Option<String>,
        /// A card, a text or an error.
        "value" value: Option<Value>,
    }
}

impl AdaptiveCardResponse {
    fn new(status_code: u16, response_type: &str, value: Value) -> Self {
        let (status_code, response_type) = (Some(status_code), Some(response_type.to_owned()));
        Self { status_code, response_type, value: Some(value), ..Self::default() }
    }

    /// The card that takes the place of the one that was pressed.
    pub fn card(card: AdaptiveCard) -> Self {
        Self::new(200, AdaptiveCard::CONTENT_TYPE, Value::Object(card.0))
    }

    /// A text, shown for a moment.
    pub fn message(text: impl Into<String>) -> Self {
        Self::new(200, "application/vnd.microsoft.activity.message", Value::String(text.into()))
    }

    /// An error: a status from 400, a code and a text for the person.
    pub fn error(status_code: u16, code: &str, message: &str) -> Self {
        Self::new(status_code, "application/vnd.microsoft.error", json!({"code": code, "message": message}))
    }
}
