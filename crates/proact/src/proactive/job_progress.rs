//! Progress: how far a job is, shown to its conversation in one message that is edited in place.
//!
//! What is reported stands in the job's row at once. What its conversation sees goes the way of every notification, one at a time per job:
//!
//! * The first report sends a message. Later ones edit it, by a notification whose delivery is an update ([`Cause::Progress`] with
//!   `edits`). While one is open, newer values only replace what is wanted: what goes is read when its turn in the lane comes.
//! * What was wanted meanwhile and is not shown is accepted in the commit of the outcome, so the last value arrives, also across a crash.
//! * The next one goes a second after the outcome of the one before; the last one at once, and before the message that tells of the end.
//! * An edit comes to the same however often it is made, so an unknown outcome is tried again. It holds up nobody while it waits for that.
//! * A channel that gives no id for the message or refuses edits gets a message at each quarter instead; that is remembered per job.
//!
//! Of the notifications that edit a message only the last one is kept.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use uuid::Uuid;

use super::{
    attempt::end_waiting,
    desk::Desk,
    enqueue::{Enqueue, accept},
    job_state::JobState,
    lanes::Waiting,
    notification::{Cause, Moment, Priority, words},
    state::NotificationState,
};
use crate::{
    activity::{Activity, ConversationKey, TextFormat},
    store::{self, Tx},
};

/// Between the outcome of one and the next one of the same job, in milliseconds.
const INTERVAL: i64 = 1000;
/// Percent between two milestones.
const MILESTONE: u8 = 25;
/// What is said of a message that nobody needs any more.
const OVER: &str = "the job came to its end before this was sent";

words! {
    /// How a job's progress is shown to its conversation.
    ProgressWay {
        /// In one message that is edited.
        Edits = "edits",
        /// In a message at each quarter: the channel takes no edits.
        Milestones = "milestones",
        /// Not at all: the channel refused the message, or somebody cancelled it.
        Off = "off",
    }
}

/// A job with its progress, and what its conversation sees of it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    number: i64,
    conversation: ConversationKey,
    title: Option<String>,
    pub(super) state: JobState,
    reason: Option<String>,
    quiet: bool,
    completed_at: Option<i64>,
    percent: Option<u8>,
    line: Option<String>,
    pub(super) way: ProgressWay,
    pub(super) message_id: Option<String>,
    pub(super) shown: Option<String>,
    pub(super) told: u8,
    live: Option<Uuid>,
    next_at: i64,
}

/// What is to be done when nothing is open.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Message,
    Edit(String),
}

impl Shown {
    pub(super) fn load(connection: &Connection, job: i64) -> Result<Option<Self>, store::Error> {
        let row = connection
            .prepare_cached(
                "SELECT j.number, j.channel_id, j.conversation_id, j.title, j.state, j.reason, j.quiet, j.completed_at,
                    p.percent, p.line, p.way, p.message_id, p.shown, p.told, p.live, p.next_at
                 FROM job_progress p JOIN job j ON j.number = p.job WHERE p.job = ?1",
            )?
            .query_row([job], Self::read)
            .optional()?;
        row.transpose()
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Result<Self, store::Error>> {
        let conversation = match super::conversation::key(row.get(1)?, row.get(2)?) {
            Ok(key) => key,
            Err(error) => return Ok(Err(error)),
        };
        Ok(Ok(Self {
            number: row.get(0)?,
            conversation,
            title: row.get(3)?,
            state: row.get(4)?,
            reason: row.get(5)?,
            quiet: row.get(6)?,
            completed_at: row.get(7)?,
            percent: row.get(8)?,
            line: row.get(9)?,
            way: row.get(10)?,
            message_id: row.get(11)?,
            shown: row.get(12)?,
            told: row.get(13)?,
            live: row.get(14)?,
            next_at: row.get(15)?,
        }))
    }

    /// What the message is to say now.
    pub(super) fn text(&self) -> String {
        let name = self.title.clone().unwrap_or_else(|| format!("Job {}", self.number));
        let percent = match self.state {
            JobState::Succeeded => Some("100 %".to_owned()),
            JobState::Failed => Some("failed".to_owned()),
            JobState::Cancelled => Some("cancelled".to_owned()),
            JobState::TimedOut => Some("timed out".to_owned()),
            JobState::Queued | JobState::Running => self.percent.map(|percent| format!("{percent} %")),
        };
        let line = match self.state {
            JobState::Queued | JobState::Running => self.line.clone(),
            _ => self.reason.clone(),
        };
        let parts: Vec<String> = [percent, line].into_iter().flatten().collect();
        format!("{name}: {}", parts.join(" – "))
    }

    /// The message as JSON.
    pub(super) fn activity(&self) -> Result<String, store::Error> {
        let message = Activity::message(self.text()).with_text_format(TextFormat::Plain);
        Ok(serde_json::to_string(&message)?)
    }

    pub(super) fn milestone(&self) -> u8 {
        (self.percent.unwrap_or(0) / MILESTONE).min(100 / MILESTONE - 1)
    }

    fn step(&self) -> Step {
        let finished = self.state.is_finished();
        match (self.way, &self.message_id) {
            _ if self.quiet => Step::Nothing,
            (ProgressWay::Off, _) => Step::Nothing,
            (ProgressWay::Milestones, _) if !finished && self.milestone() > self.told => Step::Message,
            (ProgressWay::Milestones, _) => Step::Nothing,
            (ProgressWay::Edits, None) if finished => Step::Nothing,
            (ProgressWay::Edits, None) => Step::Message,
            (ProgressWay::Edits, Some(id)) if self.shown.as_ref() != Some(&self.text()) => {
                Step::Edit(id.clone())
            }
            (ProgressWay::Edits, Some(_)) => Step::Nothing,
        }
    }

    /// The next one does not go before.
    pub(super) fn spaced(&mut self, now: i64) {
        self.next_at = now.saturating_add(INTERVAL);
    }

    pub(super) fn save(&self, tx: &Tx<'_>) -> Result<(), store::Error> {
        tx.prepare(
            "UPDATE job_progress SET way = ?2, message_id = ?3, shown = ?4, told = ?5, live = ?6, next_at = ?7 WHERE job = ?1",
        )?
        .execute(params![
            self.number,
            self.way,
            self.message_id,
            self.shown,
            self.told,
            self.live,
            self.next_at
        ])?;
        Ok(())
    }

    /// Does what is to be done so that the conversation sees what is wanted; `settled`: in the commit of the outcome of the one before.
    pub(super) fn go_on(
        mut self,
        tx: &mut Tx<'_>,
        desk: &Arc<Desk>,
        settled: bool,
    ) -> Result<(), store::Error> {
        let finished = self.state.is_finished();
        let before = self.live.map(|id| Live::find(tx, id)).transpose()?.flatten();
        match &before {
            Some(live) if live.state == NotificationState::Cancelled => {
                self.way = ProgressWay::Off;
                return self.save(tx);
            }
            // It takes what is wanted along when its turn comes, or what follows it does.
            Some(live) if !live.state.is_settled() && !finished => return Ok(()),
            Some(live) if live.state == NotificationState::Sending || live.is_tried() => return Ok(()),
            Some(live) if live.state == NotificationState::Waiting && live.edits => {
                return live.hurry(tx, desk, &self.conversation);
            }
            Some(live) if live.state == NotificationState::Waiting => {
                end_waiting(tx, live.seq, live.id, NotificationState::Suppressed, OVER)?;
            }
            _ => {}
        }
        let edits = match self.step() {
            Step::Nothing => return self.save(tx),
            Step::Message => None,
            Step::Edit(id) => Some(id),
        };
        if let Some(live) = before {
            live.make_way(tx)?;
        }
        if edits.is_none() {
            self.told = self.milestone();
        }
        let cause = Cause::Progress { job: self.number.unsigned_abs(), edits };
        let mut new = Enqueue::of(desk, self.conversation.clone(), self.activity()?, cause);
        if matches!(&new.cause, Cause::Progress { edits: Some(_), .. }) {
            new.moment = Moment::Interject;
        }
        // No longer than that from now, also if the clock has gone back since.
        let next_at = self.next_at.min(tx.now().saturating_add(INTERVAL));
        new.not_before = Some(next_at).filter(|at| !finished && *at > tx.now());
        // What tells of the end was accepted with the end, and waits behind the one that is settled now.
        new.place = self.completed_at.filter(|_| settled).map(|at| at.saturating_sub(1));
        self.live = Some(accept(tx, new)?.id);
        self.spaced(tx.now());
        self.save(tx)
    }
}

/// A job comes to its end in this commit: its message says so before anything else tells of it.
pub(super) fn job_ends(
    tx: &mut Tx<'_>,
    desk: &Arc<Desk>,
    job: i64,
    to: JobState,
    reason: Option<&str>,
) -> Result<(), store::Error> {
    let Some(mut shown) = Shown::load(tx.connection(), job)? else { return Ok(()) };
    shown.state = to;
    shown.reason = reason.map(str::to_owned);
    shown.go_on(tx, desk, false)
}

/// The notification that last was for a job's message.
struct Live {
    seq: i64,
    id: Uuid,
    state: NotificationState,
    begun: u32,
    edits: bool,
    target: i64,
}

impl Live {
    fn find(tx: &Tx<'_>, id: Uuid) -> Result<Option<Self>, store::Error> {
        Ok(tx
            .prepare(
                "SELECT seq, state, begun, cause ->> '$.edits' IS NOT NULL, target FROM notification WHERE id = ?1",
            )?
            .query_row([id], |row| {
                Ok(Self {
                    seq: row.get(0)?,
                    id,
                    state: row.get(1)?,
                    begun: row.get(2)?,
                    edits: row.get(3)?,
                    target: row.get(4)?,
                })
            })
            .optional()?)
    }

    /// It waits for another try: when that is, is not ours to say.
    fn is_tried(&self) -> bool {
        self.state == NotificationState::Waiting && self.begun > 0
    }

    /// It waits for its second to be over: it need not.
    fn hurry(&self, tx: &mut Tx<'_>, desk: &Arc<Desk>, key: &ConversationKey) -> Result<(), store::Error> {
        let ready_at = desk.place_in_lane(tx.now());
        tx.prepare(
            "UPDATE notification SET not_before = NULL, due_at = 0, ready_at = ?2 WHERE seq = ?1 AND due_at > ?3",
        )?
        .execute(params![self.seq, ready_at, tx.now()])?;
        let (key, priority) = (key.clone(), Priority::Normal);
        let waiting = Waiting { key, target: self.target, priority, due_at: 0, interject: true };
        let desk = Arc::clone(desk);
        tx.afterwards(move || desk.announced(&waiting));
        Ok(())
    }

    /// Another one takes its place. A message that people were sent stays on record.
    fn make_way(&self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        if self.edits || self.state != NotificationState::Delivered {
            let gone: Option<NotificationState> = tx
                .prepare(
                    "DELETE FROM notification WHERE seq = ?1 AND settled_at IS NOT NULL RETURNING state",
                )?
                .query_row([self.seq], |row| row.get(0))
                .optional()?;
            if let Some(state) = gone {
                tx.tally(state.tally(), -1);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "job_progress_tests.rs"]
mod tests;
