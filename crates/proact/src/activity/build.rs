//! Activities as a bot writes them. Nothing here fails.
//!
//! ```
//! use proact::activity::{Activity, InputHint, SuggestedActions};
//!
//! let question = Activity::message("Run the job now?")
//!     .with_suggested_actions(SuggestedActions::replies(["yes", "no"]))
//!     .with_input_hint(InputHint::Expecting);
//! assert_eq!(question.text(), "Run the job now?");
//! ```

use serde_json::Value;

use super::{
    Activity, ActivityType, Attachment, ChannelAccount, ConversationAccount, DeliveryMode, Entity, InputHint,
    SuggestedActions, TextFormat,
};

impl Activity {
    /// An activity of this type and nothing else.
    pub fn new(activity_type: impl Into<ActivityType>) -> Self {
        Self { activity_type: activity_type.into(), ..Self::default() }
    }

    /// A message.
    pub fn message(text: impl Into<String>) -> Self {
        Self::new(ActivityType::Message).with_text(text)
    }

    /// An event of this name; `Value::Null` for one without a value.
    pub fn event(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { name: Some(name.into()), ..Self::new(ActivityType::Event).with_value(value) }
    }

    /// The sign that the bot is busy with an answer.
    pub fn typing() -> Self {
        Self::new(ActivityType::Typing)
    }

    /// With this text.
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// With a text that is to be read so.
    pub fn with_text_format(mut self, format: TextFormat) -> Self {
        self.text_format = Some(format);
        self
    }

    /// With this said aloud: text or SSML.
    pub fn with_speak(mut self, speak: impl Into<String>) -> Self {
        self.speak = Some(speak.into());
        self
    }

    /// In this language, a BCP 47 tag.
    pub fn with_locale(mut self, locale: impl Into<String>) -> Self {
        self.locale = Some(locale.into());
        self
    }

    /// Saying whether input is awaited.
    pub fn with_input_hint(mut self, hint: InputHint) -> Self {
        self.input_hint = Some(hint);
        self
    }

    /// As an answer to the activity with this id.
    pub fn with_reply_to(mut self, activity_id: impl Into<String>) -> Self {
        self.reply_to_id = Some(activity_id.into());
        self
    }

    /// With one more attachment.
    pub fn with_attachment(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// With these attachments after those it has.
    pub fn with_attachments(mut self, attachments: impl IntoIterator<Item = Attachment>) -> Self {
        self.attachments.extend(attachments);
        self
    }

    /// With one more entity.
    pub fn with_entity(mut self, entity: Entity) -> Self {
        self.entities.push(entity);
        self
    }

    /// With these buttons.
    pub fn with_suggested_actions(mut self, actions: SuggestedActions) -> Self {
        self.suggested_actions = Some(Box::new(actions));
        self
    }

    /// With data in the channel's own shape; `Value::Null` for none.
    pub fn with_channel_data(mut self, data: impl Into<Value>) -> Self {
        self.channel_data = present(data.into());
        self
    }

    /// With this payload; `Value::Null` for none.
    pub fn with_value(mut self, value: impl Into<Value>) -> Self {
        self.value = present(value.into());
        self
    }

    /// Delivered in this way.
    pub fn with_delivery_mode(mut self, mode: DeliveryMode) -> Self {
        self.delivery_mode = Some(mode);
        self
    }

    /// With this id. Channels give ids; bots leave them alone.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// On this channel.
    pub fn with_channel(mut self, channel_id: impl Into<String>) -> Self {
        self.channel_id = Some(channel_id.into());
        self
    }

    /// With replies going to this URL.
    pub fn with_service_url(mut self, url: impl Into<String>) -> Self {
        self.service_url = Some(url.into());
        self
    }

    /// From this account.
    pub fn with_from(mut self, from: ChannelAccount) -> Self {
        self.from = Some(from);
        self
    }

    /// For this account.
    pub fn with_recipient(mut self, recipient: ChannelAccount) -> Self {
        self.recipient = Some(recipient);
        self
    }

    /// In this conversation.
    pub fn with_conversation(mut self, conversation: ConversationAccount) -> Self {
        self.conversation = Some(conversation);
        self
    }
}

/// `null` means absent everywhere in the protocol; kept as a value, it would not survive the way over the wire.
fn present(value: Value) -> Option<Value> {
    if value.is_null() { None } else { Some(value) }
}

impl From<&str> for Activity {
    fn from(text: &str) -> Self {
        Self::message(text)
    }
}

impl From<String> for Activity {
    fn from(text: String) -> Self {
        Self::message(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_is_written() {
        assert_eq!(Activity::from("hi").encode(), br#"{"type":"message","text":"hi"}"#);
        assert_eq!(Activity::typing().encode(), br#"{"type":"typing"}"#);
        assert_eq!(Activity::event("tick", Value::Null).encode(), br#"{"type":"event","name":"tick"}"#);
        assert_eq!(Activity::event("tick", 3).encode(), br#"{"type":"event","value":3,"name":"tick"}"#);
    }

    #[test]
    fn an_unknown_field_does_not_shadow_a_known_one() {
        let mut activity = Activity::message("hi");
        activity.extra.insert("text".into(), "other".into());
        activity.extra.insert("x".into(), Value::Null);
        assert_eq!(activity.encode(), br#"{"type":"message","text":"hi","x":null}"#);
    }
}
