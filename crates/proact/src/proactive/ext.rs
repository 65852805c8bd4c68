//! What a turn can do with the engine: `ctx.jobs()` and `ctx.notify()`.
//!
//! Each call is a command of the turn: committed before it returns, once per turn however often the activity is run.

use std::sync::Arc;

use super::{
    Accepted, Completion, Error, Job, JobFilter, NewNotification, Page, Proactive,
    job_commands::Start,
    journal::{self, PendingReference},
};
use crate::{
    activity::{Activity, ConversationKey},
    turn::TurnContext,
};

/// Gives a turn the engine's commands.
///
/// ```
/// use proact::{proactive::ProactiveTurn, turn::{BotError, TurnContext}};
///
/// async fn on_message(ctx: &TurnContext) -> Result<(), BotError> {
///     let job = ctx.jobs().start("report").await?;
///     // Committed and synced: what is announced now survives anything.
///     ctx.send(format!("We're starting job {job} for you.")).await?;
///     Ok(())
/// }
/// ```
pub trait ProactiveTurn {
    /// The job log.
    fn jobs(&self) -> Jobs<'_>;

    /// Accepts a notification as a command of this turn: durable when this returns. To this turn's own conversation it goes
    /// after the turn.
    ///
    /// # Errors
    /// See [`Error`].
    fn notify(&self, notification: NewNotification) -> impl Future<Output = Result<Accepted, Error>> + Send;
}

impl ProactiveTurn for TurnContext {
    fn jobs(&self) -> Jobs<'_> {
        Jobs { ctx: self }
    }

    async fn notify(&self, notification: NewNotification) -> Result<Accepted, Error> {
        let (engine, reference) = parts(self)?;
        let key = self.next_command();
        let accepted =
            engine.enqueue(notification, Some(reference.of(self, key)), reference.remember()).await?;
        reference.remembered(&engine);
        Ok(accepted)
    }
}

/// The job log, within a turn.
#[derive(Debug, Clone, Copy)]
pub struct Jobs<'a> {
    ctx: &'a TurnContext,
}

impl Jobs<'_> {
    /// Starts a job of this kind in the turn's conversation. Answers its number: small, and never used twice.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(&self, kind: &str) -> Result<u64, Error> {
        let (engine, reference) = parts(self.ctx)?;
        let key = self.ctx.next_command();
        let conversation = self.ctx.conversation().clone();
        let may_be_on_record = reference.may_be_on_record();
        let command = Start { conversation, kind: kind.to_owned(), key, may_be_on_record };
        let remember = engine.remembering(reference.remember());
        // Before the commit: what may be on record must not look as if it could not be.
        engine.inner.turns.add(key.turn);
        let (_, started) = engine.store().commit((remember, command)).await?;
        failpoint!(AfterCommand);
        reference.remembered(&engine);
        Ok(started.number)
    }

    /// Completes a job: its state and the notification with `message` to the job's own conversation are one commit. With
    /// `within`, only a job of that conversation is found.
    ///
    /// When this very activity completed it and is run again, the answer is [`Completion::Completed`] again.
    ///
    /// # Errors
    /// See [`Error`]; an unknown or finished job is an answer, not an error.
    pub async fn complete(
        &self,
        number: u64,
        message: impl Into<Activity>,
        within: Option<ConversationKey>,
    ) -> Result<Completion, Error> {
        let (engine, reference) = parts(self.ctx)?;
        let key = self.ctx.next_command();
        let completion = engine
            .complete(number, message.into(), within, Some(reference.of(self.ctx, key)), reference.remember())
            .await?;
        reference.remembered(&engine);
        Ok(completion)
    }

    /// A page of the job log, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn page(&self, filter: JobFilter) -> Result<Page<Job>, Error> {
        parts(self.ctx)?.0.jobs(filter).await
    }

    /// One job, or `None`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get(&self, number: u64) -> Result<Option<Job>, Error> {
        parts(self.ctx)?.0.job(number).await
    }
}

fn parts(ctx: &TurnContext) -> Result<(Arc<Proactive>, Arc<PendingReference>), Error> {
    let engine = journal::engine(ctx).ok_or(Error::NoEngine)?;
    let reference = ctx.value::<PendingReference>().ok_or(Error::NoEngine)?;
    Ok((engine, reference))
}
