//! The commands of the job log: start and complete.

use rusqlite::{OptionalExtension, params};

use super::{
    enqueue::{Enqueue, insert},
    job::{Completion, JobState, Started},
    notification::Cause,
};
use crate::{
    activity::ConversationKey,
    store::{self, Change, Command, Tx},
};

/// Writes a job under the next number.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) conversation: ConversationKey,
    pub(super) kind: String,
}

impl Command for Start {
    type Outcome = Started;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Started, store::Error> {
        let Self { conversation: key, kind } = self;
        tx.prepare(
            "INSERT INTO job (partition, channel_id, conversation_id, kind, state, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            key.partition(),
            key.channel_id(),
            key.conversation_id(),
            kind,
            JobState::Running,
            tx.now()
        ])?;
        let number = number(tx.connection().last_insert_rowid())?;
        tx.changed(Change::Job { number });
        Ok(Started { number })
    }
}

/// Completes a job and accepts the notification that says so: both or neither.
#[derive(Debug)]
pub(super) struct Complete {
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
        let id = insert(tx, Enqueue::of(conversation, self.message, cause))?;
        tx.prepare("UPDATE job SET state = ?2, completed_at = ?3, notification_id = ?4 WHERE number = ?1")?
            .execute(params![number, JobState::Succeeded, tx.now(), id])?;
        tx.changed(Change::Job { number: self.number });
        Ok(Completion::Completed { notification: id })
    }
}

fn number(rowid: i64) -> Result<u64, store::Error> {
    u64::try_from(rowid).map_err(|_| store::Error::Corrupt("a job number below zero".to_owned()))
}
