//! Reading the job log: one job, or a page, newest first. A page costs what is on it, not what is in the log.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, types::Value};

use super::{
    Page, Reach,
    blocks::{blocks, each_row},
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
/// The first and the last number.
pub(super) const BOUNDS: &str = "SELECT (SELECT min(number) FROM job), (SELECT max(number) FROM job)";

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
        let (mut from, mut of_conversation) = (FROM.to_owned(), None);
        if let Some(key) = self.conversation {
            from = FROM.replacen("job", "job INDEXED BY job_of_conversation", 1);
            of_conversation = Some(blocks(connection, BOUNDS, None)?);
            // The block comes with each question.
            values.extend([
                Value::Null,
                key.channel_id().to_owned().into(),
                key.conversation_id().to_owned().into(),
            ]);
            conditions.push("number >> 12 = ? AND channel_id = ? AND conversation_id = ?".to_owned());
        }
        for (condition, within) in self.reach.of_jobs() {
            values.extend(within);
            conditions.push(condition);
        }
        if let Some(finished) = self.finished {
            let not = if finished { "NOT" } else { "" };
            conditions.push(format!("state {not} IN ('queued', 'running')"));
        }
        let mut total = None;
        if self.count {
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {} LIMIT {})",
                conditions.join(" AND "),
                Self::COUNTED
            );
            let mut counted = 0;
            each_row(connection, &sql, of_conversation.clone(), values.clone(), |row| {
                counted += row.get::<_, i64>(0)?.unsigned_abs();
                Ok(counted < Self::COUNTED)
            })?;
            total = Some(counted.min(Self::COUNTED));
        }
        if let Some(before) = self.before {
            values.push(i64::try_from(before).unwrap_or(i64::MAX).into());
            conditions.push("number < ?".to_owned());
            of_conversation =
                of_conversation.map(|_| blocks(connection, BOUNDS, Some(before))).transpose()?;
        }
        let sql =
            format!("SELECT {COLUMNS} FROM {from} WHERE {} ORDER BY number DESC", conditions.join(" AND "));
        let (limit, mut skip, mut items) = (self.limit.max(1) as usize, self.skip, Vec::new());
        each_row(connection, &sql, of_conversation, values, |row| {
            if skip > 0 {
                skip -= 1;
                return Ok(true);
            }
            items.push(read(row)?);
            Ok(items.len() <= limit)
        })?;
        Ok(Page { total, ..Page::cut(items, limit, |job| job.number) })
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

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::*;
    use crate::{
        clock::SystemClock,
        store::{Command, Store, Tx},
    };

    /// Jobs under these numbers, of one conversation or another.
    struct Fill(Vec<(i64, &'static str)>);

    impl Command for Fill {
        type Outcome = ();

        fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
            for (number, conversation) in self.0 {
                tx.prepare(
                    "INSERT INTO job (number, partition, channel_id, conversation_id, kind, state, created_at)
                     VALUES (?1, 0, 'test', ?2, 'job', iif(?1 % 2, 'running', 'queued'), 1)",
                )?
                .execute(params![number, conversation])?;
            }
            tx.prepare("UPDATE job SET state = 'succeeded', completed_at = 2 WHERE number > 9000")?
                .execute([])?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_jobs_of_a_conversation_are_found_in_every_block_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&folder.path().join("proact.db"), &[], std::sync::Arc::new(SystemClock)).unwrap();
        let of = |conversation| Some(ConversationKey::new("test", conversation).unwrap());
        let all = |filter: JobFilter| {
            let store = store.clone();
            async move {
                let page = store.read(filter).await.unwrap();
                (page.items.iter().map(|job| job.number).collect::<Vec<_>>(), page.next, page.total)
            }
        };
        let some = JobFilter { conversation: of("a"), limit: 9, count: true, ..JobFilter::default() };
        assert_eq!(all(some.clone()).await, (vec![], None, Some(0)), "an empty log");

        // Blocks end at 4095, 8191 and 12287; one of them has nothing of it, and others stand between.
        let mine = [1, 2, 4095, 4096, 12287, 12288, 12300];
        let others = [3, 4094, 4097, 8191, 9000, 12289, 20000];
        let rows = mine.map(|n| (n, "a")).into_iter().chain(others.map(|n| (n, "b")));
        store.commit(Fill(rows.collect())).await.unwrap();
        assert_eq!(all(some.clone()).await, (vec![12300, 12288, 12287, 4096, 4095, 2, 1], None, Some(7)));
        let page = JobFilter { limit: 3, ..some.clone() };
        assert_eq!(all(page.clone()).await, (vec![12300, 12288, 12287], Some(12287), Some(7)));
        let next = JobFilter { before: Some(12287), ..page.clone() };
        assert_eq!(all(next).await, (vec![4096, 4095, 2], Some(2), Some(7)));
        let skipped = JobFilter { skip: 2, ..page.clone() };
        assert_eq!(all(skipped).await, (vec![12287, 4096, 4095], Some(4095), Some(7)));
        assert_eq!(all(JobFilter { skip: 7, ..page.clone() }).await, (vec![], None, Some(7)));
        let open = JobFilter { finished: Some(false), ..page };
        assert_eq!(all(open).await, (vec![4096, 4095, 2], Some(2), Some(4)));
        assert_eq!(all(JobFilter { conversation: of("c"), ..some }).await, (vec![], None, Some(0)));
        let whole = JobFilter { limit: 2, before: Some(4096), count: true, ..JobFilter::default() };
        assert_eq!(all(whole).await, (vec![4095, 4094], Some(4094), Some(14)));
    }
}
