//! Progress on its way: what a notification of a job's progress sends when its turn has come, and what its outcome means for the job.

use std::sync::Arc;

use rusqlite::Connection;

use super::{
    attempt::{Ended, Next},
    desk::Desk,
    head::Outgoing,
    job_progress::{ProgressWay, Shown},
    notification::{AttemptOutcome, Cause},
    state::NotificationState,
};
use crate::store::{self, Change, Command, Tx};

/// Which job's progress a notification shows, and which message it edits, if it does.
pub(super) fn of(outgoing: &Outgoing) -> Option<(i64, Option<&str>)> {
    match &outgoing.cause {
        Cause::Progress { job, edits } => Some((i64::try_from(*job).ok()?, edits.as_deref())),
        _ => None,
    }
}

/// What a job's message is to say now, if it is for one: the newest value goes, and is put on record with its begin.
pub(super) fn newest(connection: &Connection, outgoing: &Outgoing) -> Result<Option<String>, store::Error> {
    let Some((job, _)) = of(outgoing) else { return Ok(None) };
    Shown::load(connection, job)?.map(|shown| shown.activity()).transpose()
}

/// What the outcome of an attempt means for the job's message; committed with the outcome.
#[derive(Clone)]
pub(super) struct Told {
    desk: Arc<Desk>,
    job: i64,
    edits: bool,
    /// What the message says if the attempt arrived.
    text: String,
    /// The channel's id of the message that was sent.
    id: Option<String>,
    /// It may have been sent before with another text, and shown once.
    tried_before: bool,
    ended: Ended,
}

impl Told {
    /// `text` is what the message says.
    pub(super) fn of(
        desk: &Arc<Desk>,
        outgoing: &Outgoing,
        text: String,
        number: u32,
        ended: &Ended,
        id: Option<String>,
    ) -> Option<Self> {
        let (job, edits) = of(outgoing)?;
        Some(Self {
            desk: Arc::clone(desk),
            job,
            edits: edits.is_some(),
            text,
            id: id.filter(|id| !id.is_empty()),
            tried_before: number > 1,
            ended: ended.clone(),
        })
    }
}

impl Command for Told {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        let Next::Settled(state, _) = &self.ended.next else { return Ok(()) };
        let Some(mut shown) = Shown::load(tx.connection(), self.job)? else { return Ok(()) };
        let delivered = *state == NotificationState::Delivered;
        let refused = *state == NotificationState::Failed || self.ended.outcome == AttemptOutcome::Failed;
        let way = shown.way;
        match (self.edits, delivered) {
            (true, true) => shown.shown = Some(self.text),
            (false, true) => {
                // What a channel that takes ids shows is what it was sent first.
                shown.shown = (!self.tried_before).then(|| self.text.clone());
                if self.text == shown.text() {
                    shown.told = shown.milestone();
                }
                shown.message_id = self.id;
                if shown.message_id.is_none() {
                    shown.way = ProgressWay::Milestones;
                }
            }
            (true, false) if refused => shown.way = ProgressWay::Milestones,
            (false, false) if refused => shown.way = ProgressWay::Off,
            _ => {}
        }
        if shown.way != way {
            tx.changed(Change::Job { number: self.job.unsigned_abs() });
        }
        shown.spaced(tx.now());
        // What ended without arriving and without a refusal (its conversation is dead, middleware stopped it) waits for the next report.
        if delivered || refused { shown.go_on(tx, &self.desk, true) } else { shown.save(tx) }
    }
}
