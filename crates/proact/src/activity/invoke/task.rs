//! `task/fetch` and `task/submit`: dialogs of Teams.

use serde_json::{Value, json};

use crate::activity::{Attachment, DecodeError};

wire_struct! {
    /// What opens or sends off a dialog.
    pub struct TaskRequest {
        /// The button's data, or what the person filled in.
        "data" data: Option<Value>,
        /// Where it is shown: Teams gives `theme`.
        "context" context: Option<Value>,
        /// The tab it was opened from.
        "tabContext" tab_context: Option<Value>,
    }
}

impl TaskRequest {
    /// `data` as a type of the author's.
    ///
    /// # Errors
    /// When it is not what the type wants; the error names the field.
    pub fn data_as<T: serde::de::DeserializeOwned>(&self) -> Result<T, DecodeError> {
        crate::activity::typed::read("value.data", self.data.as_ref())
    }
}

wire_struct! {
    /// What a dialog is answered with.
    pub struct TaskResponse {
        /// `{"type": "continue" | "message", "value": …}`.
        "task" task: Option<Value>,
        /// How long the answer may be kept by the client.
        "cacheInfo" cache_info: Option<Value>,
    }
}

impl TaskResponse {
    /// Shows a dialog, or the next one.
    pub fn show(dialog: TaskInfo) -> Self {
        Self::of(json!({"type": "continue", "value": dialog}))
    }

    /// Closes the dialog with a text.
    pub fn message(text: impl Into<String>) -> Self {
        Self::of(json!({"type": "message", "value": text.into()}))
    }

    /// Closes the dialog.
    pub fn close() -> Self {
        Self::default()
    }

    fn of(task: Value) -> Self {
        Self { task: Some(task), ..Self::default() }
    }
}

wire_struct! {
    /// A dialog: a card or a page.
    pub struct TaskInfo {
        /// Its heading.
        "title" title: Option<String>,
        /// Its height: pixels, or `small`, `medium`, `large`.
        "height" height: Option<Value>,
        /// Its width: pixels, or `small`, `medium`, `large`.
        "width" width: Option<Value>,
        /// The page to show.
        "url" url: Option<String>,
        /// The Adaptive Card to show.
        "card" card: Option<Attachment>,
        /// The page for a client that cannot show it.
        "fallbackUrl" fallback_url: Option<String>,
        /// The bot that is to get what is filled in, if not this one.
        "completionBotId" completion_bot_id: Option<String>,
    }
}

impl TaskInfo {
    /// A dialog with a card.
    pub fn card(title: impl Into<String>, card: impl Into<Attachment>) -> Self {
        Self { title: Some(title.into()), card: Some(card.into()), ..Self::default() }
    }

    /// A dialog with a page.
    pub fn page(title: impl Into<String>, url: impl Into<String>) -> Self {
        Self { title: Some(title.into()), url: Some(url.into()), ..Self::default() }
    }

    /// Of this size: pixels, or `small`, `medium`, `large`.
    #[must_use]
    pub fn with_size(mut self, width: impl Into<Value>, height: impl Into<Value>) -> Self {
        (self.width, self.height) = (Some(width.into()), Some(height.into()));
        self
    }
}
