//! The store, read from its file without Proact.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;

use crate::binary::database;
use crate::history::{Job, Notification, Store};

/// Reads the file of a data folder, read-only, whether a process has it open or not.
pub(crate) fn store(data: &Path) -> Store {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = Connection::open_with_flags(database(data), flags).expect("the file opens");
    let whole: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(whole, "ok");
    Store { jobs: jobs(&file), notifications: notifications(&file) }
}

fn all<T>(file: &Connection, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = file.prepare(sql).expect(sql);
    let rows = statement.query_map([], |row| read(row)).expect(sql);
    rows.collect::<Result<_, _>>().expect(sql)
}

fn jobs(file: &Connection) -> Vec<Job> {
    let sql = "SELECT number, conversation_id, state, notification_id FROM job ORDER BY number";
    all(file, sql, |row| {
        let state: String = row.get(2)?;
        let notification: Option<uuid::Uuid> = row.get::<_, Option<[u8; 16]>>(3)?.map(uuid::Uuid::from_bytes);
        Ok(Job {
            number: row.get::<_, u32>(0)?.into(),
            conversation: row.get(1)?,
            completed: state == "succeeded",
            notification: notification.map(|id| id.to_string()),
        })
    })
}

fn notifications(file: &Connection) -> Vec<Notification> {
    let sql = "SELECT n.id, n.conversation_id, n.state, n.cause, n.activity,
                      (SELECT json_group_array(outcome) FROM
                          (SELECT outcome FROM attempt WHERE seq = n.seq ORDER BY number))
               FROM notification n ORDER BY n.seq";
    all(file, sql, |row| {
        let json = |column| -> rusqlite::Result<Value> {
            Ok(serde_json::from_str(&row.get::<_, String>(column)?).unwrap_or_default())
        };
        let attempts = json(5)?;
        let outcome = |outcome: &Value| outcome.as_str().map(str::to_owned);
        Ok(Notification {
            id: uuid::Uuid::from_bytes(row.get(0)?).to_string(),
            conversation: row.get(1)?,
            state: row.get(2)?,
            job: json(3)?["job"].as_u64(),
            text: json(4)?["text"].as_str().unwrap_or_default().to_owned(),
            attempts: attempts.as_array().map(|all| all.iter().map(outcome).collect()).unwrap_or_default(),
        })
    })
}
