//! The handle to a turn: its activity, and what can be sent.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use super::{AtTurnEnd, CommandKey, Delivered, Outbound, SendError, TurnKey, Values};
use crate::activity::{Activity, ActivityType, ConversationKey, ConversationReference, ResourceResponse};

/// The longest pause that a `delay` activity makes.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// What began the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnKind {
    /// An activity came in.
    Inbound,
    /// The bot speaks although nobody has just spoken to it.
    Proactive,
}

/// The answer to an invoke.
#[derive(Debug, Clone, PartialEq)]
pub struct InvokeResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body, if any.
    pub body: Option<Value>,
}

/// Replies on their way: sent at once, or kept for the answer (`expectReplies`).
pub(crate) enum Outgoing {
    Send(Arc<dyn Outbound>),
    Keep(Mutex<Vec<Activity>>),
}

/// What an adapter knows of a turn when it begins.
pub(crate) struct NewTurn {
    pub(crate) activity: Activity,
    pub(crate) conversation: ConversationKey,
    pub(crate) key: TurnKey,
    pub(crate) kind: TurnKind,
    pub(crate) outgoing: Outgoing,
    pub(crate) services: Arc<Values>,
    /// Whether the channel takes an id with each reply.
    pub(crate) reply_ids: bool,
}

struct Inner {
    turn: NewTurn,
    reference: ConversationReference,
    ordinal: AtomicU32,
    /// Replies sent so far.
    replies: AtomicU32,
    responded: AtomicBool,
    invoke_response: Mutex<Option<InvokeResponse>>,
    values: Values,
    at_end: Mutex<Vec<Arc<dyn AtTurnEnd>>>,
}

/// The handle to one turn. Clones are the same turn; it may be kept after the turn, for sending.
#[derive(Clone)]
pub struct TurnContext(Arc<Inner>);

impl TurnContext {
    pub(crate) fn new(turn: NewTurn) -> Self {
        let reference = turn.activity.reference();
        // A proactive message answers nothing; see `without_activity`.
        let reference = match turn.kind {
            TurnKind::Inbound => reference,
            TurnKind::Proactive => reference.without_activity(),
        };
        Self(Arc::new(Inner {
            turn,
            reference,
            ordinal: AtomicU32::new(0),
            replies: AtomicU32::new(0),
            responded: AtomicBool::new(false),
            invoke_response: Mutex::default(),
            values: Values::default(),
            at_end: Mutex::default(),
        }))
    }

    /// The activity that is handled.
    #[must_use]
    pub fn activity(&self) -> &Activity {
        &self.0.turn.activity
    }

    /// Its conversation.
    #[must_use]
    pub fn conversation(&self) -> &ConversationKey {
        &self.0.turn.conversation
    }

    /// How to answer: what is sent is addressed by it.
    #[must_use]
    pub fn reference(&self) -> &ConversationReference {
        &self.0.reference
    }

    /// The turn's key: the same when the same activity is handled again.
    #[must_use]
    pub fn key(&self) -> TurnKey {
        self.0.turn.key
    }

    /// What began the turn.
    #[must_use]
    pub fn kind(&self) -> TurnKind {
        self.0.turn.kind
    }

    /// The key of the turn's next command: its ordinals count 0, 1, 2 … in the order of the calls, so that the same activity, handled
    /// again, finds each of its commands on record.
    #[must_use]
    pub fn next_command(&self) -> CommandKey {
        CommandKey {
            turn: self.key(),
            partition: self.conversation().partition(),
            ordinal: self.0.ordinal.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Whether anything but a trace was sent in this turn.
    #[must_use]
    pub fn responded(&self) -> bool {
        self.0.responded.load(Ordering::Relaxed)
    }

    /// Sends an activity to the turn's conversation; a text is a message.
    ///
    /// In a turn that an activity began it is a reply to it; in a proactive turn it answers nothing.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, activity: impl Into<Activity>) -> Result<ResourceResponse, SendError> {
        Ok(self.send_as(activity.into(), None).await?.response)
    }

    /// Sends a reply to the turn's activity, also in a proactive turn that continues from one.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn reply(&self, activity: impl Into<Activity>) -> Result<ResourceResponse, SendError> {
        let mut activity = activity.into();
        if self.kind() == TurnKind::Inbound && activity.reply_to_id.is_none() {
            activity.reply_to_id.clone_from(&self.activity().id);
        }
        Ok(self.send_as(activity, None).await?.response)
    }

    /// Sends several, one after the other. Stops at the first that fails.
    ///
    /// # Errors
    /// See [`SendError`]; [`SendError::Empty`] for none.
    pub async fn send_all(
        &self,
        activities: impl IntoIterator<Item = Activity>,
    ) -> Result<Vec<ResourceResponse>, SendError> {
        let mut responses = Vec::new();
        for activity in activities {
            responses.push(self.send_as(activity, None).await?.response);
        }
        if responses.is_empty() { Err(SendError::Empty) } else { Ok(responses) }
    }

    /// Sends `activity`; with `id`, a channel that takes ids takes it once.
    pub(crate) async fn send_as(
        &self,
        mut activity: Activity,
        id: Option<&str>,
    ) -> Result<Delivered, SendError> {
        match activity.activity_type {
            ActivityType::Delay => {
                let millis = activity.value.as_ref().and_then(Value::as_u64).unwrap_or(1000);
                tokio::time::sleep(Duration::from_millis(millis).min(LONGEST_DELAY)).await;
                return Ok(Delivered::default());
            }
            ActivityType::InvokeResponse => {
                self.take_invoke_response(activity.value.unwrap_or_default());
                return Ok(Delivered::default());
            }
            _ => {}
        }
        let is_trace = activity.activity_type == ActivityType::Trace;
        // Traces are for the Emulator alone.
        if is_trace && self.conversation().channel_id() != "emulator" {
            return Ok(Delivered::default());
        }
        activity.id = None;
        activity.apply_reference_outgoing(&self.0.reference);
        let delivered = match &self.0.turn.outgoing {
            Outgoing::Send(outbound) => {
                let reply_id = self.0.turn.reply_ids.then(|| self.next_reply_id());
                outbound.deliver(&activity, id.or(reply_id.as_deref())).await?
            }
            Outgoing::Keep(kept) => {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(activity);
                Delivered::default()
            }
        };
        if !is_trace {
            self.0.responded.store(true, Ordering::Relaxed);
        }
        Ok(delivered)
    }

    /// What a reply is known by: the same when the turn is run again.
    fn next_reply_id(&self) -> String {
        let TurnKey(key) = self.key();
        let ordinal = self.0.replies.fetch_add(1, Ordering::Relaxed);
        format!("{:032x}-{ordinal}", u128::from_be_bytes(key))
    }

    fn take_invoke_response(&self, value: Value) {
        let status =
            value.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let body = value.get("body").filter(|body| !body.is_null()).cloned();
        self.set_invoke_response(InvokeResponse { status: status.unwrap_or(200), body });
    }

    /// Sets what an invoke is answered with.
    pub fn set_invoke_response(&self, response: InvokeResponse) {
        *self.0.invoke_response.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
    }

    /// A service of the adapter, by its type.
    #[must_use]
    pub fn service<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.turn.services.get()
    }

    /// A value kept with this turn, by its type.
    #[must_use]
    pub fn value<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.values.get()
    }

    /// A value kept with this turn, by its type; its default is kept from now on if there was none.
    #[must_use]
    pub fn value_or_default<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.0.values.get_or_default()
    }

    /// Keeps a value with this turn, in place of the one of its type.
    pub fn insert_value<T: Send + Sync + 'static>(&self, value: T) {
        self.0.values.insert(Arc::new(value));
    }

    /// Has `end` saved with the turn.
    pub fn on_end(&self, end: Arc<dyn AtTurnEnd>) {
        self.0.at_end.lock().unwrap_or_else(PoisonError::into_inner).push(end);
    }

    pub(crate) fn take_ends(&self) -> Vec<Arc<dyn AtTurnEnd>> {
        std::mem::take(&mut self.0.at_end.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn invoke_response(&self) -> Option<InvokeResponse> {
        self.0.invoke_response.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was kept for the answer, in a turn with `expectReplies`.
    pub(crate) fn kept_replies(&self) -> Option<Vec<Activity>> {
        match &self.0.turn.outgoing {
            Outgoing::Send(_) => None,
            Outgoing::Keep(kept) => Some(kept.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }
}

impl fmt::Debug for TurnContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnContext")
            .field("key", &self.key())
            .field("kind", &self.kind())
            .field("conversation", self.conversation())
            .finish_non_exhaustive()
    }
}
