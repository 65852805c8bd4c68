//! What a worker outside reports of its one job, proving itself with the job's token.
//!
//! A wrong token, the token of another job and a job that does not exist are one answer: nobody learns which numbers there are. The report
//! that ends a job is kept with it: the same again gets the same answer, another one is told that the job is at its end.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::params;
use serde::Serialize;

use super::{
    Error, Proactive,
    desk::Desk,
    job::Reported,
    job_commands::{Ending, Found, Report, end, find},
    job_queries::time,
    job_state::JobState,
    job_token::Digested,
    new,
    new_job::{Progress, one_line},
};
use crate::{
    activity::Activity,
    store::{self, Command, Keyed, Tx},
};

/// Characters of a reason at most.
const REASON: usize = 1000;

/// What a worker has to say.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum WorkerReport {
    /// It lives.
    Heartbeat,
    /// It is so far.
    Progress(Progress),
    /// It is done; the conversation is sent this.
    Complete(Box<Activity>),
    /// It has failed.
    Fail {
        /// Why, in a line for people.
        reason: Option<String>,
        /// What the conversation is sent.
        message: Box<Activity>,
    },
}

/// What a worker is answered: nothing of the conversation, which is none of its business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkerView {
    /// The job's number.
    pub number: u64,
    /// Where it stands.
    pub state: JobState,
    /// When it came to its end.
    pub completed_at: Option<Timestamp>,
}

/// What became of a worker's report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum WorkerAnswer {
    /// It is on record, now or since the same was reported before.
    Noted(WorkerView),
    /// The job had come to its end by something else.
    Finished(WorkerView),
    /// The token is not one of this job, or there is no such job.
    NotAllowed,
}

struct ByWorker {
    desk: Arc<Desk>,
    number: u64,
    proof: Digested,
    what: What,
}

/// A report, with what is sent as JSON.
enum What {
    Alive(Option<Progress>),
    End { to: JobState, reason: Option<String>, message: String, digest: [u8; 16] },
}

impl Command for ByWorker {
    type Outcome = WorkerAnswer;

    fn apply(self, tx: &mut Tx<'_>) -> Result<WorkerAnswer, store::Error> {
        let Self { desk, number: asked, proof, what } = self;
        let found = find(tx, asked)?;
        // Asked also about a job that does not exist, so that both take the same way.
        if !proof.is_of(tx, found.as_ref().map_or(0, |found| found.number))? {
            return Ok(WorkerAnswer::NotAllowed);
        }
        let Some(Found { number, state, conversation }) = found else { return Ok(WorkerAnswer::NotAllowed) };
        match what {
            What::Alive(progress) => {
                match (Report { desk, number: asked, within: None, progress }).apply(tx)? {
                    Reported::Noted => Ok(WorkerAnswer::Noted(view(tx, number)?)),
                    Reported::Finished { .. } => Ok(WorkerAnswer::Finished(view(tx, number)?)),
                    Reported::NotFound => Ok(WorkerAnswer::NotAllowed),
                }
            }
            What::End { digest, .. } if state.is_finished() => {
                let same = tx
                    .prepare("SELECT 1 FROM job WHERE number = ?1 AND report = ?2")?
                    .exists(params![number, digest])?;
                let view = view(tx, number)?;
                Ok(if same { WorkerAnswer::Noted(view) } else { WorkerAnswer::Finished(view) })
            }
            What::End { to, reason, message, digest } => {
                let mut ending = Ending::new(to, message);
                ending.reason = reason;
                ending.report = Some(digest);
                let _ = end(tx, &desk, number, conversation, ending)?;
                Ok(WorkerAnswer::Noted(view(tx, number)?))
            }
        }
    }
}

fn view(tx: &Tx<'_>, number: i64) -> Result<WorkerView, store::Error> {
    Ok(tx.prepare("SELECT state, completed_at FROM job WHERE number = ?1")?.query_row([number], |row| {
        Ok(WorkerView {
            number: number.unsigned_abs(),
            state: row.get(0)?,
            completed_at: row.get::<_, Option<i64>>(1)?.map(time),
        })
    })?)
}

impl Proactive {
    /// Takes what a worker reports of the job `number`, which it proves to be its own by `token`. One commit, with what the conversation
    /// is sent of it.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Activity`] for what cannot be meant, or what the store says.
    pub async fn worker_reports(
        &self,
        number: u64,
        token: &str,
        report: WorkerReport,
    ) -> Result<WorkerAnswer, Error> {
        let what = match report {
            WorkerReport::Heartbeat => What::Alive(None),
            WorkerReport::Progress(progress) => {
                progress.check()?;
                What::Alive(Some(progress))
            }
            WorkerReport::Complete(message) => ends(JobState::Succeeded, None, *message)?,
            WorkerReport::Fail { reason, message } => ends(JobState::Failed, reason, *message)?,
        };
        let command = ByWorker { desk: self.desk(), number, proof: Digested::of(token), what };
        Ok(self.store().commit(command).await?)
    }
}

fn ends(to: JobState, reason: Option<String>, message: Activity) -> Result<What, Error> {
    check_reason(reason.as_deref())?;
    let message = new::outgoing(message)?;
    let said = reason.clone().unwrap_or_default();
    let digest = Keyed::<()>::digest(&[to.as_str().as_bytes(), said.as_bytes(), message.as_bytes()]);
    Ok(What::End { to, reason, message, digest })
}

pub(super) fn check_reason(reason: Option<&str>) -> Result<(), Error> {
    reason.map_or(Ok(()), |reason| one_line("reason", reason, REASON))
}
