//! The protocol's open sets of names: activity types, delivery modes and the like.
//!
//! None of them fails on an unknown name; it is kept as `Other` and written again.

use serde::de::{Deserialize, Deserializer, Error};

use super::wire::Field;

open_enum! {
    /// What an activity is (Activity protocol A2010, A2011). Bots ignore types they do not know (A2014).
    #[derive(Default)]
    pub enum ActivityType {
        /// Something to show to a person. What a new activity is unless it says otherwise.
        #[default]
        Message = "message",
        /// The bot was added to or removed from a person's contacts.
        ContactRelationUpdate = "contactRelationUpdate",
        /// Members came or went, or the conversation's name changed.
        ConversationUpdate = "conversationUpdate",
        /// The sender is writing; shown for about three seconds.
        Typing = "typing",
        /// The conversation, or the skill's part of it, is over.
        EndOfConversation = "endOfConversation",
        /// A named event, not shown to people (`name` must be there, A5000).
        Event = "event",
        /// A named call that waits for an answer.
        Invoke = "invoke",
        /// The person's data is to be deleted.
        DeleteUserData = "deleteUserData",
        /// A message was edited.
        MessageUpdate = "messageUpdate",
        /// A message was deleted.
        MessageDelete = "messageDelete",
        /// The bot was installed or removed.
        InstallationUpdate = "installationUpdate",
        /// Reactions to a message came or went.
        MessageReaction = "messageReaction",
        /// A private hint to one person about a message.
        Suggestion = "suggestion",
        /// Diagnosis; sent to no one but the Emulator.
        Trace = "trace",
        /// Control of the conversation passes on.
        Handoff = "handoff",
        /// The answer to an invoke; stays inside the bot, never sent to a channel.
        InvokeResponse = "invokeResponse",
        /// A request to do something, answered by a `commandResult`.
        Command = "command",
        /// The answer to a `command`.
        CommandResult = "commandResult",
        /// Not of the protocol: the SDKs' request to wait `value` milliseconds between two activities.
        Delay = "delay",
    }
}

impl Field for ActivityType {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<Self>::deserialize(deserializer)? {
            Some(Self::Other(name)) if name.is_empty() => {
                Err(Error::custom("empty (Activity protocol A2010)"))
            }
            Some(found) => Ok(found),
            None => Self::missing(),
        }
    }

    fn missing<E: Error>() -> Result<Self, E> {
        Err(Error::custom("missing (Activity protocol A2010)"))
    }

    fn is_absent(&self) -> bool {
        false
    }
}

open_enum! {
    /// How the sender wants an activity delivered (`deliveryMode`).
    pub enum DeliveryMode {
        /// As usual; also what absence means.
        Normal = "normal",
        /// Deprecated by the protocol.
        Notification = "notification",
        /// The replies are wanted in the answer to the HTTP request.
        ExpectReplies = "expectReplies",
        /// Not kept by the channel.
        Ephemeral = "ephemeral",
        /// The replies are wanted as a stream (.NET and Agents SDKs).
        Stream = "stream",
    }
}

open_enum! {
    /// How `text` is to be read (`textFormat`).
    pub enum TextFormat {
        /// Markdown; what many channels assume when nothing is said.
        Markdown = "markdown",
        /// As it stands; what the protocol's text says absence means.
        Plain = "plain",
        /// A few XML elements, among them Teams' `<at>`.
        Xml = "xml",
    }
}

open_enum! {
    /// How several attachments are laid out (`attachmentLayout`).
    pub enum AttachmentLayout {
        /// One below the other.
        List = "list",
        /// Side by side, to leaf through.
        Carousel = "carousel",
    }
}

open_enum! {
    /// Whether the bot awaits input after this activity (`inputHint`).
    pub enum InputHint {
        /// Input is welcome, not required.
        Accepting = "accepting",
        /// Input is not wanted now.
        Ignoring = "ignoring",
        /// The bot asked something.
        Expecting = "expecting",
    }
}

open_enum! {
    /// How urgent an activity is (`importance`).
    pub enum Importance {
        /// Of little urgency.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// Urgent.
        High = "high",
    }
}

open_enum! {
    /// Why a conversation ended (`code` of an `endOfConversation`).
    pub enum EndOfConversationCode {
        /// The reason is not known.
        Unknown = "unknown",
        /// The task was done.
        CompletedSuccessfully = "completedSuccessfully",
        /// The person called it off.
        UserCancelled = "userCancelled",
        /// The bot did not answer in time.
        BotTimedOut = "botTimedOut",
        /// The bot sent something that cannot be used.
        BotIssuedInvalidMessage = "botIssuedInvalidMessage",
        /// The channel broke down.
        ChannelFailed = "channelFailed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_case_sensitively() {
        assert_eq!(ActivityType::from("message"), ActivityType::Message);
        assert_eq!(ActivityType::from("Message"), ActivityType::Other("Message".into()));
        assert_ne!(ActivityType::from("Message"), ActivityType::Message);
        assert_eq!(ActivityType::Other("message".into()), ActivityType::Message);
        assert_eq!(DeliveryMode::from("expectReplies".to_owned()), "expectReplies");
    }
}
