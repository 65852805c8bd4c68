//! Who takes part: the bot, and the people that clients speak for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::CHANNEL_ID;
use crate::activity::{Activity, ActivityType, ChannelAccount, ConversationAccount};

/// The bot's account id in every conversation of the channel.
pub const BOT_ID: &str = "bot";
/// The bot's name in every conversation of the channel.
pub const BOT_NAME: &str = "Proact";

/// How ids begin that are taken from a token only, as in the cloud: who has such an id was given it by whoever has the secret.
const FROM_TOKENS_ONLY: &str = "dl_";

/// Characters in an id or a name at most.
const LONGEST: usize = 256;

/// A person as the channel knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub(super) id: String,
    pub(super) name: Option<String>,
}

/// An id or a name that nobody may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct BadUser {
    /// Which of the two: `id` or `name`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl User {
    /// The person with this id, perhaps under a name. An empty name is none.
    ///
    /// # Errors
    /// [`BadUser`] when the id is empty or the bot's own, or when either is too long or holds control characters.
    pub fn new(id: impl Into<String>, name: Option<String>) -> Result<Self, BadUser> {
        let id = id.into();
        let name = name.filter(|name| !name.is_empty());
        let bad = |field, problem| Err(BadUser { field, problem });
        if id.is_empty() {
            return bad("id", "empty: give the person's id");
        }
        if id == BOT_ID {
            return bad("id", "this is the bot's own id: give the person another one");
        }
        for (field, text) in [("id", Some(&id)), ("name", name.as_ref())] {
            let Some(text) = text else { continue };
            if text.chars().count() > LONGEST {
                return bad(field, "longer than 256 characters");
            }
            if text.chars().any(char::is_control) {
                return bad(field, "holds control characters");
            }
        }
        Ok(Self { id, name })
    }

    /// A new person with an id that nobody else has, in the form that clients take from a token only.
    ///
    /// # Errors
    /// As for [`new`](Self::new), of the name.
    pub fn generated(name: Option<String>) -> Result<Self, BadUser> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system has random bytes");
        Self::new(format!("{FROM_TOKENS_ONLY}{}", URL_SAFE_NO_PAD.encode(bytes)), name)
    }

    /// Whether nobody may claim this id for himself: it is taken from a token only.
    pub(super) fn is_from_tokens_only(&self) -> bool {
        self.id.starts_with(FROM_TOKENS_ONLY)
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn account(&self) -> ChannelAccount {
        ChannelAccount { name: self.name.clone(), ..ChannelAccount::new(&*self.id).with_role("user") }
    }
}

pub(super) fn bot() -> ChannelAccount {
    ChannelAccount::new(BOT_ID).with_name(BOT_NAME).with_role("bot")
}

/// The bot is told that it was added to `conversation`. With nobody known yet, the conversation itself speaks.
pub(super) fn bot_joined(conversation: &str, user: Option<&User>, locale: Option<&str>) -> Activity {
    let from = user.map_or_else(|| ChannelAccount::new(conversation), User::account);
    joined(conversation, bot(), from, locale)
}

/// The bot is told that `user` was added to `conversation`.
pub(super) fn user_joined(conversation: &str, user: &User, locale: Option<&str>) -> Activity {
    joined(conversation, user.account(), user.account(), locale)
}

/// The bot is told that `user` was taken out of `conversation`.
pub(super) fn user_left(conversation: &str, user: &User) -> Activity {
    let mut left = joined(conversation, user.account(), user.account(), None);
    left.members_removed = std::mem::take(&mut left.members_added);
    left
}

fn joined(
    conversation: &str,
    member: ChannelAccount,
    from: ChannelAccount,
    locale: Option<&str>,
) -> Activity {
    Activity {
        members_added: vec![member],
        from: Some(from),
        channel_id: Some(CHANNEL_ID.to_owned()),
        conversation: Some(ConversationAccount::new(conversation)),
        locale: locale.map(str::to_owned),
        ..Activity::new(ActivityType::ConversationUpdate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_the_bot_or_nobody() {
        for (id, name, field) in [
            ("", None, "id"),
            ("bot", None, "id"),
            ("a\nb", None, "id"),
            (&*"x".repeat(257), None, "id"),
            ("u", Some("a\u{7}"), "name"),
            ("u", Some(&*"x".repeat(257)), "name"),
        ] {
            assert_eq!(User::new(id, name.map(str::to_owned)).unwrap_err().field, field, "{id} {name:?}");
        }
        assert_eq!(User::new("u", Some(String::new())).unwrap().name(), None);
        assert_ne!(User::generated(None).unwrap(), User::generated(None).unwrap());
    }
}
