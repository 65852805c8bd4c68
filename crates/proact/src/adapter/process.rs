//! An inbound activity: known or not, in its place, answered in time.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use tokio::sync::watch;

use super::{Adapter, Answer, Begun, EarlyTurn, TurnStart, order::Place, recent::Known};
use crate::{
    activity::{Activity, ActivityType, ConversationKey},
    turn::TurnKey,
};

/// An activity that passed the door.
pub(super) struct Accepted {
    pub(super) activity: Activity,
    pub(super) conversation: ConversationKey,
    pub(super) key: TurnKey,
}

/// What a turn and its early answer share.
#[derive(Default)]
struct Progress {
    /// Answered before its end.
    early: AtomicBool,
    /// The turn's place, until it is given up.
    place: Mutex<Option<Place>>,
}

impl Progress {
    fn hold(&self, place: Place) {
        // One that was answered early runs beside the others.
        if !self.early.load(Ordering::SeqCst) {
            *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        }
    }

    fn give_up_place(&self) {
        self.early.store(true, Ordering::SeqCst);
        drop(self.place.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Adapter {
    /// Handles an activity that came as JSON, and answers what the channel is to be told.
    ///
    /// The turn runs in a task of its own: dropping this future does not cancel it.
    pub async fn process(&self, body: Bytes) -> Answer {
        let accepted = match self.accept(&body) {
            Ok(accepted) => accepted,
            Err(refused) => return refused,
        };
        if self.inner.closing.is_cancelled() {
            return Answer::unavailable("the bot is stopping: send it again");
        }
        let mut answer = match self.inner.recent.enter(accepted.key) {
            Known::Finished(answer) => return answer,
            Known::Running(answer) => answer,
            Known::New(sender) => {
                let answer = sender.subscribe();
                let adapter = self.clone();
                self.inner.turns.spawn(async move { adapter.turn(accepted, body, sender).await });
                answer
            }
        };
        match answer.wait_for(Option::is_some).await {
            Ok(answer) => answer.clone().unwrap_or_else(Answer::failed),
            // The turn's task ended without an answer, which it never does.
            Err(_) => Answer::failed(),
        }
    }

    /// What is checked before a turn: the fields without which it cannot be answered, and where the answer would go.
    fn accept(&self, body: &[u8]) -> Result<Accepted, Answer> {
        let activity = Activity::decode(body).map_err(|e| Answer::bad(&e.to_string()))?;
        let conversation =
            activity.conversation_key().map_err(|e| Answer::error(400, "MissingProperty", &e.to_string()))?;
        let service_url = activity
            .service_url
            .as_deref()
            .ok_or_else(|| Answer::error(400, "MissingProperty", "serviceUrl is missing"))?;
        self.inner
            .connector
            .guard()
            .check(service_url)
            .map_err(|e| Answer::bad(&format!("serviceUrl: {e}")))?;
        let key = TurnKey::of(&activity, &conversation, body);
        Ok(Accepted { activity, conversation, key })
    }

    /// One turn, from its place to its record; tells the answer as soon as there is one.
    async fn turn(&self, accepted: Accepted, body: Bytes, sender: watch::Sender<Option<Answer>>) {
        let key = accepted.key;
        let start = TurnStart { key, conversation: &accepted.conversation, activity: &accepted.activity };
        match self.inner.journal.begin(start).await {
            Ok(Begun::New) => {}
            Ok(Begun::Finished(answer)) => return self.tell(key, answer, &sender),
            Err(error) => {
                tracing::error!(error = crate::adapter::run::chain(&error), "cannot ask the turn journal");
                return self.tell(key, Answer::unavailable("the bot cannot take this now"), &sender);
            }
        }
        // Invokes and expectReplies carry their answer, so they are never answered early.
        let may_be_early =
            accepted.activity.activity_type != ActivityType::Invoke && !accepted.activity.expects_replies();
        let progress = Arc::new(Progress::default());
        let conversation = accepted.conversation.clone();
        let place = self.inner.order.enter(&conversation);
        let whole = async {
            progress.hold(place.await);
            let end = self.run(accepted, &progress.early).await;
            drop(progress.place.lock().unwrap_or_else(PoisonError::into_inner).take());
            end
        };
        tokio::pin!(whole);
        let early = async {
            if !may_be_early {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(self.inner.options.early_answer_after).await;
        };
        tokio::select! {
            biased;
            answer = &mut whole => return self.tell(key, answer, &sender),
            () = early => {}
        }
        let turn = EarlyTurn { key, conversation, activity: body, runs: 1 };
        match self.inner.journal.accept_early(turn).await {
            Ok(()) => {
                progress.give_up_place();
                sender.send_replace(Some(Answer::ok()));
                whole.await;
                // Whatever came of it, it was answered, and stays so.
                self.inner.recent.finished(key, &Answer::ok());
            }
            Err(error) => {
                // It cannot be put on record, so it cannot be promised: the channel waits for the turn, or gives up and sends it again.
                tracing::error!(
                    error = crate::adapter::run::chain(&error),
                    "cannot answer a slow turn early"
                );
                let answer = whole.await;
                self.tell(key, answer, &sender);
            }
        }
    }

    fn tell(&self, key: TurnKey, answer: Answer, sender: &watch::Sender<Option<Answer>>) {
        self.inner.recent.finished(key, &answer);
        sender.send_replace(Some(answer));
    }

    /// Runs again the turns that earlier processes answered early and did not finish. Returns when they are under way, each in its
    /// conversation's order; call it before new activities come in.
    pub async fn resume(&self) {
        let owed = match self.inner.journal.unfinished().await {
            Ok(owed) => owed,
            Err(error) => {
                tracing::error!(
                    error = crate::adapter::run::chain(&error),
                    "cannot take up unfinished turns"
                );
                return;
            }
        };
        for turn in owed {
            let activity = match Activity::decode(&turn.activity) {
                Ok(activity) => activity,
                Err(error) => {
                    tracing::error!(%error, "an unfinished activity cannot be read");
                    continue;
                }
            };
            tracing::info!(conversation = %turn.conversation, run = turn.runs, "running an unfinished turn again");
            let place = self.inner.order.enter(&turn.conversation);
            let adapter = self.clone();
            let accepted = Accepted { activity, conversation: turn.conversation, key: turn.key };
            self.inner.turns.spawn(async move {
                let _place = place.await;
                adapter.run(accepted, &AtomicBool::new(true)).await;
            });
        }
    }
}
