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
}
