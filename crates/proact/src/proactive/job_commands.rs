//! The commands of the job log: start, report, and bring to an end.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::{
    blocks::blocks,
    breaker::millis,
    desk::Desk,
    enqueue::{Enqueue, accept},
    job::{Completion, Reported, Started},
    job_progress::{self, Shown},
    job_queries,
    job_state::JobState,
    job_token::Digested,
    job_watch::watch_at,
    new_job::{NewJob, Progress},
    notification::Cause,
};
use crate::{
    activity::ConversationKey,
    store::{self, Change, Command, Keyed, Tx, Writes},
    turn::{CommandKey, TurnKey},
};

/// Puts a job on record.
pub(super) const INSERT: &str = "INSERT OR FAIL INTO job (partition, channel_id, conversation_id, kind, state, created_at, turn, ordinal, digest, title,
    deadline_at, heartbeat, watch_at, quiet, start_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

/// Writes a job under the next number, with the turn's command that starts it: run again, it finds its job.
pub(super) struct Start {
    pub(super) desk: Arc<Desk>,
    pub(super) conversation: ConversationKey,
    pub(super) new: NewJob,
    /// The token that its worker is given.
    pub(super) token: Option<Digested>,
    /// `None` outside of a turn.
    pub(super) key: Option<CommandKey>,
    /// What a program calls its request; the job that it has made before is the answer.
    pub(super) start_key: Option<String>,
    /// Something of the turn may be on record; `false` is certain, and spares the look.
    pub(super) may_be_on_record: bool,
}

impl Command for Start {
    type Outcome = Started;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Started, store::Error> {
        let kind = self.new.kind.as_bytes();
        let digest = match self.new.chosen() {
            None => Keyed::<()>::digest(&[kind]),
            Some(chosen) => Keyed::<()>::digest(&[kind, chosen.as_bytes()]),
        };
        let on_record = match self.key {
            Some(key) if self.may_be_on_record => self.on_record(tx, key, digest)?,
            _ => self.under_its_key(tx, digest)?,
        };
        let token = self.token;
        let started = match on_record {
            Some(started) => started,
            None => self.insert(tx, digest)?,
        };
        if let Some(token) = token {
            token.give(tx, i64::try_from(started.number).unwrap_or(i64::MAX))?;
        }
        Ok(started)
    }

    fn writes(&self) -> Writes {
        if self.token.is_none() { Writes::Surely } else { Writes::Many }
    }
}

impl Start {
    fn insert(self, tx: &mut Tx<'_>, digest: [u8; 16]) -> Result<Started, store::Error> {
        let Self { desk, conversation, new, key, start_key, .. } = self;
        let state = if new.queued { JobState::Queued } else { JobState::Running };
        let deadline_at = new.deadline.map(|within| tx.now().saturating_add(millis(within)));
        let heartbeat = new.heartbeat.map(millis);
        let watch_at = watch_at(state, deadline_at, heartbeat, tx.now(), false);
        let (turn, ordinal) =
            key.map(|CommandKey { turn: TurnKey(turn), ordinal, .. }| (turn, ordinal)).unzip();
        tx.prepare(INSERT)?.execute(params![
            conversation.partition(),
            conversation.channel_id(),
            conversation.conversation_id(),
            new.kind,
            state,
            tx.now(),
            turn,
            ordinal,
            (key.is_some() || start_key.is_some()).then_some(digest),
            new.title,
            deadline_at,
            heartbeat,
            watch_at,
            !new.shows_progress,
            start_key
        ])?;
        let number = number(tx.connection().last_insert_rowid())?;
        tx.changed(Change::Job { number });
        watched(tx, &desk, watch_at);
        Ok(Started { number })
    }
}

/// Has the watch look at a job in time.
fn watched(tx: &mut Tx<'_>, desk: &Arc<Desk>, watch_at: Option<i64>) {
    if let Some(at) = watch_at {
        let desk = Arc::clone(desk);
        tx.afterwards(move || desk.jobs.at(at));
    }
}

impl Start {
    /// The job that the same request has made before under its key; the key with another request is refused.
    fn under_its_key(&self, tx: &Tx<'_>, digest: [u8; 16]) -> Result<Option<Started>, store::Error> {
        let Some(key) = &self.start_key else { return Ok(None) };
        let found: Option<(i64, String, String, [u8; 16])> = tx
            .prepare("SELECT number, channel_id, conversation_id, digest FROM job WHERE start_key = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((row, channel_id, id, recorded)) = found else { return Ok(None) };
        let same = recorded == digest
            && channel_id == self.conversation.channel_id()
            && id == self.conversation.conversation_id();
        if !same {
            return Err(store::Error::KeyReused { key: key.clone() });
        }
        Ok(Some(Started { number: number(row)? }))
    }

    /// The job that this command has started before. It stands with the job and not under the turn's key, because keys of turns are
    /// scattered: with a long log, each would cost a page of its own. A turn starts jobs in its own conversation, so they are looked
    /// for there, among those of the time for which a turn is remembered.
    fn on_record(
        &self,
        tx: &Tx<'_>,
        key: CommandKey,
        digest: [u8; 16],
    ) -> Result<Option<Started>, store::Error> {
        let ordinal = key.ordinal;
        // What an earlier version wrote, and what else this turn may have on record under its ordinal.
        if let Some((kind, recorded, outcome)) = tx.recorded_command(key)? {
            if kind != "job.start" || recorded != digest {
                return Err(store::Error::CommandDiffers { ordinal, recorded: kind });
            }
            return Ok(Some(serde_json::from_str(&outcome)?));
        }
        match started_by(tx, &self.conversation, key)? {
            Some((_, recorded)) if recorded != digest => {
                Err(store::Error::CommandDiffers { ordinal, recorded: "job.start".to_owned() })
            }
            Some((row, _)) => Ok(Some(Started { number: number(row)? })),
            None => Ok(None),
        }
    }
}

/// The job that a turn has started in its conversation under an ordinal, and its digest.
fn started_by(
    tx: &Tx<'_>,
    conversation: &ConversationKey,
    key: CommandKey,
) -> Result<Option<(i64, [u8; 16])>, store::Error> {
    let CommandKey { turn: TurnKey(turn), ordinal, .. } = key;
    let since = tx.now() - super::recent_turns::KEPT;
    let mut statement = tx.prepare(
        "SELECT number, digest FROM job INDEXED BY job_of_conversation
         WHERE number >> 12 = ?1 AND channel_id = ?2 AND conversation_id = ?3 AND turn = ?4 AND ordinal = ?5 AND created_at >= ?6
         ORDER BY number DESC LIMIT 1",
    )?;
    for block in blocks(tx.connection(), job_queries::BOUNDS, None)? {
        let (channel_id, id) = (conversation.channel_id(), conversation.conversation_id());
        let found = statement
            .query_row(params![block, channel_id, id, turn, ordinal, since], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Refuses a command under whose ordinal the same turn has started a job before: it gives its commands in another order.
#[derive(Debug)]
pub(super) struct NotAStart {
    pub(super) conversation: ConversationKey,
    pub(super) key: CommandKey,
}

impl Command for NotAStart {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        match started_by(tx, &self.conversation, self.key)? {
            Some(_) => {
                let recorded = "job.start".to_owned();
                Err(store::Error::CommandDiffers { ordinal: self.key.ordinal, recorded })
            }
            None => Ok(()),
        }
    }
}

/// How a job comes to its end.
pub(super) struct Ending {
    to: JobState,
    /// What to send, as JSON.
    message: String,
    /// Why it failed.
    pub(super) reason: Option<String>,
    /// What its worker reported, if a worker did.
    pub(super) report: Option<[u8; 16]>,
}

impl Ending {
    pub(super) const fn new(to: JobState, message: String) -> Self {
        Self { to, message, reason: None, report: None }
    }
}

/// Puts the end of a job on record.
pub(super) const END: &str = "UPDATE OR FAIL job SET state = ?2, completed_at = ?3, notification_id = ?4, reason = ?5, report = ?6, watch_at = NULL
    WHERE number = ?1";

/// Brings a job that has not ended to its end and accepts the notification that says so. Its progress message is brought to its end
/// before.
pub(super) fn end(
    tx: &mut Tx<'_>,
    desk: &Arc<Desk>,
    number: i64,
    conversation: ConversationKey,
    ending: Ending,
) -> Result<Uuid, store::Error> {
    let Ending { to, message, reason, report } = ending;
    job_progress::job_ends(tx, desk, number, to, reason.as_deref())?;
    let cause = Cause::Job { job: number.unsigned_abs() };
    let id = accept(tx, Enqueue::of(desk, conversation, message, cause))?.id;
    tx.prepare(END)?.execute(params![number, to, tx.now(), id, reason, report])?;
    tx.changed(Change::Job { number: number.unsigned_abs() });
    Ok(id)
}

/// Brings a job to its end: job and notification, both or neither.
pub(super) struct Finish {
    pub(super) desk: Arc<Desk>,
    pub(super) number: u64,
    pub(super) within: Option<ConversationKey>,
    pub(super) ending: Ending,
}

impl Command for Finish {
    type Outcome = Completion;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Completion, store::Error> {
        let Some(Found { number, state, conversation }) = find(tx, self.number)? else {
            return Ok(Completion::NotFound);
        };
        if self.within.is_some_and(|within| within != conversation) {
            return Ok(Completion::NotFound);
        }
        if state.is_finished() {
            return Ok(Completion::AlreadyCompleted);
        }
        let notification = end(tx, &self.desk, number, conversation, self.ending)?;
        Ok(Completion::Completed { notification })
    }

    fn writes(&self) -> Writes {
        Writes::Surely
    }
}

/// A job as the commands need it.
pub(super) struct Found {
    pub(super) number: i64,
    pub(super) state: JobState,
    pub(super) conversation: ConversationKey,
}

pub(super) fn find(tx: &Tx<'_>, number: u64) -> Result<Option<Found>, store::Error> {
    let Ok(number) = i64::try_from(number) else { return Ok(None) };
    let found = tx
        .prepare("SELECT state, channel_id, conversation_id FROM job WHERE number = ?1")?
        .query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((state, channel_id, conversation_id)) = found else { return Ok(None) };
    Ok(Some(Found { number, state, conversation: super::conversation::key(channel_id, conversation_id)? }))
}

/// A sign of life of a job's worker, with how far it is or without.
pub(super) struct Report {
    pub(super) desk: Arc<Desk>,
    pub(super) number: u64,
    pub(super) within: Option<ConversationKey>,
    pub(super) progress: Option<Progress>,
}

impl Command for Report {
    type Outcome = Reported;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Reported, store::Error> {
        let Some(Found { number, state, conversation }) = find(tx, self.number)? else {
            return Ok(Reported::NotFound);
        };
        if self.within.is_some_and(|within| within != conversation) {
            return Ok(Reported::NotFound);
        }
        if state.is_finished() {
            return Ok(Reported::Finished { state });
        }
        heard(tx, &self.desk, number, state)?;
        if let Some(Progress { percent, text }) = self.progress {
            tx.prepare(
                "INSERT INTO job_progress (job, percent, line, updated_at) VALUES (?1, ?2, nullif(?3, ''), ?4)
                 ON CONFLICT DO UPDATE SET percent = coalesce(excluded.percent, percent),
                    line = CASE WHEN ?3 IS NULL THEN line ELSE excluded.line END, updated_at = excluded.updated_at",
            )?
            .execute(params![number, percent, text, tx.now()])?;
            if let Some(shown) = Shown::load(tx.connection(), number)? {
                shown.go_on(tx, &self.desk, false)?;
            }
            tx.changed(Change::Job { number: self.number });
        }
        Ok(Reported::Noted)
    }
}

/// A job's worker lives: it runs, and the wait for it begins anew.
fn heard(tx: &mut Tx<'_>, desk: &Arc<Desk>, job: i64, state: JobState) -> Result<(), store::Error> {
    let (deadline_at, heartbeat, told): (Option<i64>, Option<i64>, bool) = tx
        .prepare("SELECT deadline_at, heartbeat, silent_at IS NOT NULL FROM job WHERE number = ?1")?
        .query_row([job], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let at = watch_at(JobState::Running, deadline_at, heartbeat, tx.now(), told);
    tx.prepare("UPDATE job SET heard_at = ?2, watch_at = ?3 WHERE number = ?1")?.execute(params![
        job,
        tx.now(),
        at
    ])?;
    if state == JobState::Queued {
        tx.prepare("UPDATE job SET state = ?2 WHERE number = ?1")?
            .execute(params![job, JobState::Running])?;
        tx.changed(Change::Job { number: job.unsigned_abs() });
    }
    watched(tx, desk, at);
    Ok(())
}

fn number(rowid: i64) -> Result<u64, store::Error> {
    u64::try_from(rowid).map_err(|_| store::Error::Corrupt("a job number below zero".to_owned()))
}
