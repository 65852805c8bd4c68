//! What a turn can do with the engine: `ctx.jobs()` and `ctx.notify()`.
//!
//! Each call is a command of the turn: committed before it returns, once per turn however often the activity is run.

use std::sync::Arc;

use super::{
    Accepted, Completion, Error, Job, JobFilter, JobState, JobToken, NewJob, NewNotification, Page,
    Proactive, Progress, Reported, StartedJob,
    job_commands::Start,
    job_control::Said,
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
        self.start_for(NewJob::new(kind), None).await
    }

    /// Starts a job in the turn's conversation, with a title, a deadline, a heartbeat, and a token for its worker.
    ///
    /// A turn that is run again finds its job, and gives out another token beside the first, which may not have reached the worker.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use proact::{proactive::{NewJob, ProactiveTurn}, turn::{BotError, TurnContext}};
    /// # async fn on_message(ctx: &TurnContext) -> Result<(), BotError> {
    /// let mut report = NewJob::new("report");
    /// report.deadline = Some(Duration::from_secs(3600));
    /// let job = ctx.jobs().start_with(report).await?;
    /// // To the worker: the number, and `Authorization: Bearer <token>` for POST /v1/jobs/<number>/progress and so on.
    /// let (number, token) = (job.number, job.token.as_str());
    /// # let _ = (number, token);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`Error`]; [`Error::Invalid`] for what cannot be meant.
    pub async fn start_with(&self, new: NewJob) -> Result<StartedJob, Error> {
        new.check()?;
        let token = JobToken::new();
        let number = self.start_for(new, Some(&token)).await?;
        Ok(StartedJob { number, token })
    }

    async fn start_for(&self, new: NewJob, token: Option<&JobToken>) -> Result<u64, Error> {
        let (engine, reference) = parts(self.ctx)?;
        let key = self.ctx.next_command();
        let command = Start {
            desk: engine.desk(),
            conversation: self.ctx.conversation().clone(),
            new,
            token: token.map(JobToken::digest),
            key: Some(key),
            start_key: None,
            may_be_on_record: reference.may_be_on_record(),
        };
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
        self.end(number, JobState::Succeeded, None, message.into(), within).await
    }

    /// The same for a job that failed, with the reason in a line for people.
    ///
    /// # Errors
    /// As [`complete`](Self::complete); [`Error::Invalid`] for a reason that is no line.
    pub async fn fail(
        &self,
        number: u64,
        reason: Option<String>,
        message: impl Into<Activity>,
        within: Option<ConversationKey>,
    ) -> Result<Completion, Error> {
        self.end(number, JobState::Failed, reason, message.into(), within).await
    }

    /// The same for a job that is taken back. Its worker is told so when it reports next.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub async fn cancel(
        &self,
        number: u64,
        message: impl Into<Activity>,
        within: Option<ConversationKey>,
    ) -> Result<Completion, Error> {
        self.end(number, JobState::Cancelled, None, message.into(), within).await
    }

    async fn end(
        &self,
        number: u64,
        to: JobState,
        reason: Option<String>,
        message: Activity,
        within: Option<ConversationKey>,
    ) -> Result<Completion, Error> {
        let (engine, reference) = parts(self.ctx)?;
        let completion = engine.finish(number, to, reason, message, within, self.said(&reference)).await?;
        reference.remembered(&engine);
        Ok(completion)
    }

    /// Notes how far a job is; its conversation sees it in one message that is edited. With `within`, only a job of that conversation is
    /// found.
    ///
    /// # Errors
    /// See [`Error`]; an unknown or finished job is an answer, not an error.
    pub async fn progress(
        &self,
        number: u64,
        progress: Progress,
        within: Option<ConversationKey>,
    ) -> Result<Reported, Error> {
        self.report(number, Some(progress), within).await
    }

    /// Notes that a job's worker lives. A job that was queued runs from now on.
    ///
    /// # Errors
    /// As [`progress`](Self::progress).
    pub async fn heartbeat(&self, number: u64, within: Option<ConversationKey>) -> Result<Reported, Error> {
        self.report(number, None, within).await
    }

    async fn report(
        &self,
        number: u64,
        progress: Option<Progress>,
        within: Option<ConversationKey>,
    ) -> Result<Reported, Error> {
        let (engine, reference) = parts(self.ctx)?;
        let reported = engine.report(number, progress, within, self.said(&reference)).await?;
        reference.remembered(&engine);
        Ok(reported)
    }

    /// The next command of this turn.
    fn said(&self, reference: &PendingReference) -> Said {
        let key = self.ctx.next_command();
        Said { turn: Some(reference.of(self.ctx, key)), remember: reference.remember() }
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
