//! What is asked for when a notification is accepted, and what is refused of it.

use jiff::Timestamp;

use super::{
    Error,
    head::Stored,
    notification::{Cause, FromTemplate, Moment, Policy, Priority},
};
use crate::activity::{Activity, ActivityType, ConversationKey};

/// Characters of a key at most.
const KEY: usize = 255;
/// Bytes of a message at most, as JSON. Channels take less.
const CONTENT: usize = 256 * 1024;

/// A notification to accept. Its parts have defaults but the conversation and what to send.
///
/// ```
/// use proact::{activity::{Activity, ConversationKey}, proactive::{NewNotification, Priority}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let whom = ConversationKey::new("directline", "4f0c")?;
/// let mut reminder = NewNotification::new(whom, Activity::message("Stand-up in five minutes."));
/// reminder.priority = Priority::Urgent;
/// reminder.not_before = Some("2030-01-31T08:55:00Z".parse()?);
/// reminder.expires_at = Some("2030-01-31T09:05:00Z".parse()?);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewNotification {
    /// To which conversation. The bot must have met it: its reference is read when the message is sent.
    pub conversation: ConversationKey,
    /// What to send.
    pub content: Content,
    /// Which of the conversation's ready ones goes first.
    pub priority: Priority,
    /// What to do about an unknown outcome.
    pub policy: Policy,
    /// When it may appear.
    pub moment: Moment,
    /// Not to be sent before.
    pub not_before: Option<Timestamp>,
    /// Not to be sent after.
    pub expires_at: Option<Timestamp>,
    /// Takes the place of one that waits in the conversation under the same key, if it is of equal priority, policy and moment and no
    /// attempt of it was begun: that one ends suppressed.
    pub collapse_key: Option<String>,
    /// The same key with the same content is accepted once, for as long as the notification is kept.
    pub idempotency_key: Option<String>,
    /// What made it.
    pub cause: Cause,
}

/// What a notification sends.
#[derive(Debug, Clone)]
pub enum Content {
    /// This activity: a message or an event.
    Activity(Box<Activity>),
    /// A message made from a template when it is sent.
    Template(FromTemplate),
}

impl From<Activity> for Content {
    fn from(activity: Activity) -> Self {
        Self::Activity(Box::new(activity))
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Activity::message(text).into()
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Activity::message(text).into()
    }
}

impl From<FromTemplate> for Content {
    fn from(template: FromTemplate) -> Self {
        Self::Template(template)
    }
}

impl NewNotification {
    /// A notification with the usual policy: normal, at least once, after the turn.
    #[must_use]
    pub fn new(conversation: ConversationKey, content: impl Into<Content>) -> Self {
        Self {
            conversation,
            content: content.into(),
            priority: Priority::Normal,
            policy: Policy::AtLeastOnce,
            moment: Moment::AfterTurn,
            not_before: None,
            expires_at: None,
            collapse_key: None,
            idempotency_key: None,
            cause: Cause::Bot,
        }
    }

    /// Refuses what cannot be meant.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Error> {
        let invalid = |field, why: String| Err(Error::Invalid { field, why });
        if let Some(expires_at) = self.expires_at {
            if expires_at <= now {
                return invalid(
                    "expiresAt",
                    format!("{expires_at} has passed: give a time to come, or none"),
                );
            }
            if self.not_before.is_some_and(|at| at >= expires_at) {
                return invalid("expiresAt", "it must be later than notBefore".to_owned());
            }
        }
        let keys = [("collapseKey", &self.collapse_key), ("idempotencyKey", &self.idempotency_key)];
        for (field, key) in keys {
            key.as_deref().map_or(Ok(()), |key| check_key(field, key))?;
        }
        if let Content::Template(template) = &self.content {
            super::template::check_name(&template.name)?;
        }
        Ok(())
    }
}

/// What is stored of what is to be sent: without what belongs to another conversation or another turn.
pub(super) fn stored(content: Content) -> Result<Stored, Error> {
    match content {
        Content::Activity(activity) => Ok(Stored::Activity(outgoing(*activity)?)),
        Content::Template(FromTemplate { name, data }) => {
            let data = serde_json::to_string(&data).map_err(|e| Error::Activity(e.to_string()))?;
            within_size(&data)?;
            Ok(Stored::Template { name, data })
        }
    }
}

/// The JSON of an activity that is sent.
pub(super) fn outgoing(mut activity: Activity) -> Result<String, Error> {
    if !matches!(activity.activity_type, ActivityType::Message | ActivityType::Event) {
        return Err(Error::Activity(format!(
            "a notification sends a message or an event, not `{}`",
            activity.activity_type.as_str()
        )));
    }
    // A proactive message answers nothing: Web Chat holds back a message whose `replyToId` it does not know.
    activity.reply_to_id = None;
    activity.id = None;
    let json = serde_json::to_string(&activity).map_err(|e| Error::Activity(e.to_string()))?;
    within_size(&json)?;
    Ok(json)
}

fn within_size(json: &str) -> Result<(), Error> {
    if json.len() > CONTENT {
        return Err(Error::Activity(format!("it is larger than the {CONTENT} bytes allowed")));
    }
    Ok(())
}

/// Refuses what is no key.
pub(super) fn check_key(field: &'static str, key: &str) -> Result<(), Error> {
    if key.is_empty() || key.chars().count() > KEY || key.chars().any(char::is_control) {
        let why = format!("give 1 to {KEY} characters, none of them control characters");
        return Err(Error::Invalid { field, why });
    }
    Ok(())
}
