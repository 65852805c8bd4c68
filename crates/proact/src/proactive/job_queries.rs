//! Reading the job log: one job, or a page, newest first. A page costs what is on it, not what is in the log.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};

use super::{
    Page, Reach,
    conversation::ConversationView,
    job::{Job, JobProgress},
};
use crate::{
    activity::ConversationKey,
    store::{Error, Query},
};

const COLUMNS: &str = "number, kind, state, channel_id, conversation_id, created_at, completed_at, notification_id, title, reason,
    deadline_at, heard_at, silent_at, percent, line, updated_at, iif(quiet, 'off', way)";
const FROM: &str = "job LEFT JOIN job_progress ON job_progress.job = job.number";

/// Which jobs, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only those of this conversation.
    pub conversation: Option<ConversationKey>,
    /// Only those within this reach. A page then costs what is within it, if it names conversations.
    pub reach: Reach,
    /// Only finished (`true`) or unfinished (`false`) ones.
    pub finished: Option<bool>,
    /// Only numbers below this one: where the page before ended.
    pub before: Option<u64>,
    /// Rows to skip after that: for people who ask for page 7 by its number.
    pub skip: u64,
    /// Rows on the page; 0 counts as 1.
    pub limit: u32,
    /// Whether to count the rows that match, up to [`JobFilter::COUNTED`].
    pub count: bool,
}

impl JobFilter {
    /// Counting stops here: what a page costs must not grow with the log.
    pub const COUNTED: u64 = 10_000;
}

impl Query for JobFilter {
    type Answer = Page<Job>;

    fn run(self, connection: &Connection) -> Result<Page<Job>, Error> {
        let mut conditions = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        if let Some(key) = self.conversation {
            values.extend([key.channel_id().to_owned().into(), key.conversation_id().to_owned().into()]);
            conditions.push("channel_id = ? AND conversation_id = ?".to_owned());
        }
        for (condition, within) in self.reach.of_jobs() {
            values.extend(within);
            conditions.push(condition);
        }
        if let Some(finished) = self.finished {
            let not = if finished { "NOT" } else { "" };
            conditions.push(format!("state {not} IN ('queued', 'running')"));
        }
        let counted = self
            .count
            .then(|| {
                let sql = format!(
                    "SELECT count(*) FROM (SELECT 1 FROM job WHERE {} LIMIT {})",
                    conditions.join(" AND "),
                    Self::COUNTED
                );
                connection
                    .prepare_cached(&sql)?
                    .query_row(params_from_iter(&values), |row| row.get::<_, i64>(0))
            })
            .transpose()?;
        if let Some(before) = self.before {
            values.push(i64::try_from(before).unwrap_or(i64::MAX).into());
            conditions.push("number < ?".to_owned());
        }
        let limit = i64::from(self.limit.max(1));
        values.extend([(limit + 1).into(), i64::try_from(self.skip).unwrap_or(i64::MAX).into()]);
        let sql = format!(
            "SELECT {COLUMNS} FROM {FROM} WHERE {} ORDER BY number DESC LIMIT ? OFFSET ?",
            conditions.join(" AND ")
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut items =
            statement.query_map(params_from_iter(values), read)?.collect::<Result<Vec<_>, _>>()?;
        let more = items.len() as i64 > limit;
        items.truncate(limit as usize);
        let next = if more { items.last().map(|job| job.number) } else { None };
        Ok(Page { items, next, total: counted.map(i64::unsigned_abs) })
    }
}

/// One job.
#[derive(Debug)]
pub(super) struct ByNumber(pub(super) u64);

impl Query for ByNumber {
    type Answer = Option<Job>;

    fn run(self, connection: &Connection) -> Result<Option<Job>, Error> {
        let Ok(number) = i64::try_from(self.0) else { return Ok(None) };
        Ok(connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM {FROM} WHERE number = ?1"))?
            .query_row([number], read)
            .optional()?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    let at = |index| row.get::<_, Option<i64>>(index).map(|at| at.map(time));
    let progress = match at(15)? {
        Some(updated_at) => {
            Some(JobProgress { percent: row.get(13)?, text: row.get(14)?, updated_at, way: row.get(16)? })
        }
        None => None,
    };
    Ok(Job {
        number: row.get::<_, i64>(0)?.unsigned_abs(),
        kind: row.get(1)?,
        state: row.get(2)?,
        conversation: ConversationView { channel_id: row.get(3)?, id: row.get(4)? },
        created_at: time(row.get(5)?),
        completed_at: row.get::<_, Option<i64>>(6)?.map(time),
        notification_id: row.get(7)?,
        title: row.get(8)?,
        reason: row.get(9)?,
        deadline: at(10)?,
        heard_at: at(11)?,
        silent_at: at(12)?,
        progress,
    })
}

/// A stored time. What is out of range was not written by us; it is shown as 1970 instead of hiding the row.
pub(super) fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}
