//! How much there is of what, and how old: counted in the commits that change it, so that nothing is scanned to tell.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::{Error, OpenBreaker, Proactive, job_queries::time, lanes::CLASSES, state::NotificationState};
use crate::store::{self, Query};

/// The outbox at a glance.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counts {
    /// Notifications by state; every state is there.
    pub notifications: BTreeMap<&'static str, u64>,
    /// When the oldest that waits was accepted, whatever it waits for.
    pub oldest_waiting: Option<Timestamp>,
    /// Since when the oldest waits that could go by its own time: what an operator should look at.
    pub oldest_due: Option<Timestamp>,
    /// Attempts under way in this process.
    pub under_way: u64,
    /// Hosts that are out of order.
    pub breakers: Vec<OpenBreaker>,
}

struct Read {
    now: i64,
}

struct Found {
    notifications: BTreeMap<&'static str, u64>,
    oldest_waiting: Option<i64>,
    oldest_due: Option<i64>,
}

impl Query for Read {
    type Answer = Found;

    fn run(self, connection: &Connection) -> Result<Found, store::Error> {
        let mut tally = connection.prepare_cached("SELECT value FROM tally WHERE name = ?1")?;
        let mut notifications = BTreeMap::new();
        for state in NotificationState::ALL {
            let value: Option<i64> = tally.query_row([state.tally()], |row| row.get(0)).optional()?;
            notifications.insert(state.as_str(), value.unwrap_or_default().max(0).unsigned_abs());
        }
        let oldest_waiting = connection
            .prepare_cached(
                "SELECT created_at FROM notification INDEXED BY notification_waiting WHERE state = 'waiting'
                 ORDER BY seq LIMIT 1",
            )?
            .query_row([], |row| row.get(0))
            .optional()?;
        let mut targets = connection.prepare_cached("SELECT id FROM target UNION ALL SELECT 0")?;
        let targets = targets.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
        // What can go at once stands first of all, in the order of acceptance.
        let mut first = connection.prepare_cached(
            "SELECT max(due_at, created_at) FROM notification INDEXED BY notification_due
             WHERE state = 'waiting' AND target = ?1 AND priority = ?2 AND due_at <= ?3 ORDER BY due_at, seq LIMIT 1",
        )?;
        let mut oldest_due: Option<i64> = None;
        for target in targets {
            for priority in CLASSES {
                let due: Option<i64> =
                    first.query_row(params![target, priority, self.now], |row| row.get(0)).optional()?;
                oldest_due = [oldest_due, due].into_iter().flatten().min();
            }
        }
        Ok(Found { notifications, oldest_waiting, oldest_due })
    }
}

impl Proactive {
    /// The hosts that are out of order at this moment.
    #[must_use]
    pub fn breakers(&self) -> Vec<OpenBreaker> {
        self.desk().breakers()
    }

    /// How much there is in each state and how old the oldest is. What this costs does not grow with what is stored.
    ///
    /// # Errors
    /// What the store says.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let desk = self.desk();
        let Found { notifications, oldest_waiting, oldest_due } =
            self.store().read(Read { now: desk.now() }).await?;
        // Each by a lock of its own, let go before the next is asked for.
        let under_way = desk.state().lanes.under_way() as u64;
        let breakers = desk.breakers();
        Ok(Counts {
            notifications,
            oldest_waiting: oldest_waiting.map(time),
            oldest_due: oldest_due.map(time),
            under_way,
            breakers,
        })
    }
}
