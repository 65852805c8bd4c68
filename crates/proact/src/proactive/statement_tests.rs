//! The statements that run for each job and each message: what SQLite does for them beside the row.

use std::sync::Arc;

use rusqlite::Connection;

use super::{attempt, enqueue, job_commands, take};
use crate::{
    clock::SystemClock,
    store::{self, Query, Store},
};

/// What `EXPLAIN` shows of a step that breaks a statement off and puts back what it has changed: `OE_Abort`.
const ABORT: i64 = 2;

/// The steps of a statement, its triggers' included: what each does, and its second operand.
struct Explain(&'static str);

impl Query for Explain {
    type Answer = Vec<(String, i64)>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        let mut explained = connection.prepare(&format!("EXPLAIN {}", self.0))?;
        let mut rows = explained.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push((row.get(1)?, row.get(3)?));
        }
        Ok(steps)
    }
}

#[tokio::test]
async fn they_fill_no_table_of_their_own_and_keep_no_copy_of_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
    for sql in [enqueue::INSERT, take::BEGIN, attempt::SETTLE, job_commands::INSERT, job_commands::END] {
        let steps = store.read(Explain(sql)).await.unwrap();
        assert!(steps.len() > 20, "{sql}: {steps:?}");
        for (step, on_error) in steps {
            assert_ne!(step, "OpenEphemeral", "{sql}");
            let breaks_off = matches!(step.as_str(), "Halt" | "HaltIfNull") && on_error == ABORT;
            assert!(!breaks_off, "{sql}");
        }
    }
}
