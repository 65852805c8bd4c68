//! What a state is kept by.

use crate::activity::Activity;

use super::StateError;

/// Which state a turn's activity belongs to. The keys are those of `BotBuilder` for .NET, so that what it stored is found.
#[derive(Clone, Debug)]
pub(super) enum Scope {
    /// `{channel}/conversations/{conversation}`
    Conversation,
    /// `{channel}/users/{user}`
    User,
    /// `{channel}/conversations/{conversation}/users/{user}`
    PrivateConversation,
    /// A key of its own, the same for all turns.
    Custom(String),
}

impl Scope {
    pub(super) fn key(&self, activity: &Activity) -> Result<String, StateError> {
        let channel = || required("channelId", activity.channel_id.as_ref());
        let conversation = || {
            let conversation = activity.conversation.as_ref();
            required("conversation.id", conversation.and_then(|conversation| conversation.id.as_ref()))
        };
        let user = || required("from.id", activity.from.as_ref().and_then(|from| from.id.as_ref()));
        Ok(match self {
            Self::Conversation => format!("{}/conversations/{}", channel()?, conversation()?),
            Self::User => format!("{}/users/{}", channel()?, user()?),
            Self::PrivateConversation => {
                format!("{}/conversations/{}/users/{}", channel()?, conversation()?, user()?)
            }
            Self::Custom(key) => key.clone(),
        })
    }
}

fn required<'a>(field: &'static str, value: Option<&'a String>) -> Result<&'a str, StateError> {
    value.map(String::as_str).filter(|value| !value.is_empty()).ok_or(StateError::Missing { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_botbuilder() {
        let activity = Activity::decode(
            br#"{"type":"message","channelId":"test","conversation":{"id":"c|1"},"from":{"id":"29:u"}}"#,
        )
        .unwrap();
        let key = |scope: Scope| scope.key(&activity).unwrap();
        assert_eq!(key(Scope::Conversation), "test/conversations/c|1");
        assert_eq!(key(Scope::User), "test/users/29:u");
        assert_eq!(key(Scope::PrivateConversation), "test/conversations/c|1/users/29:u");
        assert_eq!(key(Scope::Custom("jobs".to_owned())), "jobs");
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |json: &[u8], scope: Scope| match scope.key(&Activity::decode(json).unwrap()) {
            Err(StateError::Missing { field }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(missing(br#"{"type":"message"}"#, Scope::User), "channelId");
        assert_eq!(missing(br#"{"type":"message","channelId":"x"}"#, Scope::Conversation), "conversation.id");
        assert_eq!(
            missing(br#"{"type":"message","channelId":"x","from":{"id":""}}"#, Scope::User),
            "from.id"
        );
        assert!(Scope::Custom("k".to_owned()).key(&Activity::typing()).is_ok());
    }
}
