//! What a message carries beside its text: attachments, and the buttons that suggest an answer.

use serde_json::Value;

use super::CardAction;

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

    /// Under this name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With a small picture of it at this URL.
    #[must_use]
    pub fn with_thumbnail_url(mut self, url: impl Into<String>) -> Self {
        self.thumbnail_url = Some(url.into());
        self
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
        Self::new(replies.into_iter().map(CardAction::im_back))
    }

    /// These buttons, for everyone.
    pub fn new(actions: impl IntoIterator<Item = CardAction>) -> Self {
        Self { actions: actions.into_iter().collect(), ..Self::default() }
    }

    /// For one more person; who is not named does not see them.
    #[must_use]
    pub fn for_person(mut self, user_id: impl Into<String>) -> Self {
        self.to.push(user_id.into());
        self
    }
}
