//! The hold: what a restore leaves waiting goes nowhere before an operator says so.
//!
//! Data that comes back from a backup is older than the world. What waits in it may have been sent since, what is owed may have been
//! done, and numbers that it would give next may have been given. So [`Hold`], in the commit that puts a backup in place:
//!
//! 1. settles every attempt that stands as begun, as *unknown*: no channel's memory of an id can be relied on, because the
//!    built-in one came back from the same backup;
//! 2. gives the data a new *generation*, a name that no other restore has: what was handed out before (watermarks) is void;
//! 3. takes what waits out of the age limit (its own expiry still ends it);
//! 4. marks for each kind of row how far the data of before goes (fact rows `held/<kind>`). What lies within a mark is not sent
//!    and not run. What is accepted later lies beyond it and goes at once;
//! 5. lets every counter jump, so that a number given after the backup is not given again.
//!
//! The marks stand, across restarts, until [`Lift`] removes them all in one commit and says so by [`Change::Released`]. Each room
//! asks for its own mark; a room with rows of its own sets one beside [`Hold`], in the same commit.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{
    attempt::{Ended, Next, Settle},
    job_queries::time,
    notification::{AttemptOutcome, Policy},
    state::NotificationState,
};
use crate::store::{self, Change, Command, Query, Tx};

/// By how much the counters of jobs and notifications jump at a restore, unless another gap is asked for.
pub const GAP: u64 = 1_000_000;

/// Which life of the data this is: a word that changes with every restore. Not there before the first one.
pub(crate) const GENERATION: &str = "generation";
/// When waiting ends for what is held and does not expire.
pub(super) const NEVER: i64 = i64::MAX;
const SINCE: &str = "held/since";
const NOTIFICATIONS: &str = "held/notification";
const TURNS: &str = "held/turn";
const JOBS: &str = "held/job";

/// What is held since a restore. Rows beyond the marks are not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// When the backup was put in place.
    pub since: Timestamp,
    /// Notifications up to this `seq` are not sent.
    pub(crate) notifications: i64,
    /// Turns owed since this time (milliseconds since 1970) or before are not run.
    pub(crate) turns: i64,
    /// Jobs up to this number are of before: what a clock would say about them (a deadline, a silent worker) may be out of date.
    pub(crate) jobs: i64,
}

impl Held {
    /// Whether the notification that was accepted as `seq` is held.
    #[must_use]
    pub const fn holds_notification(&self, seq: i64) -> bool {
        seq <= self.notifications
    }

    /// Whether the job of this number was there before the restore, so that what a clock would say about it may be out of date.
    #[must_use]
    pub const fn holds_job(&self, number: u64) -> bool {
        number <= self.jobs.unsigned_abs()
    }
}

/// Reads the hold; `None` while nothing is held.
#[derive(Debug)]
pub(crate) struct ReadHold;

impl Query for ReadHold {
    type Answer = Option<Held>;

    fn run(self, connection: &Connection) -> Result<Option<Held>, store::Error> {
        let Some(since) = mark(connection, SINCE)? else { return Ok(None) };
        let of = |name| mark(connection, name).map(Option::unwrap_or_default);
        let (notifications, turns, jobs) = (of(NOTIFICATIONS)?, of(TURNS)?, of(JOBS)?);
        Ok(Some(Held { since: time(since), notifications, turns, jobs }))
    }
}

/// Starts a new generation that is held. For data that nobody uses yet: a backup on its way to its place.
#[derive(Debug)]
pub struct Hold {
    /// By how much the counters jump.
    pub gap: u64,
    /// The counters of the data that is being replaced, as far as they could be read: the jump begins there if they are ahead.
    pub last: Counters,
}

/// The last numbers that were given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// The last job's number.
    pub jobs: u64,
    /// The last notification's `seq`.
    pub notifications: u64,
}

impl Counters {
    /// Reads them from a database with the tables of `main`.
    ///
    /// # Errors
    /// What the database says.
    pub fn read(connection: &Connection) -> Result<Self, store::Error> {
        let of = |table| last(connection, table).map(i64::unsigned_abs);
        Ok(Self { jobs: of("job")?, notifications: of("notification")? })
    }
}

impl Command for Hold {
    /// The counters after the jump: the next job has the number after it.
    type Outcome = Counters;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Counters, store::Error> {
        settle_begun(tx)?;
        // The age limit is for what could go. What cannot grows no older, and gets its time anew at the release.
        tx.prepare("UPDATE notification SET ends_at = coalesce(expires_at, ?1) WHERE state = 'waiting'")?
            .execute([NEVER])?;
        let generation = format!("{:08x}", rand::random::<u32>());
        set(tx, GENERATION, &generation)?;
        let owed: Option<i64> = tx
            .prepare("SELECT max(at) FROM turn WHERE activity IS NOT NULL")?
            .query_row([], |row| row.get(0))?;
        let before = Counters::read(tx.connection())?;
        let marks = [
            (SINCE, tx.now()),
            (NOTIFICATIONS, signed(before.notifications)),
            (TURNS, owed.unwrap_or_default()),
            (JOBS, signed(before.jobs)),
        ];
        for (name, value) in marks {
            set_mark(tx, name, value)?;
        }
        let jump = |before: u64, last: u64| before.max(last).saturating_add(self.gap);
        let after = Counters {
            jobs: jump(before.jobs, self.last.jobs),
            notifications: jump(before.notifications, self.last.notifications),
        };
        set_last(tx, "job", after.jobs)?;
        set_last(tx, "notification", after.notifications)?;
        tx.prepare("UPDATE bot_state_etag SET last = last + ?1 WHERE only = 1")?
            .execute([signed(self.gap)])?;
        Ok(after)
    }
}

/// What is said of an attempt that stood as begun in a backup.
const BEGUN: &str = "it was under way when the backup was made: it may have arrived";

/// Settles what a start would settle, but with the time at which it was due: how old it is must not look younger by the restore.
fn settle_begun(tx: &mut Tx<'_>) -> Result<(), store::Error> {
    let begun = tx
        .prepare("SELECT seq, id, policy, begun, due_at FROM notification WHERE state = 'sending'")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
        .collect::<Result<Vec<(i64, Uuid, Policy, u32, i64)>, _>>()?;
    for (seq, id, policy, number, due_at) in begun {
        let next = match policy {
            Policy::AtLeastOnce => Next::Waiting { due_at, reason: BEGUN.to_owned() },
            Policy::AtMostOnce => Next::Settled(NotificationState::Unknown, Some(BEGUN.to_owned())),
        };
        let (outcome, error) = (AttemptOutcome::Unknown, Some(BEGUN.to_owned()));
        let ended = Ended { outcome, status: None, error, counts: true, next };
        Settle { seq, id, number, ended }.apply(tx)?;
    }
    Ok(())
}

/// Ends the hold: everything that still waits may go.
#[derive(Debug)]
pub(super) struct Lift;

impl Command for Lift {
    /// Whether there was one.
    type Outcome = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, store::Error> {
        let lifted = tx.prepare("DELETE FROM fact WHERE name GLOB 'held/*'")?.execute([])? > 0;
        if lifted {
            tx.changed(Change::Released);
        }
        Ok(lifted)
    }
}

/// How far a kind of row is held: the mark `held/<kind>`; `None` while it is not.
pub(crate) fn mark(connection: &Connection, name: &str) -> Result<Option<i64>, store::Error> {
    fact(connection, name)?
        .map(|value| {
            value.parse().map_err(|_| store::Error::Corrupt(format!("the fact {name} is not a number")))
        })
        .transpose()
}

/// The mark of notifications within a transaction or a query; what it answers is below every row when nothing is held.
pub(super) fn notifications(connection: &Connection) -> Result<i64, store::Error> {
    Ok(mark(connection, NOTIFICATIONS)?.unwrap_or_default())
}

/// The mark of jobs; what it answers is below every number when nothing is held.
pub(super) fn jobs(connection: &Connection) -> Result<i64, store::Error> {
    Ok(mark(connection, JOBS)?.unwrap_or_default())
}

/// The mark of owed turns.
pub(super) fn turns(connection: &Connection) -> Result<Option<i64>, store::Error> {
    mark(connection, TURNS)
}

/// A single fact about the data.
pub(crate) fn fact(connection: &Connection, name: &str) -> Result<Option<String>, store::Error> {
    Ok(connection
        .prepare_cached("SELECT value FROM fact WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// Sets a mark of a room beside [`Hold`], in its commit; it goes with the others.
pub(crate) fn set_mark(tx: &Tx<'_>, name: &str, value: i64) -> Result<(), store::Error> {
    set(tx, name, &value.to_string())
}

fn set(tx: &Tx<'_>, name: &str, value: &str) -> Result<(), store::Error> {
    tx.prepare("INSERT INTO fact VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")?
        .execute([name, value])?;
    Ok(())
}

/// The last number that an AUTOINCREMENT table has given.
fn last(connection: &Connection, table: &str) -> Result<i64, store::Error> {
    Ok(connection
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = ?1")?
        .query_row([table], |row| row.get(0))
        .optional()?
        .unwrap_or_default())
}

fn set_last(tx: &Tx<'_>, table: &str, last: u64) -> Result<(), store::Error> {
    let value = params![table, signed(last)];
    // The table of SQLite's own has no key to conflict on.
    if tx.prepare("UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1")?.execute(value)? == 0 {
        tx.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)")?.execute(value)?;
    }
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
