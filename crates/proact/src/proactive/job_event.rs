//! Events about jobs from other systems: each takes effect once, whole deliveries of them in one commit.
//!
//! An event is known by who sent it, its source and its id. One that took effect is on record in the same commit; the same again gets
//! the same answer and does nothing, for 30 days. One that changed nothing (there is no such job; it had come to its end) leaves no record
//! and is looked at anew when it comes again: the job may be there by then.
//!
//! A signed delivery (a webhook) has an id of its own: under one id there is one body, for 30 days too, whatever the clock says. So what is
//! played back does nothing twice, and what its sender sends again, having got no answer, is answered.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Error, Proactive,
    desk::Desk,
    job::{Completion, Reported},
    job_commands::{Ending, Finish, Report},
    job_state::JobState,
    job_worker::check_reason,
    new,
    new_job::Progress,
};
use crate::{
    activity::Activity,
    store::{self, Command, Keyed, Tx},
};

/// For how long events and webhooks are known again, in milliseconds.
pub(super) const KEPT: i64 = 30 * 24 * 3_600_000;

/// What an event says of a job.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum JobNews {
    /// It is done; its conversation is sent this.
    Completed(Box<Activity>),
    /// It is so far.
    Progress(Progress),
    /// It has failed.
    Failed {
        /// Why, in a line for people.
        reason: Option<String>,
        /// What its conversation is sent.
        message: Box<Activity>,
    },
}

/// An event about a job.
#[derive(Debug, Clone)]
pub struct JobEvent {
    /// Who sent it, as far as that was proven: ids are counted for each apart, so that nobody can use up another's.
    pub sender: String,
    /// Where it comes from, in the sender's words.
    pub source: String,
    /// Its id there.
    pub id: String,
    /// The job's number.
    pub number: u64,
    /// What it says.
    pub news: JobNews,
}

/// A signed delivery.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Who signed it.
    pub sender: String,
    /// Its id.
    pub id: String,
    /// The SHA-256 of its body.
    pub body: [u8; 32],
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum EventAnswer {
    /// It is on record, now or since it came before.
    Noted {
        /// Where the job stood then.
        state: JobState,
    },
    /// The job had come to its end by something else.
    Finished {
        /// How it ended.
        state: JobState,
    },
    /// The log does not contain the job.
    NotFound,
    /// Another event of this sender and source has this id.
    IdReused,
}

/// An outcome on record.
#[derive(Serialize, Deserialize)]
struct Noted {
    state: JobState,
}

struct Take {
    desk: Arc<Desk>,
    key: [u8; 32],
    content: [u8; 16],
    number: u64,
    what: What,
}

enum What {
    Progress(Progress),
    End { to: JobState, reason: Option<String>, message: String },
}

impl Command for Take {
    type Outcome = EventAnswer;

    fn apply(self, tx: &mut Tx<'_>) -> Result<EventAnswer, store::Error> {
        let Self { desk, key, content, number, what } = self;
        let known: Option<([u8; 16], String)> = tx
            .prepare("SELECT content, outcome FROM event WHERE digest = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match known {
            Some((before, outcome)) if before == content => {
                let Noted { state } = serde_json::from_str(&outcome)?;
                return Ok(EventAnswer::Noted { state });
            }
            Some(_) => return Ok(EventAnswer::IdReused),
            None => {}
        }
        let noted = match what {
            What::Progress(progress) => {
                match (Report { desk, number, within: None, progress: Some(progress) }).apply(tx)? {
                    Reported::Noted => JobState::Running,
                    Reported::Finished { state } => return Ok(EventAnswer::Finished { state }),
                    Reported::NotFound => return Ok(EventAnswer::NotFound),
                }
            }
            What::End { to, reason, message } => {
                let mut ending = Ending::new(to, message);
                ending.reason = reason;
                match (Finish { desk, number, within: None, ending }).apply(tx)? {
                    Completion::Completed { .. } => to,
                    Completion::AlreadyCompleted => {
                        return Ok(EventAnswer::Finished { state: state(tx, number)? });
                    }
                    Completion::NotFound => return Ok(EventAnswer::NotFound),
                }
            }
        };
        tx.prepare("INSERT INTO event (digest, content, outcome, at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![key, content, serde_json::to_string(&Noted { state: noted })?, tx.now()])?;
        Ok(EventAnswer::Noted { state: noted })
    }
}

fn state(tx: &Tx<'_>, number: u64) -> Result<JobState, store::Error> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    Ok(tx.prepare("SELECT state FROM job WHERE number = ?1")?.query_row([number], |row| row.get(0))?)
}

/// A whole delivery; `None` when its webhook's id was used for another body.
struct Deliver {
    webhook: Option<Webhook>,
    events: Vec<Take>,
}

impl Command for Deliver {
    type Outcome = Option<Vec<EventAnswer>>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, store::Error> {
        if let Some(Webhook { sender, id, body }) = self.webhook {
            let key = digest(&[&sender, &id]);
            tx.prepare(
                "INSERT INTO webhook (digest, content, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute(params![key, body, tx.now()])?;
            let same = tx
                .prepare("SELECT 1 FROM webhook WHERE digest = ?1 AND content = ?2")?
                .exists(params![key, body])?;
            if !same {
                return Ok(None);
            }
        }
        self.events.apply(tx).map(Some)
    }
}

/// Forgets events and webhooks of before. Answers how many.
pub(super) struct ForgetEvents {
    pub(super) before: i64,
    pub(super) limit: usize,
}

impl Command for ForgetEvents {
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let mut forgotten = 0;
        for table in ["event", "webhook"] {
            let sql = format!(
                "DELETE FROM {table} WHERE digest IN (SELECT digest FROM {table} WHERE at < ?1 LIMIT ?2)"
            );
            forgotten += tx.prepare(&sql)?.execute(params![self.before, self.limit as i64])?;
        }
        Ok(forgotten)
    }
}

/// Texts of any length, so that no two lists of them are one.
fn digest(texts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

impl JobEvent {
    fn take(self, desk: Arc<Desk>) -> Result<Take, Error> {
        let Self { sender, source, id, number, news } = self;
        let key = digest(&[&sender, &source, &id]);
        let (what, content) = match news {
            JobNews::Progress(progress) => {
                progress.check()?;
                let content = serde_json::json!([progress.percent, progress.text]).to_string();
                (What::Progress(progress), Keyed::<()>::digest(&[b"progress", content.as_bytes()]))
            }
            JobNews::Completed(message) => ends(JobState::Succeeded, None, *message)?,
            JobNews::Failed { reason, message } => ends(JobState::Failed, reason, *message)?,
        };
        let content = Keyed::<()>::digest(&[&number.to_be_bytes(), &content]);
        Ok(Take { desk, key, content, number, what })
    }

    /// Whether it can be meant.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Activity`].
    pub fn check(&self) -> Result<(), Error> {
        match &self.news {
            JobNews::Progress(progress) => progress.check(),
            JobNews::Completed(message) => new::outgoing((**message).clone()).map(drop),
            JobNews::Failed { reason, message } => {
                check_reason(reason.as_deref())?;
                new::outgoing((**message).clone()).map(drop)
            }
        }
    }
}

fn ends(to: JobState, reason: Option<String>, message: Activity) -> Result<(What, [u8; 16]), Error> {
    check_reason(reason.as_deref())?;
    let message = new::outgoing(message)?;
    let said = reason.clone().unwrap_or_default();
    let digest = Keyed::<()>::digest(&[to.as_str().as_bytes(), said.as_bytes(), message.as_bytes()]);
    Ok((What::End { to, reason, message }, digest))
}

impl Proactive {
    /// Takes events about jobs, in their order and in one commit, with what conversations are sent of them. Each is answered by itself. With
    /// `webhook`, `None` says that its id was used for another body, and nothing was done.
    ///
    /// # Errors
    /// An event that cannot be meant ([`JobEvent::check`] says so before), or what the store says: then none was taken.
    pub async fn job_events(
        &self,
        webhook: Option<Webhook>,
        events: Vec<JobEvent>,
    ) -> Result<Option<Vec<EventAnswer>>, Error> {
        let events = events.into_iter().map(|event| event.take(self.desk())).collect::<Result<_, _>>()?;
        let answers = self.store().commit(Deliver { webhook, events }).await?;
        failpoint!(AfterCommand);
        Ok(answers)
    }
}
