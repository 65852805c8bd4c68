//! The state machine of a job: the one place that knows which state may follow which.
//!
//! The database holds every writer to the same by a trigger, and the guide's picture is drawn from here; tests hold all three together.

use super::notification::words;

words! {
    /// Where a job stands. `queued` and `running` go on; the others are final.
    JobState {
        /// Accepted, not begun.
        Queued = "queued",
        /// Begun.
        Running = "running",
        /// Completed.
        Succeeded = "succeeded",
        /// Its worker reported a failure.
        Failed = "failed",
        /// Taken back.
        Cancelled = "cancelled",
        /// Its deadline passed.
        TimedOut = "timed_out",
    }
}

impl JobState {
    /// The states that a job may begin in.
    pub const FIRST: &[Self] = &[Self::Queued, Self::Running];

    /// The states that may follow this one. A worker that never said that it began may still finish.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Queued => &[Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled, Self::TimedOut],
            Self::Running => &[Self::Succeeded, Self::Failed, Self::Cancelled, Self::TimedOut],
            _ => &[],
        }
    }

    /// Whether `next` may follow this state.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// The state machine as a Mermaid diagram, for the guide.
    #[must_use]
    pub fn diagram() -> String {
        super::diagram::draw(Self::ALL, Self::FIRST, Self::next)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::SystemClock,
        store::{self, Command, Store, Tx},
    };

    #[test]
    fn the_guide_shows_this_machine() {
        let guide = include_str!("../../../../docs/guide/proactive-messages.md");
        assert!(guide.contains(&JobState::diagram()), "put this there:\n{}", JobState::diagram());
    }

    /// Brings a row of its own into `from` and tries to bring it into `to`.
    struct Try(Option<JobState>, JobState);

    impl Command for Try {
        type Outcome = ();

        fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
            let Self(from, to) = self;
            let sql = "INSERT INTO job (partition, channel_id, conversation_id, kind, state, created_at, completed_at)
                VALUES (0, 'c', 'i', 'k', ?1, 0, iif(?1 IN ('queued', 'running'), NULL, 0))";
            let insert = |state| tx.connection().execute(sql, rusqlite::params![state]);
            let Some(from) = from else {
                insert(to)?;
                return Ok(());
            };
            insert(if JobState::FIRST.contains(&from) { from } else { JobState::Running })?;
            let number = tx.connection().last_insert_rowid();
            let go = |state: JobState| {
                tx.connection().execute(
                    "UPDATE job SET state = ?2, completed_at = iif(?2 IN ('queued', 'running'), NULL, 0) WHERE number = ?1",
                    rusqlite::params![number, state],
                )
            };
            if !JobState::FIRST.contains(&from) {
                go(from).expect("every finished state follows `running`");
            }
            go(to)?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_database_allows_exactly_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
        for &to in JobState::ALL {
            let allowed = store.commit(Try(None, to)).await.is_ok();
            assert_eq!(allowed, JobState::FIRST.contains(&to), "begins as {to}");
            for &from in JobState::ALL {
                let allowed = store.commit(Try(Some(from), to)).await.is_ok();
                assert_eq!(allowed, from.may_become(to), "{from} to {to}");
            }
        }
    }
}
