//! What an adapter asks of whoever remembers turns.

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};

use super::Answer;
use crate::{
    activity::{Activity, ConversationKey, ConversationReference},
    auth::Caller,
    state::{CommitScope, StateChange, StateSaved},
    turn::{BotError, TurnContext, TurnKey, Unavailable},
};

/// A turn that is about to begin.
#[derive(Debug, Clone, Copy)]
pub struct TurnStart<'a> {
    /// Its key.
    pub key: TurnKey,
    /// Its conversation.
    pub conversation: &'a ConversationKey,
    /// Its activity.
    pub activity: &'a Activity,
}

/// What is on record of it.
#[derive(Debug)]
pub enum Begun {
    /// Nothing, or nothing that forbids to run it.
    New,
    /// It took place, with this answer.
    Finished(Answer),
}

/// A turn that is answered before its end.
#[derive(Debug, Clone)]
pub struct EarlyTurn {
    /// Its key.
    pub key: TurnKey,
    /// Its conversation.
    pub conversation: ConversationKey,
    /// Who sent it: the token is not kept, only what it proved.
    pub caller: Caller,
    /// Its activity, as JSON.
    pub activity: Bytes,
    /// How often it was begun, this time included.
    pub runs: u32,
}

/// A turn at its end.
#[derive(Debug)]
pub struct TurnEnd<'a> {
    /// What the channel is, or was early, answered.
    pub answer: &'a Answer,
    /// It was answered early.
    pub early: bool,
    /// What is to be saved with its record, in one commit.
    pub state: Vec<StateChange>,
}

/// The journal could not be asked or written.
#[derive(Debug, thiserror::Error)]
#[error("the turn journal failed")]
pub struct JournalError(#[source] BotError);

impl JournalError {
    /// With what happened.
    #[must_use]
    pub fn new(source: impl Into<BotError>) -> Self {
        Self(source.into())
    }

    /// Whether it is a matter of room or permission, so that the channel should try again.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        Unavailable::is_in(self)
    }
}

/// Why a turn's end was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FinishError {
    /// State was changed by somebody else since it was read: nothing was written.
    #[error("state changed by somebody else meanwhile: {}", keys.join(", "))]
    Conflict {
        /// The keys.
        keys: Vec<String>,
    },
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Remembers turns beyond the life of the process, so that their effects happen once.
///
/// The adapter itself joins a repetition with the turn that runs in this process and remembers recent answers in memory.
pub trait TurnJournal: Send + Sync + 'static {
    /// What is on record of a turn that is about to begin. Asked while earlier turns of the conversation may still run.
    fn begin<'a>(&'a self, start: TurnStart<'a>) -> BoxFuture<'a, Result<Begun, JournalError>>;

    /// Lets the journal keep its values with the turn, before the middleware.
    fn attach(&self, ctx: &TurnContext);

    /// Puts a turn on record with its activity; durable when it returns. The turn runs on meanwhile, but [`finish`](Self::finish) is not
    /// called before this has returned. Tried again after a failure.
    fn accept_early(&self, turn: EarlyTurn) -> BoxFuture<'_, Result<(), JournalError>>;

    /// Writes a turn's end and its state, both or neither. Called for every inbound turn, also for one that failed (then without state)
    /// and for one that has nothing to store; not for proactive turns, nor when the turn found the store unavailable. After a
    /// [conflict](FinishError::Conflict) it is called again with the state reapplied.
    fn finish<'a>(
        &'a self,
        ctx: &'a TurnContext,
        end: TurnEnd<'a>,
    ) -> BoxFuture<'a, Result<Vec<StateSaved>, FinishError>>;

    /// Remembers how to reach a conversation that the bot created; durable when it returns. The default remembers nothing.
    fn remember<'a>(
        &'a self,
        reference: &'a ConversationReference,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        let _ = reference;
        ready(Ok(())).boxed()
    }

    /// After a start: the early-answered turns of processes that died, to be run again; each is answered once. Asked again when what
    /// was held back may go.
    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<EarlyTurn>, JournalError>>;

    /// State of this scope is handed to [`Self::finish`]; other state saves itself before.
    fn commit_scope(&self) -> Option<CommitScope>;
}

/// Remembers nothing: for tests, and for bots that store nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoJournal;

impl TurnJournal for NoJournal {
    fn begin<'a>(&'a self, _: TurnStart<'a>) -> BoxFuture<'a, Result<Begun, JournalError>> {
        ready(Ok(Begun::New)).boxed()
    }

    fn attach(&self, _: &TurnContext) {}

    fn accept_early(&self, _: EarlyTurn) -> BoxFuture<'_, Result<(), JournalError>> {
        ready(Ok(())).boxed()
    }

    fn finish<'a>(
        &'a self,
        _: &'a TurnContext,
        _: TurnEnd<'a>,
    ) -> BoxFuture<'a, Result<Vec<StateSaved>, FinishError>> {
        ready(Ok(Vec::new())).boxed()
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<EarlyTurn>, JournalError>> {
        ready(Ok(Vec::new())).boxed()
    }

    fn commit_scope(&self) -> Option<CommitScope> {
        None
    }
}
