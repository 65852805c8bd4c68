//! `config/fetch` and `config/submit`: the settings of a bot in Teams.

use serde_json::{Value, json};

use super::TaskInfo;
use crate::activity::SuggestedActions;

wire_struct! {
    /// What the settings are answered with.
    pub struct ConfigResponse {
        /// `config`.
        "responseType" response_type: Option<String>,
        /// `{"type": "continue" | "message" | "auth", …}`.
        "config" config: Option<Value>,
        /// How long the answer may be kept by the client.
        "cacheInfo" cache_info: Option<Value>,
    }
}

impl ConfigResponse {
    fn of(config: Value) -> Self {
        Self { response_type: Some("config".to_owned()), config: Some(config), ..Self::default() }
    }

    /// Shows a dialog.
    pub fn show(dialog: TaskInfo) -> Self {
        Self::of(json!({"type": "continue", "value": dialog}))
    }

    /// Closes the settings with a text.
    pub fn message(text: impl Into<String>) -> Self {
        Self::of(json!({"type": "message", "value": text.into()}))
    }

    /// Asks the person to sign in first.
    pub fn sign_in(actions: SuggestedActions) -> Self {
        Self::of(json!({"type": "auth", "suggestedActions": actions}))
    }
}
