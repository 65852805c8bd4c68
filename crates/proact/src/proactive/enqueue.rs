//! Accepting a notification: its row, and the news of it for its lane, in the commit of its cause.

use rusqlite::params;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Error,
    notification::{Cause, Moment, NotificationState, Policy, Priority},
};
use crate::{
    activity::{Activity, ActivityType, ConversationKey},
    store::{self, Change, Command, Effect, Tx, Waiting},
};

/// A notification to accept. Its parts have defaults but the conversation and the activity.
///
/// ```
/// use proact::{activity::{Activity, ConversationKey}, proactive::NewNotification};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let whom = ConversationKey::new("directline", "4f0c")?;
/// let reminder = NewNotification::new(whom, Activity::message("Stand-up in five minutes."));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewNotification {
    /// To which conversation. The bot must have met it: its reference is read when the message is sent.
    pub conversation: ConversationKey,
    /// What to send.
    pub activity: Activity,
    /// What to do about an unknown outcome.
    pub policy: Policy,
    /// When it may appear.
    pub moment: Moment,
    /// What made it.
    pub cause: Cause,
}

impl NewNotification {
    /// A notification with the usual policy: at least once, after the turn.
    #[must_use]
    pub const fn new(conversation: ConversationKey, activity: Activity) -> Self {
        Self {
            conversation,
            activity,
            policy: Policy::AtLeastOnce,
            moment: Moment::AfterTurn,
            cause: Cause::Bot,
        }
    }
}

/// The JSON of what is sent: without what belongs to another conversation or another turn.
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
    serde_json::to_string(&activity).map_err(|e| Error::Activity(e.to_string()))
}

/// Accepts one notification.
#[derive(Debug)]
pub(super) struct Enqueue {
    conversation: ConversationKey,
    activity: String,
    policy: Policy,
    moment: Moment,
    cause: Cause,
}

impl Enqueue {
    pub(super) fn new(new: NewNotification) -> Result<Self, Error> {
        Ok(Self {
            activity: outgoing(new.activity)?,
            conversation: new.conversation,
            policy: new.policy,
            moment: new.moment,
            cause: new.cause,
        })
    }

    pub(super) const fn of(conversation: ConversationKey, activity: String, cause: Cause) -> Self {
        Self { conversation, activity, policy: Policy::AtLeastOnce, moment: Moment::AfterTurn, cause }
    }

    /// Everything that its caller chose, as one text: what makes a repeated command the same.
    pub(super) fn content(&self) -> String {
        format!("{}\n{}\n{} {}", self.conversation, self.activity, self.policy, self.moment)
    }
}

/// The answer to an accepted notification.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub(super) id: Uuid,
}

impl Effect for Accepted {
    fn took_effect(&self) -> bool {
        true
    }
}

impl Command for Enqueue {
    type Outcome = Accepted;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Accepted, store::Error> {
        Ok(Accepted { id: insert(tx, self)? })
    }
}

/// Writes the row as part of a larger command.
pub(super) fn insert(tx: &mut Tx<'_>, new: Enqueue) -> Result<Uuid, store::Error> {
    let id = Uuid::now_v7();
    let due_at = tx.now();
    let key = new.conversation;
    tx.prepare(
        "INSERT INTO notification (id, partition, channel_id, conversation_id, state, priority, policy, moment, cause,
            activity, created_at, due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        id,
        key.partition(),
        key.channel_id(),
        key.conversation_id(),
        NotificationState::Waiting,
        Priority::Normal,
        new.policy,
        new.moment,
        serde_json::to_string(&new.cause)?,
        new.activity,
        tx.now(),
        due_at,
    ])?;
    let seq = tx.connection().last_insert_rowid();
    tx.changed(Change::Notification { id, waiting: Some(Waiting { seq, id, conversation: key, due_at }) });
    Ok(id)
}
