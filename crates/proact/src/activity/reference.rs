//! How to reach a conversation again.
//!
//! A reference is taken from an activity that came, kept, and applied to activities that go out later. Nothing here
//! fails; a reference that lacks what sending needs is found out when it is used (see
//! [`ConversationKey`](super::ConversationKey)).

use uuid::Uuid;

use super::{
    Activity, ActivityType, CONTINUE_CONVERSATION, ChannelAccount, ConversationAccount, DeliveryMode,
};

wire_struct! {
    /// Where a conversation is and who takes part in it (Activity protocol, "Conversation reference").
    ///
    /// A stored service URL is as trustworthy as the activity it came with: whoever stores a reference has
    /// authenticated that activity first (A7560).
    pub struct ConversationReference {
        /// The activity the reference was taken from.
        "activityId" activity_id: Option<String>,
        /// The person.
        "user" user: Option<ChannelAccount>,
        /// The bot.
        "bot" bot: Option<ChannelAccount>,
        /// The conversation; its id is always there where the reference is of use (A7550).
        "conversation" conversation: Option<ConversationAccount>,
        /// The channel; always there where the reference is of use (A7550).
        "channelId" channel_id: Option<String>,
        /// Where to send to.
        "serviceUrl" service_url: Option<String>,
        /// The person's language, a BCP 47 tag.
        "locale" locale: Option<String>,
        /// The delivery mode. [`Activity::reference`] does not set it: how one request wanted its replies says nothing
        /// about later messages.
        "deliveryMode" delivery_mode: Option<DeliveryMode>,
    }
}

impl ConversationReference {
    /// The reference without the activity it was taken from: what a proactive message is sent with.
    ///
    /// Applied with an activity id, it would make the message a reply (`replyToId`). A proactive message answers
    /// nothing: by the time it goes out, that activity may be gone, or may be the continuation event, whose id is
    /// made up and which the channel never saw. Web Chat holds back a message that replies to one it does not know,
    /// and the connector would be asked to post below an activity that is not there.
    pub fn without_activity(mut self) -> Self {
        self.activity_id = None;
        self
    }

    /// The event that begins a proactive turn in this conversation: as if the person had sent it to the bot.
    ///
    /// Its id is made up and new each time; send from the turn with [`without_activity`](Self::without_activity).
    pub fn continuation(&self) -> Activity {
        self.clone().into_continuation()
    }

    /// The same, of a reference that is not needed any more.
    pub(crate) fn into_continuation(self) -> Activity {
        Activity {
            activity_type: ActivityType::Event,
            name: Some(CONTINUE_CONVERSATION.to_owned()),
            id: Some(Uuid::new_v4().to_string()),
            channel_id: self.channel_id.clone(),
            locale: self.locale.clone(),
            service_url: self.service_url.clone(),
            conversation: self.conversation.clone(),
            recipient: self.bot.clone(),
            from: self.user.clone(),
            relates_to: Some(Box::new(self)),
            ..Activity::default()
        }
    }
}

impl Activity {
    /// How to reach the conversation this activity came from.
    ///
    /// The activity's id is left out for a `conversationUpdate` of Direct Line or Web Chat: those channels give it an
    /// id that cannot be replied to.
    pub fn reference(&self) -> ConversationReference {
        let unanswerable = matches!(self.activity_type, ActivityType::ConversationUpdate)
            && matches!(self.channel(), Some("directline" | "webchat"));
        ConversationReference {
            activity_id: if unanswerable { None } else { self.id.clone() },
            user: self.from.clone(),
            bot: self.recipient.clone(),
            conversation: self.conversation.clone(),
            channel_id: self.channel_id.clone(),
            service_url: self.service_url.clone(),
            locale: self.locale.clone(),
            ..ConversationReference::default()
        }
    }

    /// Addresses the activity to the person of `reference`, as a reply when the reference names an activity.
    ///
    /// Channel, service URL and conversation are overwritten, the locale only filled in. A `replyToId` that is
    /// already there stays when the reference names no activity.
    pub fn apply_reference_outgoing(&mut self, reference: &ConversationReference) {
        self.apply_place(reference);
        self.from.clone_from(&reference.bot);
        self.recipient.clone_from(&reference.user);
        if let Some(id) = &reference.activity_id {
            self.reply_to_id = Some(id.clone());
        }
    }

    /// Addresses the activity to the bot of `reference`, as if the person had sent it.
    ///
    /// Channel, service URL and conversation are overwritten, the locale only filled in; the id becomes that of the
    /// reference's activity when it names one.
    pub fn apply_reference_incoming(&mut self, reference: &ConversationReference) {
        self.apply_place(reference);
        self.from.clone_from(&reference.user);
        self.recipient.clone_from(&reference.bot);
        if let Some(id) = &reference.activity_id {
            self.id = Some(id.clone());
        }
    }

    fn apply_place(&mut self, reference: &ConversationReference) {
        self.channel_id.clone_from(&reference.channel_id);
        self.service_url.clone_from(&reference.service_url);
        self.conversation.clone_from(&reference.conversation);
        if self.locale.is_none() {
            self.locale.clone_from(&reference.locale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming() -> Activity {
        Activity::message("run")
            .with_id("a1")
            .with_channel("webchat")
            .with_service_url("https://example.org/")
            .with_locale("de-DE")
            .with_from(ChannelAccount::new("user"))
            .with_recipient(ChannelAccount::new("bot"))
            .with_conversation(ConversationAccount::new("c1"))
    }

    #[test]
    fn a_reply_goes_back_to_where_the_activity_came_from() {
        let reference = incoming().reference();
        assert_eq!(reference.activity_id.as_deref(), Some("a1"));
        let mut reply = Activity::message("ok").with_locale("en-US");
        reply.apply_reference_outgoing(&reference);
        assert_eq!(reply.from_id(), Some("bot"));
        assert_eq!(reply.recipient_id(), Some("user"));
        assert_eq!(reply.reply_to_id.as_deref(), Some("a1"));
        assert_eq!(reply.locale.as_deref(), Some("en-US"), "the bot's own locale stays");
        assert_eq!(reply.conversation_id(), Some("c1"));
        assert_eq!(reply.id, None);

        let mut again = Activity::message("run");
        again.apply_reference_incoming(&reference);
        assert_eq!(again, incoming());
    }

    #[test]
    fn a_conversation_update_of_web_chat_cannot_be_replied_to() {
        for (channel, id) in [("webchat", None), ("directline", None), ("msteams", Some("a1"))] {
            let mut update = incoming().with_channel(channel);
            update.activity_type = ActivityType::ConversationUpdate;
            assert_eq!(update.reference().activity_id.as_deref(), id, "{channel}");
        }
    }

    #[test]
    fn a_proactive_message_is_no_reply() {
        let reference = incoming().reference();
        let event = reference.continuation();
        assert!(event.is_continuation());
        assert_eq!(event.from_id(), Some("user"));
        assert_eq!(event.recipient_id(), Some("bot"));
        assert_eq!(event.relates_to.as_deref(), Some(&reference));
        assert!(event.id.is_some());
        assert_ne!(event.id, reference.continuation().id);

        let mut message = Activity::message("done");
        message.apply_reference_outgoing(&event.reference().without_activity());
        assert_eq!(message.reply_to_id, None);
        assert_eq!(message.recipient_id(), Some("user"));
    }
}
