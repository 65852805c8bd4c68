//! Which turn this is: the same for an activity that comes again.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::activity::{Activity, ActivityType, ConversationKey};

/// The key of a turn: 16 bytes of a SHA-256 over the activity's channel, conversation, type and id.
///
/// Updates, deletes and reactions carry the id of *another* activity, so for them the body counts too. An activity without an id is never
/// a repetition of another: its key is made up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TurnKey(pub [u8; 16]);

impl TurnKey {
    /// The key of `activity`, which came as `body` in `conversation`.
    #[must_use]
    pub fn of(activity: &Activity, conversation: &ConversationKey, body: &[u8]) -> Self {
        let Some(id) = activity.id.as_deref().filter(|id| !id.is_empty()) else { return Self::unique() };
        let mut hash = Sha256::new();
        for part in
            [conversation.channel_id(), conversation.conversation_id(), activity.activity_type.as_str(), id]
        {
            // With its length before it, so that no two different lists of parts read alike.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        if matches!(
            activity.activity_type,
            ActivityType::MessageUpdate | ActivityType::MessageDelete | ActivityType::MessageReaction
        ) {
            hash.update(body);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Self(key)
    }

    /// The key of the same activity when this caller sends it: what others send under the same ids is another turn.
    pub(crate) fn of_caller(self, app_id: &str) -> Self {
        let hash = Sha256::new().chain_update(self.0).chain_update(app_id).finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }

    /// A key that no other turn has.
    #[must_use]
    pub fn unique() -> Self {
        Self(*Uuid::new_v4().as_bytes())
    }
}

/// Where a command stands: which turn, and its ordinal among that turn's commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandKey {
    /// The turn.
    pub turn: TurnKey,
    /// The partition of the turn's conversation.
    pub partition: u16,
    /// 0 for the turn's first command.
    pub ordinal: u32,
}

impl fmt::Debug for TurnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TurnKey({:032x})", u128::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(activity: &Activity) -> TurnKey {
        let conversation = ConversationKey::new("test", "c").unwrap();
        TurnKey::of(activity, &conversation, &activity.encode())
    }

    #[test]
    fn a_message_that_comes_again_is_the_same_whatever_its_body() {
        let first = Activity::message("a").with_id("1");
        assert_eq!(key(&first), key(&first.clone().with_text("changed on the way")));
        assert_ne!(key(&first), key(&first.clone().with_id("2")));
        assert_ne!(key(&first), key(&Activity::typing().with_id("1")));
    }

    #[test]
    fn of_updates_the_body_counts() {
        let update = |text| {
            Activity { activity_type: ActivityType::MessageUpdate, ..Activity::message(text) }.with_id("1")
        };
        assert_eq!(key(&update("a")), key(&update("a")));
        assert_ne!(key(&update("a")), key(&update("b")));
    }

    #[test]
    fn without_an_id_nothing_is_a_repetition() {
        assert_ne!(key(&Activity::message("a")), key(&Activity::message("a")));
        assert_ne!(key(&Activity::message("a").with_id("")), key(&Activity::message("a").with_id("")));
    }
}
