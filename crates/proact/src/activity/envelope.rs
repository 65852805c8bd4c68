//! The activity: one flat object for everything that happens in a conversation.

use serde_json::Value;

use super::{
    ActivityType, Attachment, AttachmentLayout, ChannelAccount, ConversationAccount, ConversationReference,
    DeliveryMode, EndOfConversationCode, Entity, Importance, InputHint, MessageReaction, SemanticAction,
    SuggestedActions, TextFormat, TextHighlight,
};

wire_struct! {
    /// One message or event of the Activity protocol.
    ///
    /// Field names are those of the wire in snake case, but for `type`, which is a word of Rust's. Every field but the
    /// type may be absent. Times are kept as the very string that came; [`sent_at`](Self::sent_at),
    /// [`local_sent_at`](Self::local_sent_at) and [`expires_at`](Self::expires_at) read them.
    pub struct Activity {
        /// What the activity is (A2010).
        "type" activity_type: ActivityType,
        /// The channel's id for it. Bots do not set it.
        "id" id: Option<String>,
        /// When it was sent: ISO 8601, UTC with `Z`. Bots do not set it.
        "timestamp" timestamp: Option<String>,
        /// When it was sent by the sender's clock: ISO 8601 with an offset.
        "localTimestamp" local_timestamp: Option<String>,
        /// The sender's time zone, an IANA name.
        "localTimezone" local_timezone: Option<String>,
        /// Who called the bot. Never to be believed from the wire (A2251): set from the token.
        "callerId" caller_id: Option<String>,
        /// Where to send replies. Tokens go there: never to be believed without a check.
        "serviceUrl" service_url: Option<String>,
        /// The channel: `msteams`, `webchat`, `directline`, `emulator`, … Compared case-sensitively.
        "channelId" channel_id: Option<String>,
        /// Who sent it.
        "from" from: Option<ChannelAccount>,
        /// The conversation it belongs to.
        "conversation" conversation: Option<ConversationAccount>,
        /// Whom it is for.
        "recipient" recipient: Option<ChannelAccount>,
        /// How `text` is to be read.
        "textFormat" text_format: Option<TextFormat>,
        /// How the attachments are laid out.
        "attachmentLayout" attachment_layout: Option<AttachmentLayout>,
        /// Who joined the conversation.
        "membersAdded" members_added: Vec<ChannelAccount>,
        /// Who left the conversation.
        "membersRemoved" members_removed: Vec<ChannelAccount>,
        /// The reactions that were added to the message `replyToId`.
        "reactionsAdded" reactions_added: Vec<MessageReaction>,
        /// The reactions that were taken back from the message `replyToId`.
        "reactionsRemoved" reactions_removed: Vec<MessageReaction>,
        /// The conversation's new name.
        "topicName" topic_name: Option<String>,
        /// Deprecated: whether members see what was said before they joined.
        "historyDisclosed" history_disclosed: Option<bool>,
        /// The language of `text`, a BCP 47 tag.
        "locale" locale: Option<String>,
        /// What is shown.
        "text" text: Option<String>,
        /// What is said aloud: text or SSML.
        "speak" speak: Option<String>,
        /// Whether the bot awaits input.
        "inputHint" input_hint: Option<InputHint>,
        /// What is shown where the attachments cannot be.
        "summary" summary: Option<String>,
        /// Buttons that suggest an answer.
        "suggestedActions" suggested_actions: Option<Box<SuggestedActions>>,
        /// Cards and files.
        "attachments" attachments: Vec<Attachment>,
        /// Metadata, mentions among them.
        "entities" entities: Vec<Entity>,
        /// Data in the channel's own shape.
        "channelData" channel_data: Option<Value>,
        /// What a `contactRelationUpdate` or `installationUpdate` did: `add`, `remove`, …
        "action" action: Option<String>,
        /// The id of the activity this one answers.
        "replyToId" reply_to_id: Option<String>,
        /// What a `trace` is called for people.
        "label" label: Option<String>,
        /// What `value` is, as a name.
        "valueType" value_type: Option<String>,
        /// The payload of an event, an invoke, a command or a button.
        "value" value: Option<Value>,
        /// The name of the event, invoke, command or trace (A5001).
        "name" name: Option<String>,
        /// Another conversation this activity is about.
        "relatesTo" relates_to: Option<Box<ConversationReference>>,
        /// Why the conversation ended.
        "code" code: Option<EndOfConversationCode>,
        /// When it is too late to deliver it: ISO 8601, UTC with `Z`.
        "expiration" expiration: Option<String>,
        /// How urgent it is.
        "importance" importance: Option<Importance>,
        /// How the sender wants it delivered.
        "deliveryMode" delivery_mode: Option<DeliveryMode>,
        /// Phrases that speech recognition should expect.
        "listenFor" listen_for: Vec<String>,
        /// The parts of the replied-to message that stand out.
        "textHighlights" text_highlights: Vec<TextHighlight>,
        /// The programmatic action that goes with the request.
        "semanticAction" semantic_action: Option<Box<SemanticAction>>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Activities are moved through turns and futures by value; rarely used members are boxed to keep them small.
    #[test]
    fn an_activity_is_not_huge() {
        let size = size_of::<Activity>();
        assert!(size <= 1536, "an activity takes {size} bytes");
    }
}
