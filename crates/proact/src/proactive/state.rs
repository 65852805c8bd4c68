//! The state machine of a notification: the one place that knows which state may follow which.
//!
//! The database holds every writer to the same by a trigger, and the guide's picture is drawn from here; tests hold all three together.

use super::notification::words;

words! {
    /// Where a notification stands. `waiting` and `sending` go on; the others are final.
    NotificationState {
        /// In its lane, until its turn comes.
        Waiting = "waiting",
        /// An attempt is under way.
        Sending = "sending",
        /// The channel took it.
        Delivered = "delivered",
        /// Taken back before it was sent.
        Cancelled = "cancelled",
        /// Its time ran out.
        Expired = "expired",
        /// Not to be sent, for the reason beside it.
        Suppressed = "suppressed",
        /// The channel refused it for good, or every try failed.
        Failed = "failed",
        /// It may have arrived; nobody can know.
        Unknown = "unknown",
    }
}

impl NotificationState {
    /// The states that a notification may begin in: it is accepted to wait, or begun in the same commit, or not to be sent at all.
    pub const FIRST: &[Self] = &[Self::Waiting, Self::Sending, Self::Suppressed];

    /// The states that may follow this one.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Waiting => &[Self::Sending, Self::Suppressed, Self::Cancelled, Self::Expired, Self::Failed],
            Self::Sending => &[
                Self::Delivered,
                Self::Waiting,
                Self::Unknown,
                Self::Failed,
                Self::Suppressed,
                Self::Cancelled,
                Self::Expired,
            ],
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
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Waiting | Self::Sending)
    }

    /// What it is counted under.
    pub(super) const fn tally(self) -> &'static str {
        match self {
            Self::Waiting => "notification.waiting",
            Self::Sending => "notification.sending",
            Self::Delivered => "notification.delivered",
            Self::Cancelled => "notification.cancelled",
            Self::Expired => "notification.expired",
            Self::Suppressed => "notification.suppressed",
            Self::Failed => "notification.failed",
            Self::Unknown => "notification.unknown",
        }
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
        let guide = include_str!("../../../../docs/guarantees.md");
        assert!(
            guide.contains(&NotificationState::diagram()),
            "put this there:\n{}",
            NotificationState::diagram()
        );
    }

    /// Brings a row of its own into `from` and tries to bring it into `to`; then everything is undone.
    struct Try(Option<NotificationState>, NotificationState);

    impl Command for Try {
        type Outcome = ();

        fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
            let Self(from, to) = self;
            let sql = "INSERT INTO notification (id, partition, channel_id, conversation_id, target, state, reason, priority,
                    policy, moment, cause, activity, created_at, ready_at, due_at, ends_at, settled_at, begun, begun_at)
                VALUES (?1, 0, 'c', 'i', 0, ?2, 'r', 'normal', 'at_least_once', 'after_turn', '{}', '{}', 0, 0, 0, 0,
                    iif(?2 IN ('waiting', 'sending'), NULL, 0), 1, 0)";
            let id = uuid::Uuid::new_v4();
            let insert = |state| tx.connection().execute(sql, rusqlite::params![id, state]);
            let Some(from) = from else {
                insert(to)?;
                return Ok(());
            };
            insert(if NotificationState::FIRST.contains(&from) { from } else { NotificationState::Sending })?;
            let go = |state: NotificationState| {
                tx.connection().execute(
                    "UPDATE notification SET state = ?2, settled_at = iif(?2 IN ('waiting', 'sending'), NULL, 0) WHERE id = ?1",
                    rusqlite::params![id, state],
                )
            };
            if !NotificationState::FIRST.contains(&from) {
                go(from).expect("every settled state follows `sending`");
            }
            go(to)?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_database_allows_exactly_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
        for &to in NotificationState::ALL {
            let allowed = store.commit(Try(None, to)).await.is_ok();
            assert_eq!(allowed, NotificationState::FIRST.contains(&to), "begins as {to}");
            for &from in NotificationState::ALL {
                let allowed = store.commit(Try(Some(from), to)).await.is_ok();
                assert_eq!(allowed, from.may_become(to), "{from} to {to}");
            }
        }
    }
}
