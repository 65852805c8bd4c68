//! The handle to a turn: its activity, and what can be sent.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use sha2::{Digest, Sha256};

use super::{AtTurnEnd, Beside, CommandKey, Delivered, Outbound, SendError, TurnKey, Values};
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

impl InvokeResponse {
    /// As the protocol writes it among activities.
    pub(crate) fn into_activity(self) -> Activity {
        let mut value = json!({"status": self.status});
        if let Some(body) = self.body {
            value["body"] = body;
        }
        Activity::new(ActivityType::InvokeResponse).with_value(value)
    }

    fn from_value(mut value: Value) -> Self {
        let status =
            value.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let body = value.get_mut("body").map(Value::take).filter(|body| !body.is_null());
        Self { status: status.unwrap_or(200), body }
    }
}

/// Replies on their way: sent at once, or kept for the answer (`expectReplies`), `None` once it is given.
pub(crate) enum Outgoing {
    Send(Arc<dyn Outbound>),
    Keep(Mutex<Option<Vec<Activity>>>),
    /// A message of the outbox; what is sent beside it becomes a notification of its own.
    Outbox {
        outbound: Arc<dyn Outbound>,
        beside: Arc<dyn Beside>,
    },
}

/// What an activity is to its turn.
#[derive(Clone, Copy)]
pub(crate) enum How<'a> {
    /// What its handlers say.
    Said,
    /// The message of the outbox that the turn is for; with an id, a channel that takes ids takes it once.
    Message(Option<&'a str>),
}

/// What an adapter knows of a turn when it begins.
pub(crate) struct NewTurn {
    /// Boxed: it is large, and moves from hand to hand before the turn begins.
    pub(crate) activity: Box<Activity>,
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
    /// Digests of the replies sent so far, to a channel that takes ids.
    said: Mutex<Vec<u64>>,
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
            said: Mutex::default(),
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
    /// In a turn that an activity began it is a reply to it; in a proactive turn it answers nothing. It is sent when this
    /// returns, or, when the sender of the activity wants the replies in its answer (`expectReplies`), kept for that.
    ///
    /// In the turn of a notification, what middleware sends beside the notification's own activity is not sent here and now: it
    /// becomes a notification of its own, once however often the first one is tried; only typing goes out at once.
    ///
    /// Some types are not for the channel: a `delay` waits for as many milliseconds as its value says (1000 if it says nothing,
    /// 30 s at most), an `invokeResponse` becomes the answer to the invoke, and a `trace` goes to the Emulator alone.
    ///
    /// ```
    /// # use proact::{activity::{Activity, InputHint}, turn::{BotError, TurnContext}};
    /// # async fn on_message(ctx: &TurnContext) -> Result<(), BotError> {
    /// ctx.send("One moment.").await?;
    /// let sent = ctx.send(Activity::message("Which one?").with_input_hint(InputHint::Expecting)).await?;
    /// println!("the channel calls it {:?}", sent.id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, activity: impl Into<Activity>) -> Result<ResourceResponse, SendError> {
        Ok(self.send_as(Box::new(activity.into()), How::Said).await?.response)
    }

    /// The same as [`send`](Self::send), for code that reads better so: what is sent in a turn is a reply where there is an activity
    /// to reply to.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn reply(&self, activity: impl Into<Activity>) -> Result<ResourceResponse, SendError> {
        Ok(self.send_as(Box::new(activity.into()), How::Said).await?.response)
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
            responses.push(self.send_as(Box::new(activity), How::Said).await?.response);
        }
        if responses.is_empty() { Err(SendError::Empty) } else { Ok(responses) }
    }

    pub(crate) async fn send_as(
        &self,
        activity: Box<Activity>,
        how: How<'_>,
    ) -> Result<Delivered, SendError> {
        let is_trace = activity.activity_type == ActivityType::Trace;
        match activity.activity_type {
            ActivityType::Delay => tokio::time::sleep(delay(activity.value.as_ref())).await,
            ActivityType::InvokeResponse => {
                self.set_invoke_response(InvokeResponse::from_value(activity.value.unwrap_or_default()));
            }
            ActivityType::Trace if self.conversation().channel_id() != "emulator" => {}
            _ => {
                let delivered = self.pass_on(activity, how).await?;
                self.0.responded.fetch_or(!is_trace, Ordering::Relaxed);
                return Ok(delivered);
            }
        }
        self.0.responded.fetch_or(!is_trace, Ordering::Relaxed);
        Ok(Delivered::default())
    }

    async fn pass_on(&self, mut activity: Box<Activity>, how: How<'_>) -> Result<Delivered, SendError> {
        let typing = matches!(activity.activity_type, ActivityType::Typing | ActivityType::Trace);
        let outbound = match (&self.0.turn.outgoing, how) {
            // As it was said: where to is decided when it is sent.
            (Outgoing::Outbox { beside, .. }, How::Said) if !typing => {
                beside.take(self, *activity).await.map_err(SendError::Beside)?;
                return Ok(Delivered::default());
            }
            (Outgoing::Send(outbound) | Outgoing::Outbox { outbound, .. }, _) => Some(outbound),
            (Outgoing::Keep(_), _) => None,
        };
        activity.id = None;
        activity.apply_reference_outgoing(&self.0.reference);
        match (outbound, how) {
            (Some(outbound), How::Message(id)) => outbound.deliver(&activity, id).await,
            (Some(outbound), How::Said) => {
                let id = self.0.turn.reply_ids.then(|| self.reply_id(&activity)).flatten();
                outbound.deliver(&activity, id.as_deref()).await
            }
            (None, _) => self.keep(*activity),
        }
    }

    fn keep(&self, activity: Activity) -> Result<Delivered, SendError> {
        if let Outgoing::Keep(kept) = &self.0.turn.outgoing {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.as_mut().ok_or(SendError::Answered)?.push(activity);
        }
        Ok(Delivered::default())
    }

    /// What a reply is known by when the turn is run again: the turn, its content, and the how manieth of that content it is. A turn
    /// that says something else the second time says it; one that says the same says it once. Typing is not said.
    fn reply_id(&self, activity: &Activity) -> Option<String> {
        if matches!(activity.activity_type, ActivityType::Typing | ActivityType::Trace) {
            return None;
        }
        let mut digest = [0; 8];
        digest.copy_from_slice(&Sha256::digest(activity.encode())[..8]);
        let digest = u64::from_be_bytes(digest);
        let mut said = self.0.said.lock().unwrap_or_else(PoisonError::into_inner);
        let before = said.iter().filter(|earlier| **earlier == digest).count();
        said.push(digest);
        let TurnKey(key) = self.key();
        Some(format!("{:032x}-{digest:016x}-{before}", u128::from_be_bytes(key)))
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
            Outgoing::Send(_) | Outgoing::Outbox { .. } => None,
            Outgoing::Keep(kept) => {
                Some(kept.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default())
            }
        }
    }

    /// The answer is given: what is sent from now on could not be in it, and fails instead of getting lost.
    pub(crate) fn stop_keeping(&self) {
        if let Outgoing::Keep(kept) = &self.0.turn.outgoing {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// What a `delay` says, in milliseconds; nothing, or nothing that can be read, is a second.
fn delay(value: Option<&Value>) -> Duration {
    let millis = value.and_then(Value::as_f64).filter(|millis| *millis > 0.0);
    Duration::try_from_secs_f64(millis.unwrap_or(1000.0) / 1000.0).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY)
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
