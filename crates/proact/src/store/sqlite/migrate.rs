//! Migrations: numbered steps per set of tables, each with its version committed in the same transaction.
//!
//! A file whose version is newer than this program knows is refused before anything is written to it.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::store::Error;

/// A set of tables and the steps that make them.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Whose tables: `main`, `directline`.
    pub set: &'static str,
    /// Step 1 first; each is one SQL script. Steps that were released are never changed.
    pub steps: &'static [&'static str],
}

pub(super) const MAIN: Migration = Migration {
    set: "main",
    steps: &[
        include_str!("../migrations/sqlite/0001_main.sql"),
        include_str!("../migrations/sqlite/0002_engine.sql"),
        include_str!("../migrations/sqlite/0003_jobs.sql"),
        include_str!("../migrations/sqlite/0004_callers.sql"),
        include_str!("../migrations/sqlite/0005_keys.sql"),
        include_str!("../migrations/sqlite/0006_starts_and_clocks.sql"),
        include_str!("../migrations/sqlite/0007_events.sql"),
        include_str!("../migrations/sqlite/0008_newest_tokens.sql"),
        include_str!("../migrations/sqlite/0009_lean_rows.sql"),
        include_str!("../migrations/sqlite/0010_pauses_in_order.sql"),
        include_str!("../migrations/sqlite/0011_no_copies.sql"),
    ],
};

/// Refuses a file that a newer version of the program wrote.
pub(super) fn refuse_newer(connection: &Connection, extra: &[Migration]) -> Result<(), Error> {
    for migration in sets(extra) {
        let found = version(connection, migration.set)?;
        let known = migration.steps.len() as u32;
        if found > known {
            return Err(Error::Newer { set: migration.set, found, known });
        }
    }
    Ok(())
}

/// Whether [`run`] would change a file that has data.
pub(super) fn is_upgrade(connection: &Connection, extra: &[Migration]) -> Result<bool, Error> {
    let mut found = Vec::new();
    for migration in sets(extra) {
        found.push((version(connection, migration.set)?, migration.steps.len() as u32));
    }
    Ok(found.iter().any(|(found, _)| *found > 0) && found.iter().any(|(found, known)| found < known))
}

fn sets(extra: &[Migration]) -> impl Iterator<Item = &Migration> {
    std::iter::once(&MAIN).chain(extra)
}

pub(super) fn run(connection: &mut Connection, extra: &[Migration]) -> Result<(), Error> {
    refuse_newer(connection, extra)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_version (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT",
    )?;
    for migration in sets(extra) {
        let found = version(&tx, migration.set)?;
        for step in migration.steps.iter().skip(found as usize) {
            tx.execute_batch(step)?;
        }
        tx.execute(
            "INSERT INTO schema_version (name, version) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET version = excluded.version WHERE version <> excluded.version",
            params![migration.set, migration.steps.len() as u32],
        )?;
    }
    tx.commit()?;
    Ok(())
}

fn version(connection: &Connection, set: &str) -> Result<u32, Error> {
    let exists = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'", [], |_| {
            Ok(())
        })
        .optional()?;
    if exists.is_none() {
        return Ok(0);
    }
    Ok(connection
        .query_row("SELECT version FROM schema_version WHERE name = ?1", [set], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[]).unwrap();
        connection.execute("UPDATE schema_version SET version = 99", []).unwrap();
        let error = run(&mut connection, &[]).unwrap_err();
        assert!(matches!(error, Error::Newer { set: "main", found: 99, .. }), "{error}");
    }

    #[test]
    fn running_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[]).unwrap();
        let changes = connection.total_changes();
        run(&mut connection, &[]).unwrap();
        assert_eq!(connection.total_changes(), changes);
    }

    /// What `EXPLAIN` shows of a step that breaks a statement off and puts back what it has changed: `OE_Abort`.
    const ABORT: i64 = 2;

    /// A file as the steps up to `version` make it, with a job and a notification in it.
    fn of_version(version: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        for step in &MAIN.steps[..version] {
            connection.execute_batch(step).unwrap();
        }
        connection
            .execute_batch(&format!(
                "CREATE TABLE schema_version (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
                 INSERT INTO schema_version VALUES ('main', {version});
                 INSERT INTO job (partition, channel_id, conversation_id, kind, state, created_at)
                    VALUES (7, 'test', 'c1', 'job', 'queued', 1);"
            ))
            .unwrap();
        connection
    }

    /// A notification of these words.
    fn notify(connection: &Connection, state: &str, priority: &str) -> rusqlite::Result<usize> {
        connection.execute(
            "INSERT INTO notification (id, partition, channel_id, conversation_id, target, state, priority, policy, moment, cause,
                activity, created_at, ready_at, due_at, ends_at, begun, begun_at)
             VALUES (randomblob(16), 7, 'test', 'c1', 0, ?1, ?2, 'at_least_once', 'interject', '{}', '{}', 1, 1, 0, 9, 1, 1)",
            [state, priority],
        )
    }

    #[test]
    fn what_is_written_all_the_time_fills_no_table_and_copies_no_page_in_a_new_file_and_in_an_old_one() {
        for version in 0..MAIN.steps.len() {
            let mut connection = of_version(version.max(1));
            if version == 0 {
                connection = Connection::open_in_memory().unwrap();
            }
            run(&mut connection, &[]).unwrap();
            for sql in [
                "INSERT OR FAIL INTO job (partition, channel_id, conversation_id, kind, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                "UPDATE OR FAIL job SET state = ?2, completed_at = ?3, watch_at = NULL WHERE number = ?1",
                "INSERT OR FAIL INTO notification (id, state, priority, policy, moment) VALUES (?1, ?2, ?3, ?4, ?5)",
                "UPDATE OR FAIL notification SET state = ?2, settled_at = ?3, tries = tries + 1 WHERE seq = ?1 AND state = 'sending'",
                "INSERT INTO attempt SELECT seq, begun, begun_at, ?2, ?3, ?4, ?5 FROM notification WHERE seq = ?1",
            ] {
                let mut explained = connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
                explained.raw_bind_parameter(1, 1).unwrap();
                let mut rows = explained.raw_query();
                let mut steps = 0;
                while let Some(row) = rows.next().unwrap() {
                    let step: String = row.get(1).unwrap();
                    assert_ne!(step, "OpenEphemeral", "from version {version}: {sql}");
                    // What may break off a statement of several writes has SQLite keep a copy of each page that it changes. Those that the
                    // engine runs are looked at by themselves; this is about the tables and triggers of old files.
                    let ends = matches!(step.as_str(), "Halt" | "HaltIfNull")
                        && row.get::<_, i64>(3).unwrap() == ABORT;
                    assert!(!ends || sql.contains("INTO attempt"), "from version {version}: {sql}");
                    steps += 1;
                }
                assert!(steps > 20, "{sql}");
            }
        }
    }

    #[test]
    fn an_old_file_keeps_its_rows_and_refuses_what_it_always_refused() {
        for version in 1..MAIN.steps.len() {
            let mut connection = of_version(version);
            run(&mut connection, &[]).unwrap();
            let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(check, "ok");
            let state: String = connection.query_row("SELECT state FROM job", [], |row| row.get(0)).unwrap();
            assert_eq!(state, "queued");

            let job = |state| connection.execute("UPDATE job SET state = ?1, completed_at = 2", [state]);
            let refused = job("ended").unwrap_err().to_string();
            assert!(refused.contains("a job cannot go from its state"), "{refused}");
            connection.execute_batch("DROP TRIGGER job_goes_on; DROP TRIGGER notification_goes_on").unwrap();
            let refused = job("ended").unwrap_err().to_string();
            assert!(refused.contains("CHECK constraint failed"), "{refused}");
            assert_eq!(job("timed_out"), Ok(1));

            assert_eq!(notify(&connection, "sending", "normal"), Ok(1));
            let refused = notify(&connection, "waiting", "later").unwrap_err().to_string();
            assert!(refused.contains("CHECK constraint failed: priority"), "{refused}");
            let refused = connection.execute("UPDATE notification SET state = 'gone', settled_at = 2", []);
            assert!(refused.unwrap_err().to_string().contains("CHECK constraint failed: state"));
            let refused =
                connection.execute("INSERT INTO attempt VALUES (1, 1, 1, 1, 'lost', NULL, NULL)", []);
            assert!(refused.unwrap_err().to_string().contains("CHECK constraint failed: outcome"));
        }
    }

    #[test]
    fn a_list_of_one_state_is_found_by_an_index() {
        let mut connection = of_version(3);
        run(&mut connection, &[]).unwrap();
        for state in
            ["waiting", "sending", "delivered", "cancelled", "expired", "suppressed", "failed", "unknown"]
        {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT id FROM notification WHERE state = '{state}' AND seq < 9 ORDER BY seq DESC LIMIT 3"
            );
            let plan: String = connection.query_row(&sql, [], |row| row.get(3)).unwrap();
            assert!(plan.contains("USING INDEX notification_"), "{state}: {plan}");
        }
    }
}
