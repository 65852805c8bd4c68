//! What a turn sends, updates and deletes: by its hooks, to the channel or to where it is kept.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Delivered, How, InvokeResponse, Outbound, Outgoing, SendError, TurnContext, TurnKey, hooks::Chain,
};
use crate::activity::{Activity, ActivityType, ResourceResponse};

/// The longest pause that a `delay` activity makes.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

impl TurnContext {
    /// Sends an activity to the turn's conversation; a text is a message.
    ///
    /// In a turn that an activity began it is a reply to it; in a proactive turn it answers nothing. It is sent when this
    /// returns, or, when the sender of the activity wants the replies in its answer (`expectReplies`), kept for that.
    ///
    /// It goes through the turn's [hooks](Self::hook), which may change or stop it.
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

    /// Puts an activity in the place of the one that was sent before under its [`id`](Activity::id).
    ///
    /// It goes to the channel at once in every kind of turn: also in one whose replies are wanted in its answer, and in one that is
    /// proactive. Updating twice comes to the same, so it may be tried again after any failure. Not every channel can: Teams and the
    /// built-in one do; what another says instead is the error.
    ///
    /// ```
    /// # use proact::{activity::Activity, turn::{BotError, TurnContext}};
    /// # async fn on_message(ctx: &TurnContext) -> Result<(), BotError> {
    /// let progress = ctx.send("Working …").await?;
    /// if let Some(id) = progress.id {
    ///     ctx.update(Activity::message("Working … 60 %").with_id(id.clone())).await?;
    ///     ctx.delete(&id).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`SendError`]; [`SendError::NoActivityId`] without an id.
    pub async fn update(&self, activity: impl Into<Activity>) -> Result<ResourceResponse, SendError> {
        let mut activity = activity.into();
        if activity.id.as_deref().unwrap_or_default().is_empty() {
            return Err(SendError::NoActivityId);
        }
        // An update answers nothing that its first form did not answer: the turn's own activity is not put there.
        let reply_to = activity.reply_to_id.take();
        activity.apply_reference_outgoing(self.reference());
        activity.reply_to_id = reply_to;
        let end = End::said();
        match self.hooks().chain() {
            Some(hooks) => hooks.next(&end).update(self, activity).await,
            None => end.update(self, activity).await,
        }
    }

    /// Deletes the activity that was sent before under this id.
    ///
    /// As with [`update`](Self::update) it goes to the channel at once in every kind of turn. One that is gone already is an error for most
    /// channels (404).
    ///
    /// # Errors
    /// See [`SendError`]; [`SendError::NoActivityId`] for an empty id.
    pub async fn delete(&self, activity_id: &str) -> Result<(), SendError> {
        if activity_id.is_empty() {
            return Err(SendError::NoActivityId);
        }
        let end = End::said();
        match self.hooks().chain() {
            Some(hooks) => hooks.next(&end).delete(self, activity_id).await,
            None => end.delete(self, activity_id).await,
        }
    }

    pub(crate) async fn send_as(
        &self,
        activity: Box<Activity>,
        how: How<'_>,
    ) -> Result<Delivered, SendError> {
        match self.hooks().chain() {
            Some(hooks) => self.send_by_hooks(&hooks, activity, how).await,
            None => self.pass(activity, how, false).await,
        }
    }

    async fn send_by_hooks(
        &self,
        hooks: &Chain,
        mut activity: Box<Activity>,
        how: How<'_>,
    ) -> Result<Delivered, SendError> {
        self.address(&mut activity);
        let end = End { how, truth: Mutex::new(Truth::NotReached) };
        let told = hooks.next(&end).send(self, *activity).await;
        match (how, end.truth.into_inner().unwrap_or_else(PoisonError::into_inner)) {
            (How::Said, _) => told.map(|response| Delivered { status: None, response }),
            (How::Message { .. }, Truth::Known(outcome)) => outcome,
            (How::Message { .. }, Truth::OnItsWay) => Err(SendError::Channel {
                source: "a hook stopped waiting while the message was on its way".into(),
                may_have_arrived: true,
            }),
            (How::Message { .. }, Truth::NotReached) => told.and(Err(SendError::Stopped)),
        }
    }

    /// Shows that the bot is busy: past the hooks, and without counting as a response. Where replies are kept, or go by the outbox,
    /// there is nobody to show it to.
    pub(crate) async fn show_typing(&self) -> Result<(), SendError> {
        let Outgoing::Send(outbound) = &self.0.turn.outgoing else { return Ok(()) };
        let mut typing = Activity::typing();
        self.address(&mut typing);
        outbound.deliver(&typing, None).await.map(drop)
    }

    /// What is done with an activity by its type.
    async fn pass(
        &self,
        activity: Box<Activity>,
        how: How<'_>,
        addressed: bool,
    ) -> Result<Delivered, SendError> {
        let is_trace = activity.activity_type == ActivityType::Trace;
        match activity.activity_type {
            ActivityType::Delay => tokio::time::sleep(delay(activity.value.as_ref())).await,
            ActivityType::InvokeResponse => {
                self.set_invoke_response(InvokeResponse::from_value(activity.value.unwrap_or_default()));
            }
            ActivityType::Trace if self.conversation().channel_id() != "emulator" => {}
            _ => {
                let delivered = self.pass_on(activity, how, addressed).await?;
                self.0.responded.fetch_or(!is_trace, Ordering::Relaxed);
                return Ok(delivered);
            }
        }
        self.0.responded.fetch_or(!is_trace, Ordering::Relaxed);
        Ok(Delivered::default())
    }

    async fn pass_on(
        &self,
        mut activity: Box<Activity>,
        how: How<'_>,
        addressed: bool,
    ) -> Result<Delivered, SendError> {
        let outbound = match (&self.0.turn.outgoing, how) {
            // As it was said: where to is decided when it is sent.
            (Outgoing::Outbox { beside, .. }, How::Said) if !is_passing(&activity) => {
                beside.take(self, *activity).await.map_err(SendError::Beside)?;
                return Ok(Delivered::default());
            }
            (Outgoing::Send(outbound) | Outgoing::Outbox { outbound, .. }, _) => Some(outbound),
            (Outgoing::Keep { .. }, _) => None,
        };
        if addressed {
            activity.id = None;
        } else {
            self.address(&mut activity);
        }
        match (outbound, how) {
            (Some(outbound), How::Message { id, leave }) => {
                if !leave.may_leave() {
                    return Err(SendError::Withheld);
                }
                outbound.deliver(&activity, id).await
            }
            (Some(outbound), How::Said) => {
                let id = self.0.turn.reply_ids.then(|| self.reply_id(&activity)).flatten();
                outbound.deliver(&activity, id.as_deref()).await
            }
            (None, _) => self.keep(*activity),
        }
    }

    /// Makes it an activity of this turn's to this turn's person. Ids are given by channels.
    fn address(&self, activity: &mut Activity) {
        activity.id = None;
        activity.apply_reference_outgoing(self.reference());
    }

    fn outbound(&self) -> &Arc<dyn Outbound> {
        match &self.0.turn.outgoing {
            Outgoing::Send(outbound)
            | Outgoing::Keep { outbound, .. }
            | Outgoing::Outbox { outbound, .. } => outbound,
        }
    }

    fn keep(&self, activity: Activity) -> Result<Delivered, SendError> {
        if let Outgoing::Keep { kept, .. } = &self.0.turn.outgoing {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.as_mut().ok_or(SendError::Answered)?.push(activity);
        }
        Ok(Delivered::default())
    }

    /// What a reply is known by when the turn is run again: the turn, its content, and the how manieth of that content it is. A turn
    /// that says something else the second time says it; one that says the same says it once. Typing is not said.
    fn reply_id(&self, activity: &Activity) -> Option<String> {
        if is_passing(activity) {
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
}

/// What became of the message of an outbox, whatever its hooks make of that.
enum Truth {
    /// No hook went on to the channel.
    NotReached,
    /// It was handed to the channel.
    OnItsWay,
    Known(Result<Delivered, SendError>),
}

/// The channel at the end of the hooks.
pub(super) struct End<'a> {
    how: How<'a>,
    truth: Mutex<Truth>,
}

impl End<'_> {
    fn said() -> Self {
        Self { how: How::Said, truth: Mutex::new(Truth::NotReached) }
    }

    pub(super) async fn send(
        &self,
        ctx: &TurnContext,
        activity: Activity,
    ) -> Result<ResourceResponse, SendError> {
        self.learn(Truth::OnItsWay);
        let outcome = ctx.pass(Box::new(activity), self.how, true).await;
        self.tell(outcome)
    }

    pub(super) async fn update(
        &self,
        ctx: &TurnContext,
        activity: Activity,
    ) -> Result<ResourceResponse, SendError> {
        // A hook may have taken it away.
        if activity.id.as_deref().unwrap_or_default().is_empty() {
            return Err(SendError::NoActivityId);
        }
        self.learn(Truth::OnItsWay);
        let outcome = match self.may_leave() {
            Ok(()) => ctx.outbound().update(&activity).await,
            Err(withheld) => Err(withheld),
        };
        self.tell(outcome)
    }

    pub(super) async fn delete(&self, ctx: &TurnContext, activity_id: &str) -> Result<(), SendError> {
        self.learn(Truth::OnItsWay);
        let mut place = ctx.reference().clone();
        place.activity_id = Some(activity_id.to_owned());
        let outcome = match self.may_leave() {
            Ok(()) => ctx.outbound().delete(&place).await,
            Err(withheld) => Err(withheld),
        };
        self.tell(outcome).map(drop)
    }

    /// Whether the message of an outbox may still leave, also when a hook made an update or a delete of it.
    fn may_leave(&self) -> Result<(), SendError> {
        match self.how {
            How::Message { leave, .. } if !leave.may_leave() => Err(SendError::Withheld),
            _ => Ok(()),
        }
    }

    pub(super) fn sends_later(&self, ctx: &TurnContext, activity: &Activity) -> bool {
        let outbox = matches!(ctx.0.turn.outgoing, Outgoing::Outbox { .. });
        outbox && matches!(self.how, How::Said) && !is_passing(activity)
    }

    fn learn(&self, truth: Truth) {
        *self.truth.lock().unwrap_or_else(PoisonError::into_inner) = truth;
    }

    /// Tells the hooks what came of it. Of a message of the outbox the outcome itself stays here, out of their reach.
    fn tell(&self, outcome: Result<Delivered, SendError>) -> Result<ResourceResponse, SendError> {
        if matches!(self.how, How::Said) {
            return outcome.map(|delivered| delivered.response);
        }
        let (kept, told) = match outcome {
            Ok(delivered) => {
                let response = delivered.response.clone();
                (Ok(delivered), Ok(response))
            }
            Err(error) => {
                let (kept, told) = error.share();
                (Err(kept), Err(told))
            }
        };
        self.learn(Truth::Known(kept));
        told
    }
}

/// What is gone when the next one comes.
fn is_passing(activity: &Activity) -> bool {
    matches!(activity.activity_type, ActivityType::Typing | ActivityType::Trace)
}

/// What a `delay` says, in milliseconds; nothing, or nothing that can be read, is a second.
fn delay(value: Option<&Value>) -> Duration {
    let millis = value.and_then(Value::as_f64).filter(|millis| *millis > 0.0);
    Duration::try_from_secs_f64(millis.unwrap_or(1000.0) / 1000.0).unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY)
}
