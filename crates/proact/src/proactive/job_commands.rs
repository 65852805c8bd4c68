//! The commands of the job log: start and complete.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::{
    desk::Desk,
    enqueue::{Enqueue, accept},
    job::{Completion, JobState, Started},
    notification::Cause,
};
use crate::{
    activity::ConversationKey,
    store::{self, Change, Command, Keyed, Tx},
    turn::{CommandKey, TurnKey},
};

/// Writes a job under the next number, with the turn's command that starts it: run again, it finds its job.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) conversation: ConversationKey,
    pub(super) kind: String,
    pub(super) key: CommandKey,
    /// Something of the turn may be on record; `false` is certain, and spares the look.
    pub(super) may_be_on_record: bool,
}

impl Command for Start {
    type Outcome = Started;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Started, store::Error> {
        let digest = Keyed::<()>::digest(&[self.kind.as_bytes()]);
        if self.may_be_on_record
            && let Some(started) = self.on_record(tx, digest)?
        {
            return Ok(started);
        }
        let Self { conversation: key, kind, key: CommandKey { turn: TurnKey(turn), ordinal, .. }, .. } = self;
        tx.prepare(
            "INSERT INTO job (partition, channel_id, conversation_id, kind, state, created_at, turn, ordinal, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            key.partition(),
            key.channel_id(),
            key.conversation_id(),
            kind,
            JobState::Running,
            tx.now(),
            turn,
            ordinal,
            digest
        ])?;
        let number = number(tx.connection().last_insert_rowid())?;
        tx.changed(Change::Job { number });
        Ok(Started { number })
    }
}

impl Start {
    /// The job that this command has started before. It stands with the job and not under the turn's key, because keys of turns are
    /// scattered: with a long log, each would cost a page of its own. A turn starts jobs in its own conversation, so they are looked
    /// for there, among those of the time for which a turn is remembered.
    fn on_record(&self, tx: &Tx<'_>, digest: [u8; 16]) -> Result<Option<Started>, store::Error> {
        let ordinal = self.key.ordinal;
        // What an earlier version wrote, and what else this turn may have on record under its ordinal.
        if let Some((kind, recorded, outcome)) = tx.recorded_command(self.key)? {
            if kind != "job.start" || recorded != digest {
                return Err(store::Error::CommandDiffers { ordinal, recorded: kind });
            }
            return Ok(Some(serde_json::from_str(&outcome)?));
        }
        match started_by(tx, &self.conversation, self.key)? {
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
    Ok(tx
        .prepare(
            "SELECT number, digest FROM job INDEXED BY job_of_conversation
             WHERE channel_id = ?1 AND conversation_id = ?2 AND turn = ?3 AND ordinal = ?4 AND created_at >= ?5
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row(
            params![conversation.channel_id(), conversation.conversation_id(), turn, ordinal, since],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?)
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

/// Completes a job and accepts the notification that says so: both or neither.
pub(super) struct Complete {
    pub(super) desk: Arc<Desk>,
    pub(super) number: u64,
    pub(super) within: Option<ConversationKey>,
    /// What to send, as JSON.
    pub(super) message: String,
}

impl Command for Complete {
    type Outcome = Completion;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Completion, store::Error> {
        let Ok(number) = i64::try_from(self.number) else { return Ok(Completion::NotFound) };
        let found = tx
            .prepare("SELECT state, channel_id, conversation_id FROM job WHERE number = ?1")?
            .query_row([number], |row| Ok((row.get::<_, JobState>(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((state, channel_id, conversation_id)) = found else { return Ok(Completion::NotFound) };
        let conversation = super::conversation::key(channel_id, conversation_id)?;
        if self.within.is_some_and(|within| within != conversation) {
            return Ok(Completion::NotFound);
        }
        if state.is_finished() {
            return Ok(Completion::AlreadyCompleted);
        }
        let cause = Cause::Job { job: self.number };
        let id = accept(tx, Enqueue::of(&self.desk, conversation, self.message, cause))?.id;
        tx.prepare("UPDATE job SET state = ?2, completed_at = ?3, notification_id = ?4 WHERE number = ?1")?
            .execute(params![number, JobState::Succeeded, tx.now(), id])?;
        tx.changed(Change::Job { number: self.number });
        Ok(Completion::Completed { notification: id })
    }
}

fn number(rowid: i64) -> Result<u64, store::Error> {
    u64::try_from(rowid).map_err(|_| store::Error::Corrupt("a job number below zero".to_owned()))
}
