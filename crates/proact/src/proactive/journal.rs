//! The turn journal: what is remembered of a turn so that its effects happen once.
//!
//! What is written, and when:
//!
//! * A turn that stores nothing writes nothing and costs no sync: run again, it gives its replies again.
//! * A turn's commands stand on record by themselves, under (turn, ordinal), each in its own commit before the reply that
//!   announces it; a turn that is run again finds them done. Its end needs no record.
//! * A turn whose state is saved writes its answer in the same commit: it is never run again.
//! * A turn that is answered early is written first, with its activity; when the process dies it is run again, three times at most.
//! * The conversation's reference goes with whichever of these commits comes first, or alone at the end, and only when a field changed.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};

use super::{
    Proactive,
    conversation::{Remember, RememberAt, Vouched},
    job_commands::NotAStart,
    turn_rows::{self, End, Find, Owe, TakeUp},
};
use crate::{
    activity::ConversationReference,
    adapter::{Answer, Begun, EarlyTurn, FinishError, JournalError, TurnEnd, TurnJournal, TurnStart},
    state::{CommitScope, StateSaved},
    store::{self, Store, WriteState},
    turn::{CommandKey, TurnContext, TurnKind},
};

/// What the engine keeps with a turn: the reference that waits for the turn's first commit, if it is to be stored.
#[derive(Debug)]
pub(super) struct PendingReference {
    remember: Mutex<Option<Remember>>,
    /// Something of the turn may be on record; `false` is certain.
    may_be_on_record: bool,
}

impl PendingReference {
    /// Whether commands of this turn may be on record already: it may be run again.
    pub(super) const fn may_be_on_record(&self) -> bool {
        self.may_be_on_record
    }

    /// A command of this turn other than the start of a job.
    pub(super) fn of(&self, ctx: &TurnContext, key: CommandKey) -> InTurn {
        let not_a_start =
            self.may_be_on_record.then(|| NotAStart { conversation: ctx.conversation().clone(), key });
        InTurn { key, not_a_start }
    }

    /// The reference to store with the next commit, if it is still to be stored. A command commit that fails leaves it to the
    /// next one.
    pub(super) fn remember(&self) -> Option<Remember> {
        self.remember.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The reference is stored.
    pub(super) fn remembered(&self, engine: &Proactive) {
        let stored = self.remember.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stored) = stored {
            engine.desk().conversations.stored(stored.key, stored.digest);
        }
    }
}

/// Where a command of a turn stands on record.
#[derive(Debug)]
pub(super) struct InTurn {
    pub(super) key: CommandKey,
    pub(super) not_a_start: Option<NotAStart>,
}

/// What earlier processes owe: taken up once, and what a restore held, once more after its release. What this process itself owes
/// meanwhile is under way and is not taken up.
#[derive(Debug, Default)]
pub(super) struct Owed(tokio::sync::Mutex<Owing>);

#[derive(Debug, Default)]
enum Owing {
    #[default]
    NotYetTakenUp,
    /// What is owed since this time or before.
    HeldThrough(i64),
    Nothing,
}

impl Owed {
    async fn take_up(&self, store: &Store) -> Result<Vec<turn_rows::Owed>, store::Error> {
        let mut owing = self.0.lock().await;
        let held_through = match *owing {
            Owing::NotYetTakenUp => None,
            Owing::HeldThrough(at) => Some(at),
            Owing::Nothing => return Ok(Vec::new()),
        };
        let taken = store.commit(TakeUp { held_through }).await?;
        *owing = taken.held_through.map_or(Owing::Nothing, Owing::HeldThrough);
        Ok(taken.owed)
    }
}

/// The engine's journal, for the adapter's builder.
#[derive(Debug, Clone)]
pub struct Journal(Proactive);

impl Proactive {
    /// The journal for the adapter's builder: `Adapter::builder(bot).journal(proactive.journal())`.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal(self.clone())
    }
}

impl TurnJournal for Journal {
    fn begin<'a>(&'a self, start: TurnStart<'a>) -> BoxFuture<'a, Result<Begun, JournalError>> {
        let TurnStart { key, conversation, .. } = start;
        if !self.0.inner.turns.may_contain(key) {
            return std::future::ready(Ok(Begun::New)).boxed();
        }
        let find = Find { partition: conversation.partition(), key };
        async move {
            Ok(match self.0.store().read(find).await.map_err(refused)? {
                None => Begun::New,
                Some(turn_rows::Row { answer: Some((status, body)) }) => {
                    Begun::Finished(Answer { status, body: body.map(Bytes::from) })
                }
                // Owed: it was answered 200 when it was accepted, and it is this process that runs it again.
                Some(turn_rows::Row { answer: None }) => Begun::Finished(Answer { status: 200, body: None }),
            })
        }
        .boxed()
    }

    fn attach(&self, ctx: &TurnContext) {
        let remember = match ctx.kind() {
            // A proactive turn's activity was made from what is stored.
            TurnKind::Proactive => None,
            TurnKind::Inbound => {
                let known = &self.0.desk().conversations;
                known.to_remember(ctx.activity(), ctx.conversation(), ctx.caller()).unwrap_or_else(|error| {
                    tracing::error!(%error, "a conversation reference cannot be stored");
                    None
                })
            }
        };
        let may_be_on_record = self.0.inner.turns.may_contain(ctx.key());
        ctx.insert_value(PendingReference { remember: Mutex::new(remember), may_be_on_record });
    }

    fn accept_early<'a>(&'a self, turn: EarlyTurn) -> BoxFuture<'a, Result<(), JournalError>> {
        async move {
            let owe = Owe {
                partition: turn.conversation.partition(),
                key: turn.key,
                activity: turn.activity.to_vec(),
                caller: turn.caller,
            };
            self.0.store().commit(owe).await.map_err(refused)?;
            self.0.inner.turns.add(turn.key);
            Ok(())
        }
        .boxed()
    }

    fn finish<'a>(
        &'a self,
        ctx: &'a TurnContext,
        end: TurnEnd<'a>,
    ) -> BoxFuture<'a, Result<Vec<StateSaved>, FinishError>> {
        let Some(reference) = ctx.value::<PendingReference>() else {
            return std::future::ready(Ok(Vec::new())).boxed();
        };
        let remember = reference.remember();
        let on_record = end.early || !end.state.is_empty();
        if remember.is_none() && !on_record {
            return std::future::ready(Ok(Vec::new())).boxed();
        }
        let record = on_record.then(|| End {
            partition: ctx.conversation().partition(),
            key: ctx.key(),
            status: end.answer.status,
            body: end.answer.body.as_ref().map(|body| body.to_vec()),
        });
        async move {
            let command = (self.0.remembering(remember), (WriteState(end.state), record));
            match self.0.store().commit(command).await {
                Ok((_, (saved, _))) => {
                    reference.remembered(&self.0);
                    if on_record {
                        self.0.inner.turns.add(ctx.key());
                    }
                    Ok(saved)
                }
                Err(store::Error::Conflict { keys }) => Err(FinishError::Conflict { keys }),
                Err(error) => Err(FinishError::Journal(refused(error))),
            }
        }
        .boxed()
    }

    fn remember<'a>(
        &'a self,
        reference: &'a ConversationReference,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        async move {
            let key = reference.conversation_key().map_err(JournalError::new)?;
            // What a channel's token vouched for before is better than what it answers to the bot's own words.
            let known = &self.0.desk().conversations;
            let changed = known.changed(reference, &key, Vouched::No).map_err(JournalError::new)?;
            if let Some(remember) = changed {
                let digest = remember.digest;
                self.0.store().commit(RememberAt { desk: self.0.desk(), remember }).await.map_err(refused)?;
                self.0.desk().conversations.stored(key, digest);
            }
            Ok(())
        }
        .boxed()
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<EarlyTurn>, JournalError>> {
        async move {
            let owed = self.0.inner.owed.take_up(self.0.store()).await.map_err(refused)?;
            let mut turns = Vec::with_capacity(owed.len());
            for turn in owed {
                let activity = crate::activity::Activity::decode(&turn.activity);
                match activity.as_ref().ok().and_then(|activity| activity.conversation_key().ok()) {
                    Some(conversation) => turns.push(EarlyTurn {
                        key: turn.key,
                        conversation,
                        caller: turn.caller,
                        activity: Bytes::from(turn.activity),
                        runs: turn.runs,
                    }),
                    None => tracing::error!("an activity on record cannot be read and is not run again"),
                }
            }
            Ok(turns)
        }
        .boxed()
    }

    fn commit_scope(&self) -> Option<CommitScope> {
        Some(self.0.store().scope())
    }
}

fn refused(error: store::Error) -> JournalError {
    JournalError::new(error)
}

/// The engine as a service of the adapter, so that a turn finds it.
pub(super) fn engine(ctx: &TurnContext) -> Option<Arc<Proactive>> {
    ctx.service::<Proactive>()
}
