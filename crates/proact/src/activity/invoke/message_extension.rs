//! `composeExtension/…`: message extensions of Teams.

use serde_json::Value;

use crate::activity::{Activity, Attachment, AttachmentLayout, SuggestedActions};

wire_struct! {
    /// A search.
    pub struct MessageExtensionQuery {
        /// Which command of the extension.
        "commandId" command_id: Option<String>,
        /// What is searched for.
        "parameters" parameters: Vec<MessageExtensionParameter>,
        /// Which part of the results.
        "queryOptions" query_options: Option<MessageExtensionQueryOptions>,
        /// The code of a sign-in by a page.
        "state" state: Option<String>,
    }
}

impl MessageExtensionQuery {
    /// The text of a parameter. A search that opens with no text yet has the parameter `initialRun` instead.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|parameter| parameter.name.as_deref() == Some(name));
        found.and_then(|parameter| parameter.value.as_ref()?.as_str())
    }
}

wire_struct! {
    /// A parameter of a search.
    pub struct MessageExtensionParameter {
        /// Its name, as the app's manifest has it.
        "name" name: Option<String>,
        /// What the person typed.
        "value" value: Option<Value>,
    }
}

wire_struct! {
    /// Which part of the results is asked for.
    pub struct MessageExtensionQueryOptions {
        /// How many to leave out.
        "skip" skip: Option<u32>,
        /// How many at most.
        "count" count: Option<u32>,
    }
}

wire_struct! {
    /// A dialog of an extension that is opened or sent off.
    pub struct MessageExtensionAction {
        /// Which command of the extension.
        "commandId" command_id: Option<String>,
        /// Where it was called: `compose`, `message`, `commandbox`.
        "commandContext" command_context: Option<String>,
        /// What the person filled in.
        "data" data: Option<Value>,
        /// Where it is shown: Teams gives `theme`.
        "context" context: Option<Value>,
        /// `edit` or `send`, for a message that the bot showed beforehand.
        "botMessagePreviewAction" bot_message_preview_action: Option<String>,
        /// That message.
        "botActivityPreview" bot_activity_preview: Vec<Activity>,
        /// The message that it was called on.
        "messagePayload" message_payload: Option<Value>,
        /// The code of a sign-in by a page.
        "state" state: Option<String>,
    }
}

wire_struct! {
    /// A link that a person pasted.
    pub struct LinkQuery {
        /// The link.
        "url" url: Option<String>,
        /// The code of a sign-in by a page.
        "state" state: Option<String>,
    }
}

wire_struct! {
    /// What a message extension is answered with: results, or a dialog.
    pub struct MessageExtensionResponse {
        /// What is shown.
        "composeExtension" compose_extension: Option<MessageExtensionResult>,
        /// A dialog instead (`fetchTask`, `submitAction`); see [`TaskResponse`](super::TaskResponse).
        "task" task: Option<Value>,
        /// How long the answer may be kept by the client.
        "cacheInfo" cache_info: Option<Value>,
    }
}

wire_struct! {
    /// What a message extension shows.
    pub struct MessageExtensionResult {
        /// `result`, `auth`, `config`, `message`, `botMessagePreview`, `silentAuth`.
        "type" result_type: Option<String>,
        /// How the results are laid out: `list` or `grid`.
        "attachmentLayout" attachment_layout: Option<AttachmentLayout>,
        /// The results.
        "attachments" attachments: Vec<Attachment>,
        /// The buttons of `auth` and `config`.
        "suggestedActions" suggested_actions: Option<SuggestedActions>,
        /// The text of `message`.
        "text" text: Option<String>,
        /// The message of `botMessagePreview`.
        "activityPreview" activity_preview: Option<Box<Activity>>,
    }
}

impl MessageExtensionResponse {
    fn new(result: MessageExtensionResult) -> Self {
        Self { compose_extension: Some(result), ..Self::default() }
    }

    /// Results, one below the other.
    pub fn results<T: Into<Attachment>>(results: impl IntoIterator<Item = T>) -> Self {
        Self::new(MessageExtensionResult {
            result_type: Some("result".to_owned()),
            attachment_layout: Some(AttachmentLayout::List),
            attachments: results.into_iter().map(Into::into).collect(),
            ..MessageExtensionResult::default()
        })
    }

    /// A text instead of results.
    pub fn message(text: impl Into<String>) -> Self {
        Self::new(MessageExtensionResult {
            result_type: Some("message".to_owned()),
            text: Some(text.into()),
            ..MessageExtensionResult::default()
        })
    }

    /// Asks the person to sign in first.
    pub fn sign_in(actions: SuggestedActions) -> Self {
        Self::new(MessageExtensionResult {
            result_type: Some("auth".to_owned()),
            suggested_actions: Some(actions),
            ..MessageExtensionResult::default()
        })
    }

    /// Shows the message that would be sent, to be edited or sent.
    pub fn preview(message: Activity) -> Self {
        Self::new(MessageExtensionResult {
            result_type: Some("botMessagePreview".to_owned()),
            activity_preview: Some(Box::new(message)),
            ..MessageExtensionResult::default()
        })
    }
}

impl From<super::TaskResponse> for MessageExtensionResponse {
    fn from(response: super::TaskResponse) -> Self {
        Self {
            task: response.task,
            cache_info: response.cache_info,
            extra: response.extra,
            ..Self::default()
        }
    }
}
