//! How far somebody reaches: which kinds of jobs, which conversations. What lies outside is to them as if it were not there.
//!
//! A limit on kinds leaves jobs of these kinds and the notifications that tell of them, and nothing else. A limit on conversations leaves
//! what is about these. Both can be set; then both hold.

use std::{fmt, str::FromStr};

use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{Job, Notification, conversation::ConversationView};
use crate::activity::ConversationKey;

/// Entries of each list at most: they are compared with each thing that is read.
pub(crate) const LONGEST: usize = 100;

/// One conversation, or all of a channel.
///
/// Written as the channel's id, a slash, and the conversation's id or `*`:
///
/// ```
/// use proact::{activity::ConversationKey, proactive::Place};
/// let teams: Place = "msteams/*".parse().unwrap();
/// assert!(teams.contains(&ConversationKey::new("msteams", "19:a/b").unwrap()));
/// assert!("msteams".parse::<Place>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Every conversation of the channel with this id.
    Channel(String),
    /// One conversation.
    Conversation(ConversationKey),
}

/// A text that names no [`Place`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a channel's id, a slash, and a conversation's id or *")]
pub struct NoPlace;

impl Place {
    /// Whether `key` is this conversation, or one of this channel.
    #[must_use]
    pub fn contains(&self, key: &ConversationKey) -> bool {
        match self {
            Self::Channel(channel_id) => channel_id == key.channel_id(),
            Self::Conversation(one) => one == key,
        }
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        match text.split_once('/') {
            Some((channel_id, "*")) if !channel_id.is_empty() => Ok(Self::Channel(channel_id.to_owned())),
            Some((channel_id, id)) => {
                ConversationKey::new(channel_id, id).map(Self::Conversation).map_err(|_| NoPlace)
            }
            None => Err(NoPlace),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(channel_id) => write!(f, "{channel_id}/*"),
            Self::Conversation(key) => key.fmt(f),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Which jobs and which conversations somebody reaches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reach {
    /// Only jobs of these kinds; `None`: of any.
    pub kinds: Option<Vec<String>>,
    /// Only what is about these conversations; `None`: about any.
    pub places: Option<Vec<Place>>,
}

impl Reach {
    /// Everything.
    #[must_use]
    pub const fn everything() -> Self {
        Self { kinds: None, places: None }
    }

    /// Whether nothing lies outside.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.kinds.is_none() && self.places.is_none()
    }

    /// Whether this conversation is reached.
    #[must_use]
    pub fn conversation(&self, key: &ConversationKey) -> bool {
        self.places.as_ref().is_none_or(|places| places.iter().any(|place| place.contains(key)))
    }

    /// Whether all conversations of this channel are.
    #[must_use]
    pub fn channel(&self, channel_id: &str) -> bool {
        let whole = |place: &Place| matches!(place, Place::Channel(channel) if channel == channel_id);
        self.places.as_ref().is_none_or(|places| places.iter().any(whole))
    }

    /// Whether jobs of this kind are.
    #[must_use]
    pub fn kind(&self, kind: &str) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|one| one == kind))
    }

    /// Whether this job is.
    #[must_use]
    pub fn job(&self, job: &Job) -> bool {
        self.kind(&job.kind) && self.view(&job.conversation)
    }

    /// Whether this notification is; `job` is the one that it tells of, if it tells of one and that is still there.
    #[must_use]
    pub fn notification(&self, notification: &Notification, job: Option<&Job>) -> bool {
        self.view(&notification.conversation)
            && (self.kinds.is_none() || job.is_some_and(|job| self.job(job)))
    }

    fn view(&self, view: &ConversationView) -> bool {
        ConversationKey::new(&view.channel_id, &view.id).is_ok_and(|key| self.conversation(&key))
    }

    /// The condition on rows with `channel_id` and `conversation_id`, and its values.
    pub(super) fn of_conversations(&self) -> Option<(String, Vec<Value>)> {
        let places = self.places.as_ref()?;
        let (mut alternatives, mut values) = (vec!["0".to_owned()], Vec::new());
        for place in places {
            match place {
                Place::Channel(channel_id) => {
                    values.push(channel_id.clone().into());
                    alternatives.push("channel_id = ?".to_owned());
                }
                Place::Conversation(key) => {
                    values.extend([
                        key.channel_id().to_owned().into(),
                        key.conversation_id().to_owned().into(),
                    ]);
                    alternatives.push("(channel_id = ? AND conversation_id = ?)".to_owned());
                }
            }
        }
        Some((format!("({})", alternatives.join(" OR ")), values))
    }

    /// The same on rows of jobs.
    pub(super) fn of_jobs(&self) -> Vec<(String, Vec<Value>)> {
        self.of_conversations().into_iter().chain(self.of_kinds()).collect()
    }

    /// The same on rows of notifications.
    pub(super) fn of_notifications(&self) -> Vec<(String, Vec<Value>)> {
        let told = self.of_kinds().map(|(kinds, values)| {
            let job = "json_extract(cause, '$.job')";
            (format!("EXISTS (SELECT 1 FROM job WHERE number = {job} AND {kinds})"), values)
        });
        self.of_conversations().into_iter().chain(told).collect()
    }

    fn of_kinds(&self) -> Option<(String, Vec<Value>)> {
        let kinds = self.kinds.as_ref()?;
        let marks = vec!["?"; kinds.len()].join(", ");
        Some((format!("kind IN ({marks})"), kinds.iter().map(|kind| kind.clone().into()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ConversationKey {
        let (channel, id) = text.split_once('/').unwrap();
        ConversationKey::new(channel, id).unwrap()
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in ["msteams/*", "msteams/19:a", "webchat/a/b", "webchat/**"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for wrong in ["", "/", "msteams", "/x", "msteams/", "/*"] {
            assert_eq!(wrong.parse::<Place>(), Err(NoPlace), "{wrong}");
        }
    }

    #[test]
    fn what_is_outside_is_not_reached() {
        let mut reach = Reach::everything();
        assert!(
            reach.is_everything() && reach.conversation(&key("a/1")) && reach.channel("a") && reach.kind("x")
        );
        reach.places = Some(vec!["a/1".parse().unwrap(), "b/*".parse().unwrap()]);
        for (place, reached) in
            [("a/1", true), ("a/2", false), ("a/11", false), ("b/9", true), ("c/1", false)]
        {
            assert_eq!(reach.conversation(&key(place)), reached, "{place}");
        }
        assert!(!reach.channel("a") && reach.channel("b") && !reach.is_everything());
        // A list of none reaches nothing, not everything.
        reach = Reach { kinds: Some(vec![]), places: Some(vec![]) };
        assert!(!reach.conversation(&key("a/1")) && !reach.channel("a") && !reach.kind("x"));
        assert_eq!(reach.of_conversations().unwrap().0, "(0)");
    }
}
