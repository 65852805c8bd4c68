//! Jobs from outside of a turn, and what their commands within one share.

use super::{
    Error, Proactive, conversation,
    job::{Completion, Job, Reported},
    job_commands::{Ending, Finish, Report, Start},
    job_queries::ByNumber,
    job_state::JobState,
    job_token::JobToken,
    job_worker::check_reason,
    journal,
    new::{self, check_key},
    new_job::{NewJob, Progress},
};
use crate::{
    activity::{Activity, ConversationKey},
    store::{Command, Effect, Keyed, Read},
};

/// A job that was started.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StartedJob {
    /// Its number.
    pub number: u64,
    /// What its worker proves itself with. It is given here and never again.
    pub token: JobToken,
}

/// How a job is brought to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobEnd {
    /// It is done.
    Complete,
    /// It has failed.
    Fail {
        /// Why, in a line for people.
        reason: Option<String>,
    },
    /// It is taken back. Its worker is told so when it reports next.
    Cancel,
}

/// How a command comes: within a turn, or from outside.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) turn: Option<journal::InTurn>,
    pub(super) remember: Option<conversation::Remember>,
}

impl Proactive {
    /// Starts a job in a conversation from outside a turn: by a program, for a conversation that the bot has met.
    ///
    /// # Errors
    /// [`Error::Invalid`], or what the store says.
    pub async fn start_job(&self, conversation: ConversationKey, new: NewJob) -> Result<StartedJob, Error> {
        self.start_job_under(conversation, new, None).await
    }

    /// The same under a key of the caller's: the same key with the same job answers with the job that it made, and with another token that
    /// opens it, for the first answer may have been lost. Keys are those of notifications in form, and live as long as their jobs.
    ///
    /// # Errors
    /// As [`start_job`](Self::start_job); [`KeyReused`](crate::store::Error::KeyReused) for a key that started another job.
    pub async fn start_job_under(
        &self,
        conversation: ConversationKey,
        new: NewJob,
        start_key: Option<String>,
    ) -> Result<StartedJob, Error> {
        new.check()?;
        start_key.as_deref().map_or(Ok(()), |key| check_key("idempotencyKey", key))?;
        let token = JobToken::new();
        let proof = Some(token.digest());
        let start = Start {
            desk: self.desk(),
            conversation,
            new,
            token: proof,
            key: None,
            start_key,
            may_be_on_record: false,
        };
        let started = self.inner.store.commit(start).await?;
        failpoint!(AfterCommand);
        Ok(StartedJob { number: started.number, token })
    }

    /// Completes a job from outside a turn: by the command line, the HTTP API, another system.
    ///
    /// Job and notification are one commit. With `within`, only a job of that conversation is found.
    ///
    /// # Errors
    /// What the store says; an unknown or finished job is not an error but an answer.
    pub async fn complete_job(
        &self,
        number: u64,
        message: Activity,
        within: Option<ConversationKey>,
    ) -> Result<Completion, Error> {
        self.finish(number, JobState::Succeeded, None, message, within, Said::default()).await
    }

    /// The same for a job that failed, with the reason in a line for people.
    ///
    /// # Errors
    /// As [`complete_job`](Self::complete_job); [`Error::Invalid`] for a reason that is no line.
    pub async fn fail_job(
        &self,
        number: u64,
        reason: Option<String>,
        message: Activity,
        within: Option<ConversationKey>,
    ) -> Result<Completion, Error> {
        self.finish(number, JobState::Failed, reason, message, within, Said::default()).await
    }

    /// The same for a job that is taken back. Its worker is told so when it reports next.
    ///
    /// # Errors
    /// As [`complete_job`](Self::complete_job).
    pub async fn cancel_job(
        &self,
        number: u64,
        message: Activity,
        within: Option<ConversationKey>,
    ) -> Result<Completion, Error> {
        self.finish(number, JobState::Cancelled, None, message, within, Said::default()).await
    }

    /// Brings a job to its end as [`complete_job`](Self::complete_job), [`fail_job`](Self::fail_job) and [`cancel_job`](Self::cancel_job) do,
    /// and answers with the job as it stands then; `None` if there is no such job. It is read in the same commit, so who shows it asks once.
    ///
    /// # Errors
    /// As [`complete_job`](Self::complete_job); [`Error::Invalid`] for a reason that is no line.
    pub async fn end_job(
        &self,
        number: u64,
        end: JobEnd,
        message: Activity,
    ) -> Result<(Completion, Option<Job>), Error> {
        let (to, reason) = match end {
            JobEnd::Complete => (JobState::Succeeded, None),
            JobEnd::Fail { reason } => (JobState::Failed, reason),
            JobEnd::Cancel => (JobState::Cancelled, None),
        };
        check_reason(reason.as_deref())?;
        let mut ending = Ending::new(to, new::outgoing(message)?);
        ending.reason = reason;
        let finish = Finish { desk: self.desk(), number, within: None, ending };
        let ended = self.inner.store.commit((finish, Read(ByNumber(number)))).await?;
        failpoint!(AfterCommand);
        Ok(ended)
    }

    /// Notes how far a job is; its conversation sees it in one message that is edited. It is a sign of life too, and has a job run that is
    /// queued.
    ///
    /// # Errors
    /// [`Error::Invalid`], or what the store says; an unknown or finished job is not an error but an answer.
    pub async fn job_progress(
        &self,
        number: u64,
        progress: Progress,
        within: Option<ConversationKey>,
    ) -> Result<Reported, Error> {
        self.report(number, Some(progress), within, Said::default()).await
    }

    /// Notes that a job's worker lives.
    ///
    /// # Errors
    /// As [`job_progress`](Self::job_progress).
    pub async fn job_heartbeat(
        &self,
        number: u64,
        within: Option<ConversationKey>,
    ) -> Result<Reported, Error> {
        self.report(number, None, within, Said::default()).await
    }

    pub(super) async fn finish(
        &self,
        number: u64,
        to: JobState,
        reason: Option<String>,
        message: Activity,
        within: Option<ConversationKey>,
        said: Said,
    ) -> Result<Completion, Error> {
        check_reason(reason.as_deref())?;
        let message = new::outgoing(message)?;
        let kind = match to {
            JobState::Failed => "job.fail",
            JobState::Cancelled => "job.cancel",
            _ => "job.complete",
        };
        let scope = within.as_ref().map(ToString::to_string).unwrap_or_default();
        let number_bytes = number.to_be_bytes();
        let mut content: Vec<&[u8]> = vec![&number_bytes, message.as_bytes(), scope.as_bytes()];
        if let Some(reason) = &reason {
            content.push(reason.as_bytes());
        }
        let digest = Keyed::<()>::digest(&content);
        let mut ending = Ending::new(to, message);
        ending.reason = reason;
        let command = Finish { desk: self.desk(), number, within, ending };
        self.keyed(kind, digest, command, said).await
    }

    pub(super) async fn report(
        &self,
        number: u64,
        progress: Option<Progress>,
        within: Option<ConversationKey>,
        said: Said,
    ) -> Result<Reported, Error> {
        progress.as_ref().map_or(Ok(()), Progress::check)?;
        let content = format!("{number} {progress:?} {within:?}");
        let digest = Keyed::<()>::digest(&[content.as_bytes()]);
        let command = Report { desk: self.desk(), number, within, progress };
        self.keyed("job.report", digest, command, said).await
    }

    /// Commits a command under its turn's key, if it has one, with the turn's reference.
    async fn keyed<C: Command<Outcome: Effect>>(
        &self,
        kind: &'static str,
        digest: [u8; 16],
        command: C,
        said: Said,
    ) -> Result<C::Outcome, Error> {
        let (key, not_a_start) = said.turn.map_or((None, None), |turn| (Some(turn.key), turn.not_a_start));
        let command = (not_a_start, Keyed { key, kind, digest, command });
        let (_, (_, outcome)) = self.inner.store.commit((self.remembering(said.remember), command)).await?;
        failpoint!(AfterCommand);
        Ok(outcome)
    }
}
