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
    Activity, ActivityType, Attachment, AttachmentLayout, ChannelAccount, ConversationAccount, DeliveryMode,
    EndOfConversationCode, Entity, Importance, InputHint, SuggestedActions, TextFormat,
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

    /// Attachments side by side, to leaf through.
    pub fn carousel<T: Into<Attachment>>(attachments: impl IntoIterator<Item = T>) -> Self {
        let carousel = Self::new(ActivityType::Message).with_attachment_layout(AttachmentLayout::Carousel);
        carousel.with_attachments(attachments)
    }

    /// Attachments one below the other.
    pub fn list<T: Into<Attachment>>(attachments: impl IntoIterator<Item = T>) -> Self {
        let list = Self::new(ActivityType::Message).with_attachment_layout(AttachmentLayout::List);
        list.with_attachments(attachments)
    }

    /// Diagnosis for the Emulator; no other channel gets it. `value_type` names what `value` is, `Value::Null` for none.
    pub fn trace(
        name: impl Into<String>,
        label: impl Into<String>,
        value_type: impl Into<String>,
        value: impl Into<Value>,
    ) -> Self {
        let trace = Self {
            name: Some(name.into()),
            label: Some(label.into()),
            value_type: Some(value_type.into()),
            ..Self::new(ActivityType::Trace)
        };
        trace.with_value(value)
    }

    /// The end of the conversation, or of the skill's part in it, with the reason.
    pub fn end_of_conversation(code: EndOfConversationCode) -> Self {
        Self { code: Some(code), ..Self::new(ActivityType::EndOfConversation) }
    }

    /// The answer to an invoke, as an activity: sent in the turn of the invoke, it becomes the HTTP answer. `Value::Null` for no body.
    pub fn invoke_response(status: u16, body: impl Into<Value>) -> Self {
        let mut value = serde_json::json!({ "status": status });
        if let Some(body) = present(body.into()) {
            value["body"] = body;
        }
        Self::new(ActivityType::InvokeResponse).with_value(value)
    }

    /// A pause of so many milliseconds between two activities; see [`TurnContext::send`](crate::turn::TurnContext::send).
    pub fn delay(milliseconds: u32) -> Self {
        Self::new(ActivityType::Delay).with_value(milliseconds)
    }

    /// A request to do something, answered by a `commandResult` of the same name (A6300, A6400).
    pub fn command(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { name: Some(name.into()), ..Self::new(ActivityType::Command).with_value(value) }
    }

    /// The answer to a command.
    pub fn command_result(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { name: Some(name.into()), ..Self::new(ActivityType::CommandResult).with_value(value) }
    }

    /// Control of the conversation passes on: the event `handoff.initiate`, with what the next one should know.
    pub fn handoff(context: impl Into<Value>) -> Self {
        Self::event("handoff.initiate", context)
    }

    /// Reactions added to the activity with this id (`like`, `heart`, …).
    pub fn reaction<T: Into<String>>(
        activity_id: impl Into<String>,
        reactions: impl IntoIterator<Item = T>,
    ) -> Self {
        let reaction =
            |name: T| super::MessageReaction { reaction_type: Some(name.into()), ..Default::default() };
        Self {
            reactions_added: reactions.into_iter().map(reaction).collect(),
            ..Self::new(ActivityType::MessageReaction).with_reply_to(activity_id)
        }
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

    /// With one more attachment; a [card](super::card) is one.
    pub fn with_attachment(mut self, attachment: impl Into<Attachment>) -> Self {
        self.attachments.push(attachment.into());
        self
    }

    /// With these attachments after those it has.
    pub fn with_attachments<T: Into<Attachment>>(mut self, attachments: impl IntoIterator<Item = T>) -> Self {
        self.attachments.extend(attachments.into_iter().map(Into::into));
        self
    }

    /// With its attachments laid out so.
    pub fn with_attachment_layout(mut self, layout: AttachmentLayout) -> Self {
        self.attachment_layout = Some(layout);
        self
    }

    /// With this shown where the attachments cannot be.
    pub fn with_summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = Some(summary.into());
        self
    }

    /// This urgent.
    pub fn with_importance(mut self, importance: Importance) -> Self {
        self.importance = Some(importance);
        self
    }

    /// Mentioning somebody: `<at>name</at>` is added to the text, with the entity that explains it. Without a name, their id stands there.
    ///
    /// ```
    /// # use proact::activity::{Activity, ChannelAccount};
    /// let eva = ChannelAccount::new("29:1").with_name("Eva");
    /// let told = Activity::message("Job 17 is complete,").with_mention(&eva);
    /// assert_eq!(told.text(), "Job 17 is complete, <at>Eva</at>");
    /// assert!(told.mentions("29:1"));
    /// ```
    pub fn with_mention(mut self, account: &ChannelAccount) -> Self {
        let name = account.name.as_deref().or(account.id.as_deref()).unwrap_or_default();
        let written = format!("<at>{}</at>", super::mention::escape(name));
        let text = self.text.get_or_insert_default();
        if !text.is_empty() && !text.ends_with(char::is_whitespace) {
            text.push(' ');
        }
        text.push_str(&written);
        self.with_entity(Entity::mention(account, written))
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
