//! The store, read from its file without Proact.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;

use crate::history::{Attempt, Job, Notification, Store};
use crate::program::database;

/// Reads the file of a data folder, read-only, whether a process has it open or not.
///
/// # Panics
/// If it cannot be read, or `SQLite` finds it damaged.
#[must_use]
pub fn store(data: &Path) -> Store {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = Connection::open_with_flags(database(data), flags).expect("the file opens");
    let whole: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(whole, "ok");
    let (progress, notifications): (Vec<_>, Vec<_>) =
        notifications(&file).into_iter().partition(|(kind, _)| kind == "progress");
    let alone = |all: Vec<(String, Notification)>| all.into_iter().map(|(_, one)| one).collect();
    Store { jobs: jobs(&file), notifications: alone(notifications), progress: alone(progress) }
}

fn all<T>(file: &Connection, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = file.prepare(sql).expect(sql);
    let rows = statement.query_map([], |row| read(row)).expect(sql);
    rows.collect::<Result<_, _>>().expect(sql)
}

fn jobs(file: &Connection) -> Vec<Job> {
    let sql = "SELECT number, conversation_id, state, notification_id, title, silent_at IS NOT NULL,
             (SELECT way FROM job_progress p WHERE p.job = number)
         FROM job ORDER BY number";
    all(file, sql, |row| {
        let state: String = row.get(2)?;
        Ok(Job {
            number: row.get::<_, u32>(0)?.into(),
            conversation: row.get(1)?,
            completed: state == "succeeded",
            notification: id(row, 3)?,
            state,
            title: row.get(4)?,
            silent: row.get(5)?,
            way: row.get(6)?,
        })
    })
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(|id| uuid::Uuid::from_bytes(id).to_string()))
}

/// Each with the kind of what made it.
fn notifications(file: &Connection) -> Vec<(String, Notification)> {
    let sql = "SELECT n.id, n.conversation_id, n.state, n.reason, n.cause, coalesce(n.activity, '{}'), n.policy, n.priority, n.moment,
             (SELECT json_group_array(json_array(outcome, begun_at, ended_at)) FROM
                 (SELECT outcome, begun_at, ended_at FROM attempt_history WHERE seq = n.seq ORDER BY number)),
             n.replay_of, n.ready_at
         FROM notification n ORDER BY n.seq";
    all(file, sql, |row| {
        let json = |column| -> rusqlite::Result<Value> {
            Ok(serde_json::from_str(&row.get::<_, String>(column)?).unwrap_or_default())
        };
        let (attempts, cause) = (json(9)?, json(4)?);
        let kind = cause["type"].as_str().unwrap_or_default().to_owned();
        let one = Notification {
            id: id(row, 0)?.unwrap_or_default(),
            conversation: row.get(1)?,
            state: row.get(2)?,
            reason: row.get(3)?,
            job: cause["job"].as_u64(),
            text: json(5)?["text"].as_str().unwrap_or_default().to_owned(),
            policy: row.get(6)?,
            priority: row.get(7)?,
            moment: row.get(8)?,
            attempts: attempts.as_array().map(|all| all.iter().map(attempt).collect()).unwrap_or_default(),
            replay_of: id(row, 10)?,
            ready_ms: row.get(11)?,
        };
        Ok((kind, one))
    })
}

fn attempt(value: &Value) -> Attempt {
    Attempt {
        outcome: value[0].as_str().map(str::to_owned),
        begun_ms: value[1].as_i64().unwrap_or_default(),
        ended_ms: value[2].as_i64(),
    }
}
