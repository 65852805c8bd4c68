//! What a message carries beside its text: attachments, and the buttons that suggest an answer.

use serde_json::Value;

wire_struct! {
    /// A card, or a file by reference (`attachments`).
    pub struct Attachment {
        /// The media type of `content` or of what `contentUrl` leads to.
        "contentType" content_type: Option<String>,
        /// Where the content is; also a `data:` URL.
        "contentUrl" content_url: Option<String>,
        /// The content itself, for cards.
        "content" content: Option<Value>,
        /// The file's name.
        "name" name: Option<String>,
        /// Where a small picture of the content is.
        "thumbnailUrl" thumbnail_url: Option<String>,
    }
}

impl Attachment {
    /// Content of this media type that travels within the activity, as cards do.
    pub fn inline(content_type: impl Into<String>, content: impl Into<Value>) -> Self {
        Self { content_type: Some(content_type.into()), content: Some(content.into()), ..Self::default() }
    }

    /// Content of this media type that is fetched from a URL.
    pub fn link(content_type: impl Into<String>, content_url: impl Into<String>) -> Self {
        Self {
            content_type: Some(content_type.into()),
            content_url: Some(content_url.into()),
            ..Self::default()
        }
    }
}

wire_struct! {
    /// A button.
    pub struct CardAction {
        /// What the button does: `imBack`, `postBack`, `messageBack`, `openUrl`, `signin`, …
        "type" action_type: Option<String>,
        /// The button's label.
        "title" title: Option<String>,
        /// The URL of a picture on the button.
        "image" image: Option<String>,
        /// What is read to those who cannot see the picture.
        "imageAltText" image_alt_text: Option<String>,
        /// The text sent to the bot (`messageBack`).
        "text" text: Option<String>,
        /// The text shown in the conversation (`messageBack`).
        "displayText" display_text: Option<String>,
        /// What the button sends or opens; its meaning depends on the type.
        "value" value: Option<Value>,
        /// Data for one channel only.
        "channelData" channel_data: Option<Value>,
    }
}

impl CardAction {
    /// A button that says `text` as if the person had typed it.
    pub fn im_back(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            action_type: Some("imBack".into()),
            title: Some(text.clone()),
            value: Some(Value::String(text)),
            ..Self::default()
        }
    }
}

wire_struct! {
    /// Buttons offered with a message, gone once one is pressed (`suggestedActions`).
    pub struct SuggestedActions {
        /// The ids of those who see them; all when empty.
        "to" to: Vec<String>,
        /// The buttons.
        "actions" actions: Vec<CardAction>,
    }
}

impl SuggestedActions {
    /// Buttons for everyone, each of which says its label.
    pub fn replies<T: Into<String>>(replies: impl IntoIterator<Item = T>) -> Self {
        Self { actions: replies.into_iter().map(CardAction::im_back).collect(), ..Self::default() }
    }
}
