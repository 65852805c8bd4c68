//! What tells one conversation from another.
//!
//! A key is made from an activity or a reference; it fails with [`MissingField`] when the channel or the
//! conversation has no id.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Activity, ConversationReference};

/// How many partitions the conversations fall into.
pub const PARTITIONS: u16 = 256;

/// A conversation's key: ids of conversations are unique only within their channel.
///
/// Compared byte by byte, channel first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationKey {
    channel_id: String,
    conversation_id: String,
}

impl ConversationKey {
    /// The key of the conversation `conversation_id` on the channel `channel_id`.
    ///
    /// # Errors
    /// When one of them is empty.
    pub fn new(
        channel_id: impl Into<String>,
        conversation_id: impl Into<String>,
    ) -> Result<Self, MissingField> {
        let key = Self { channel_id: channel_id.into(), conversation_id: conversation_id.into() };
        if key.channel_id.is_empty() {
            Err(MissingField("channelId"))
        } else if key.conversation_id.is_empty() {
            Err(MissingField("conversation.id"))
        } else {
            Ok(key)
        }
    }

    /// The channel's id.
    pub fn channel_id(&self) -> &str {
        &self.channel_id
    }

    /// The conversation's id within the channel.
    pub fn conversation_id(&self) -> &str {
        &self.conversation_id
    }

    /// The partition the conversation falls into, below [`PARTITIONS`].
    ///
    /// It is the first two bytes, as a big-endian number, of the SHA-256 of the channel's id, a zero byte and the
    /// conversation's id, modulo [`PARTITIONS`]. Replicas and databases agree on it, so it is stable for ever.
    pub fn partition(&self) -> u16 {
        let hash = Sha256::new()
            .chain_update(&self.channel_id)
            .chain_update([0])
            .chain_update(&self.conversation_id);
        let [first, second, ..] = <[u8; 32]>::from(hash.finalize());
        u16::from_be_bytes([first, second]) % PARTITIONS
    }

    fn of(channel_id: Option<&str>, conversation_id: Option<&str>) -> Result<Self, MissingField> {
        Self::new(channel_id.unwrap_or_default(), conversation_id.unwrap_or_default())
    }
}

/// `channel/conversation`, for people and logs; not to be taken apart again, for ids may contain slashes.
impl fmt::Display for ConversationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel_id, self.conversation_id)
    }
}

impl TryFrom<&Activity> for ConversationKey {
    type Error = MissingField;

    fn try_from(activity: &Activity) -> Result<Self, MissingField> {
        Self::of(activity.channel(), activity.conversation_id())
    }
}

impl TryFrom<&ConversationReference> for ConversationKey {
    type Error = MissingField;

    fn try_from(reference: &ConversationReference) -> Result<Self, MissingField> {
        let conversation = reference.conversation.as_ref();
        Self::of(reference.channel_id.as_deref(), conversation.and_then(|account| account.id.as_deref()))
    }
}

impl Activity {
    /// The key of the activity's conversation.
    ///
    /// # Errors
    /// When `channelId` or `conversation.id` is absent or empty.
    pub fn conversation_key(&self) -> Result<ConversationKey, MissingField> {
        self.try_into()
    }
}

impl ConversationReference {
    /// The key of the reference's conversation.
    ///
    /// # Errors
    /// When `channelId` or `conversation.id` is absent or empty.
    pub fn conversation_key(&self) -> Result<ConversationKey, MissingField> {
        self.try_into()
    }
}

/// A field that is needed is absent or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: missing")]
pub struct MissingField(pub &'static str);

impl MissingField {
    /// The field's path, such as `conversation.id`.
    pub fn field(&self) -> &'static str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::ConversationAccount;

    /// Stored data depends on these numbers: they must never change.
    #[test]
    fn partitions_are_stable_for_ever() {
        for (channel, conversation, partition) in [
            ("directline", "c1", 194),
            ("msteams", "19:meeting_abc@thread.v2;messageid=1", 253),
            ("webchat", "größe/1|x", 239),
        ] {
            let key = ConversationKey::new(channel, conversation).unwrap();
            assert_eq!(key.partition(), partition, "{key}");
        }
    }

    #[test]
    fn the_missing_field_is_named() {
        let mut activity = Activity::message("hi");
        assert_eq!(activity.conversation_key(), Err(MissingField("channelId")));
        activity.channel_id = Some("directline".into());
        assert_eq!(activity.conversation_key(), Err(MissingField("conversation.id")));
        activity.conversation = Some(ConversationAccount::new(""));
        assert_eq!(activity.conversation_key(), Err(MissingField("conversation.id")));
        activity.conversation = Some(ConversationAccount::new("c1"));
        let key = activity.conversation_key().unwrap();
        assert_eq!(activity.reference().conversation_key().as_ref(), Ok(&key));
        assert_eq!(key.to_string(), "directline/c1");
    }
}
