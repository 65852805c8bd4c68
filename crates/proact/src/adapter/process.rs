//! An inbound activity: known or not, in its place, answered in time.
//!
//! In this order: the adapter takes work at all → the caller has a token that is valid → the body is an activity that can be answered →
//! the token speaks for it → no turn of this process has it → its
//! place among the conversation's turns is asked for, at the moment it came → the journal does not have it → the turn, in a task of
//! its own.
//!
//! A turn that takes too long, be it running or waiting for its place, is put on record with its activity, and only then answered
//! with 200, as a finished one would be: channels know no other word for *yes*. From then on it holds up nobody. When
//! it cannot be put on record it is not promised either: it goes on, the record is tried again after the same time, and whichever
//! comes first answers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{
    Adapter, Answer, Begun, EarlyTurn, TurnStart,
    order::{Asked, Place},
    recent::{Known, Running},
    run::chain,
};
use crate::{
    activity::{Activity, ActivityType, ConversationKey, DecodeError},
    auth::{Caller, CallerKind, Denied, inbound::Proven},
    turn::TurnKey,
};

/// An activity that passed the door.
pub(super) struct Accepted {
    pub(super) activity: Box<Activity>,
    pub(super) conversation: ConversationKey,
    pub(super) key: TurnKey,
    pub(super) caller: Caller,
}

/// Who asks to be let in: proven, or nobody in particular where nobody is asked.
pub(super) enum Asking {
    Anonymous,
    Proven(Proven),
}

/// What a turn shares with who watches the time.
#[derive(Default)]
pub(super) struct Progress {
    /// Answered before its end. Held while that is put on record, and while the turn's end is: one comes after the other.
    pub(super) early: tokio::sync::Mutex<bool>,
    place: Mutex<Holding>,
}

#[derive(Default)]
struct Holding {
    place: Option<Place>,
    given_up: bool,
}

impl Progress {
    /// Of a turn that was answered early by another process.
    pub(super) fn answered() -> Self {
        Self { early: tokio::sync::Mutex::new(true), ..Self::default() }
    }

    fn holding(&self) -> MutexGuard<'_, Holding> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, place: Place) {
        let mut holding = self.holding();
        if !holding.given_up {
            holding.place = Some(place);
        }
    }

    pub(super) fn give_up_place(&self) {
        let place = {
            let mut holding = self.holding();
            holding.given_up = true;
            holding.place.take()
        };
        drop(place);
    }
}

impl Accepted {
    /// One that passed the door in an earlier run, with the caller of then.
    fn again(turn: &EarlyTurn) -> Result<Self, DecodeError> {
        let mut activity = decode(&turn.activity)?;
        activity.caller_id.clone_from(&turn.caller.caller_id);
        Ok(Self {
            activity,
            conversation: turn.conversation.clone(),
            key: turn.key,
            caller: turn.caller.clone(),
        })
    }
}

impl Adapter {
    /// Handles an activity that came as JSON without an `Authorization` header, and answers what the channel is to be told. With an
    /// [authenticator](super::AdapterBuilder::authenticator) that is 401.
    ///
    /// The turn runs in a task of its own: dropping this future does not cancel it.
    pub async fn process(&self, body: Bytes) -> Answer {
        self.process_authorized(None, body).await
    }

    /// The same with the value of the request's `Authorization` header.
    pub async fn process_authorized(&self, authorization: Option<&[u8]>, body: Bytes) -> Answer {
        match self.who_asks(Ok(authorization)).await {
            Ok(asking) => self.process_of(asking, body).await,
            Err(denied) => Answer::denied(&denied),
        }
    }

    /// Has the authenticator, if there is one, fetch its issuers' keys beside whatever else is done, so that the first caller does not wait for
    /// them. When that fails the log says so, and the first caller has it tried again.
    pub(crate) fn warm_up(&self) {
        if let Some(authenticator) = self.inner.authenticator.clone() {
            tokio::spawn(async move { authenticator.warm_up().await });
        }
    }

    /// Whose token it is, before anything of the body is looked at.
    pub(super) async fn who_asks(
        &self,
        authorization: Result<Option<&[u8]>, Denied>,
    ) -> Result<Asking, Denied> {
        let Some(authenticator) = &self.inner.authenticator else { return Ok(Asking::Anonymous) };
        let proven = async { authenticator.verify(authorization?).await }.await;
        proven.map(Asking::Proven).inspect_err(|denied| tracing::info!(%denied, "a caller is not let in"))
    }

    pub(super) async fn process_of(&self, asking: Asking, body: Bytes) -> Answer {
        // Counted from here on, so that `drain` misses nobody who is past this door.
        let _counted = self.inner.turns.token();
        if self.inner.closing.is_cancelled() {
            return Answer::unavailable("the bot is stopping: send it again");
        }
        let accepted = match self.accept(asking, &body) {
            Ok(accepted) => accepted,
            Err(refused) => return refused,
        };
        let repeatable = accepted.activity.id.as_deref().is_some_and(|id| !id.is_empty());
        let mut answer = match self.inner.recent.enter(accepted.key, repeatable) {
            Known::Finished(answer) => return answer,
            Known::Running(answer) => answer,
            Known::New(running) => {
                let answer = running.waiter();
                let place = self.inner.order.enter(&accepted.conversation);
                let adapter = self.clone();
                self.inner.turns.spawn(async move { adapter.turn(accepted, body, place, running).await });
                answer
            }
        };
        match answer.wait_for(Option::is_some).await {
            Ok(answer) => answer.clone().unwrap_or_else(Answer::failed),
            // The turn's task ended without a word: something outside the handler panicked.
            Err(_) => Answer::failed(),
        }
    }

    /// What is checked before a turn: the fields without which it cannot be answered, whether the caller may say this, and where the answer
    /// would go.
    fn accept(&self, asking: Asking, body: &[u8]) -> Result<Accepted, Answer> {
        let mut activity = decode(body).map_err(|e| Answer::bad(&e.to_string()))?;
        let conversation = activity.conversation_key().map_err(|e| Answer::bad(&e.to_string()))?;
        let service_url = activity.service_url.as_deref().filter(|url| !url.is_empty());
        let service_url = service_url.ok_or_else(|| Answer::bad("serviceUrl: missing"))?;
        let caller = match asking {
            Asking::Anonymous => Caller::anonymous(),
            Asking::Proven(proven) => proven.speak_for(&activity).map_err(|denied| {
                tracing::info!(%denied, %conversation, "a caller may not say this");
                Answer::denied(&denied)
            })?,
        };
        self.inner
            .connector
            .guard()
            .check_for(conversation.channel_id(), service_url)
            .map_err(|e| Answer::bad(&format!("serviceUrl: {e}")))?;
        let mut key = TurnKey::of(&activity, &conversation, body);
        if caller.kind == CallerKind::Skill {
            // Nothing vouches for the ids that another bot writes: it joins no turn, and is given no answer, of somebody else.
            key = key.of_caller(caller.app_id.as_deref().unwrap_or_default());
        }
        activity.caller_id.clone_from(&caller.caller_id);
        Ok(Accepted { activity, conversation, key, caller })
    }

    /// One turn, from the journal to its record; tells the answer as soon as there is one.
    async fn turn(&self, accepted: Accepted, body: Bytes, place: Asked, running: Running) {
        let Accepted { ref activity, ref conversation, key, ref caller } = accepted;
        match self.inner.journal.begin(TurnStart { key, conversation, activity }).await {
            Ok(Begun::New) => {}
            Ok(Begun::Finished(answer)) => return running.finish(answer),
            Err(error) => {
                tracing::error!(%conversation, error = chain(&error), "cannot ask the turn journal");
                return running.finish(Answer::unavailable("the bot cannot take this now"));
            }
        }
        // Invokes and expectReplies carry their answer, so they are never answered early.
        let answer_is_empty = activity.activity_type != ActivityType::Invoke && !activity.expects_replies();
        let owed = EarlyTurn {
            key,
            conversation: conversation.clone(),
            caller: caller.clone(),
            activity: body,
            runs: 1,
        };
        let progress = Progress::default();
        let mut whole = std::pin::pin!(self.in_place(accepted, place, &progress));
        tokio::select! {
            biased;
            answer = &mut whole => return running.finish(answer),
            () = self.put_on_record_when_slow(&owed, &progress), if answer_is_empty => {}
        }
        progress.give_up_place();
        running.tell_early(Answer::ok());
        let answer = whole.await;
        self.until_stored(answer, &owed).await;
        // Whatever came of it, it was answered, and stays so.
        running.finish(Answer::ok());
    }

    /// A turn that was promised by an early answer and then could not be stored (a full disk) is run again until it can: nobody else
    /// will send it again. When the process ends before, the next start takes it up.
    async fn until_stored(&self, answer: Answer, owed: &EarlyTurn) {
        let mut answer = answer;
        while answer.is_unavailable() {
            tokio::select! {
                () = self.inner.closing.cancelled() => return,
                () = tokio::time::sleep(self.inner.options.early_answer_after) => {}
            }
            let Ok(accepted) = Accepted::again(owed) else { return };
            tracing::info!(conversation = %owed.conversation, "running a turn again that could not be stored");
            answer = self.run(accepted, &Progress::answered()).await;
        }
    }

    /// Waits for its place, and runs the turn to its end.
    pub(super) async fn in_place(&self, accepted: Accepted, place: Asked, progress: &Progress) -> Answer {
        progress.hold(place.wait().await);
        let answer = self.run(accepted, progress).await;
        progress.give_up_place();
        answer
    }

    /// Returns once the turn is on record with its activity, which is not tried before it is slow.
    async fn put_on_record_when_slow(&self, turn: &EarlyTurn, progress: &Progress) {
        loop {
            tokio::time::sleep(self.inner.options.early_answer_after).await;
            // The turn's end may be under way: then this is never reached again.
            let mut early = progress.early.lock().await;
            match self.inner.journal.accept_early(turn.clone()).await {
                Ok(()) => {
                    failpoint!(AfterEarly);
                    *early = true;
                    return;
                }
                Err(error) => {
                    let conversation = &turn.conversation;
                    tracing::error!(%conversation, error = chain(&error), "a slow turn cannot be answered early");
                }
            }
        }
    }

    /// Runs again the turns that earlier processes answered early and did not finish. Returns when they are under way, each in its
    /// conversation's order; call it before new activities come in.
    ///
    /// Such a turn holds its place as long as a new one would before its early answer, and then runs beside the others.
    pub async fn resume(&self) {
        let owed = match self.inner.journal.unfinished().await {
            Ok(owed) => owed,
            Err(error) => {
                tracing::error!(error = chain(&error), "cannot take up unfinished turns");
                return;
            }
        };
        for turn in owed {
            let conversation = &turn.conversation;
            let accepted = match Accepted::again(&turn) {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::error!(%conversation, %error, "an unfinished activity cannot be read");
                    continue;
                }
            };
            tracing::info!(%conversation, run = turn.runs, "running an unfinished turn again");
            let place = self.inner.order.enter(conversation);
            let adapter = self.clone();
            self.inner.turns.spawn(async move { adapter.run_again(accepted, turn, place).await });
        }
    }

    async fn run_again(&self, accepted: Accepted, turn: EarlyTurn, place: Asked) {
        // Known from now on, should the channel repeat it. It is run in any case: it is owed.
        let running = match self.inner.recent.enter(accepted.key, true) {
            Known::New(running) => Some(running),
            Known::Running(_) | Known::Finished(_) => None,
        };
        if let Some(running) = &running {
            running.tell_early(Answer::ok());
        }
        let progress = Progress::answered();
        let mut whole = std::pin::pin!(self.in_place(accepted, place, &progress));
        let answer = tokio::select! {
            biased;
            answer = &mut whole => answer,
            () = tokio::time::sleep(self.inner.options.early_answer_after) => {
                progress.give_up_place();
                whole.await
            }
        };
        self.until_stored(answer, &turn).await;
        if let Some(running) = running {
            running.finish(Answer::ok());
        }
    }
}

/// An activity as it came in, without what is not to be believed of it.
fn decode(body: &[u8]) -> Result<Box<Activity>, DecodeError> {
    // Anyone can write there whom they like (A2251).
    let mut activity = Box::new(Activity::decode(body)?);
    activity.caller_id = None;
    Ok(activity)
}
