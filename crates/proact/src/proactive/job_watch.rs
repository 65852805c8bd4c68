//! The watch over jobs: what the clock says about them.
//!
//! A job whose deadline passes is timed out, and its conversation is told, in one commit. A job that runs and whose worker was not
//! heard of for longer than its heartbeat is told of once and goes on: only its deadline ends it, and a later report or completion works.
//! Both are found by an index on their time, also after a restart. Jobs of before a restore are left alone until its release.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::Notify;

use super::{
    breaker::millis,
    desk::Desk,
    enqueue::{Enqueue, accept},
    hold,
    job_commands::{Ending, end},
    job_queries::time,
    job_state::JobState,
    notification::Cause,
};
use crate::{
    activity::{Activity, TextFormat},
    store::{self, Change, Command, Query, Tx},
};

/// Jobs in one step.
const STEP: usize = 100;
/// After a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// When the clock next has something to say, as far as the watch was told.
#[derive(Debug)]
pub(super) struct Alarm {
    next: AtomicI64,
    sooner: Notify,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { next: AtomicI64::new(i64::MIN), sooner: Notify::new() }
    }
}

impl Alarm {
    /// Something is to be looked at then.
    pub(super) fn at(&self, at: i64) {
        if self.next.fetch_min(at, Ordering::SeqCst) > at {
            self.sooner.notify_one();
        }
    }

    /// Everything is to be looked at anew.
    pub(super) fn anew(&self) {
        self.at(i64::MIN);
    }
}

/// When the clock has something to say about a job: its times are in milliseconds since 1970, its heartbeat is milliseconds.
pub(super) fn watch_at(
    state: JobState,
    deadline_at: Option<i64>,
    heartbeat: Option<i64>,
    heard_at: i64,
    told: bool,
) -> Option<i64> {
    let silent_at =
        heartbeat.filter(|_| state == JobState::Running && !told).map(|every| heard_at.saturating_add(every));
    [deadline_at, silent_at].into_iter().flatten().min()
}

pub(super) async fn run(desk: Arc<Desk>) {
    loop {
        match desk.store.commit(Look { desk: Arc::clone(&desk), limit: STEP }).await {
            Ok(STEP..) => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot look after jobs now");
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = desk.stopping.cancelled() => return,
                }
            }
        }
        // What is started from here on and is sooner says so.
        desk.jobs.next.store(i64::MAX, Ordering::SeqCst);
        let next = match desk.store.read(NextLook).await {
            Ok(next) => next.unwrap_or(i64::MAX),
            Err(_) => desk.now().saturating_add(millis(AGAIN)),
        };
        let next = desk.jobs.next.fetch_min(next, Ordering::SeqCst).min(next);
        let clock = desk.store.clock();
        let sleep = async {
            match jiff::Timestamp::from_millisecond(next) {
                Ok(at) => clock.sleep_until(at).await,
                Err(_) if next == i64::MIN => {}
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = desk.stopping.cancelled() => return,
            () = desk.jobs.sooner.notified() => {}
            () = sleep => {}
        }
    }
}

/// Looks after a few of the jobs whose time has come. Answers how many.
pub(super) struct Look {
    pub(super) desk: Arc<Desk>,
    pub(super) limit: usize,
}

/// A job whose time has come.
struct Due {
    number: i64,
    conversation: (String, String),
    title: Option<String>,
    deadline_at: Option<i64>,
    heard_at: i64,
}

impl Due {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            conversation: (row.get(1)?, row.get(2)?),
            title: row.get(3)?,
            deadline_at: row.get(4)?,
            heard_at: row.get(5)?,
        })
    }
}

impl Command for Look {
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let held = hold::jobs(tx.connection())?;
        let due = tx
            .prepare(
                "SELECT number, channel_id, conversation_id, title, deadline_at, coalesce(heard_at, created_at)
                 FROM job INDEXED BY job_watch WHERE watch_at <= ?1 AND number > ?2 ORDER BY watch_at LIMIT ?3",
            )?
            .query_map(params![tx.now(), held, self.limit as i64], Due::read)?
            .collect::<Result<Vec<_>, _>>()?;
        let count = due.len();
        for Due { number, conversation: (channel_id, id), title, deadline_at, heard_at } in due {
            let conversation = super::conversation::key(channel_id, id)?;
            let name = title.unwrap_or_else(|| format!("Job {number}"));
            match deadline_at.filter(|at| *at <= tx.now()) {
                Some(deadline) => {
                    let text =
                        format!("{name} did not come to its end in time: it had until {}.", shown(deadline));
                    let ending = Ending::new(JobState::TimedOut, message(text)?);
                    let _ = end(tx, &self.desk, number, conversation, ending)?;
                }
                None => {
                    let text =
                        format!("No news of {} since {}.", in_sentence(&name, number), shown(heard_at));
                    let cause = Cause::Job { job: number.unsigned_abs() };
                    let _ = accept(tx, Enqueue::of(&self.desk, conversation, message(text)?, cause))?;
                    tx.prepare("UPDATE job SET silent_at = ?2, watch_at = deadline_at WHERE number = ?1")?
                        .execute(params![number, tx.now()])?;
                    tx.changed(Change::Job { number: number.unsigned_abs() });
                }
            }
        }
        Ok(count)
    }
}

fn in_sentence(name: &str, number: i64) -> String {
    if *name == format!("Job {number}") { format!("job {number}") } else { name.to_owned() }
}

/// A time as people read it, to the second.
fn shown(millis: i64) -> String {
    time(millis).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn message(text: String) -> Result<String, store::Error> {
    Ok(serde_json::to_string(&Activity::message(text).with_text_format(TextFormat::Plain))?)
}

struct NextLook;

impl Query for NextLook {
    type Answer = Option<i64>;

    fn run(self, connection: &Connection) -> Result<Option<i64>, store::Error> {
        let held = hold::jobs(connection)?;
        Ok(connection
            .prepare_cached(
                "SELECT watch_at FROM job INDEXED BY job_watch WHERE watch_at IS NOT NULL AND number > ?1
                 ORDER BY watch_at LIMIT 1",
            )?
            .query_row([held], |row| row.get(0))
            .optional()?)
    }
}
