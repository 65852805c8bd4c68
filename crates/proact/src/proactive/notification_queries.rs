//! Reading notifications: a page, newest first, or one with its activity and its attempts.

use rusqlite::{Connection, OptionalExtension, Row, types::Value};
use uuid::Uuid;

use super::{
    Page, Reach,
    blocks::{blocks, each_row},
    conversation::ConversationView,
    desk::Desk,
    gate::Gate,
    job_queries::time,
    notification::{Attempt, FromTemplate, Moment, Notification, Priority},
    state::NotificationState,
};
use crate::{
    activity::{Activity, ConversationKey},
    store::{Error, Query},
};

const COLUMNS: &str = "seq, id, state, reason, channel_id, conversation_id, priority, policy, moment, cause, activity, \
                       template, data, created_at, due_at, expires_at, settled_at, begun, collapse_key, replay_of";
/// The first and the last number.
const BOUNDS: &str = "SELECT (SELECT min(seq) FROM notification), (SELECT max(seq) FROM notification)";
/// Characters of the text that a list shows.
const TEXT: usize = 200;
/// Rows that one page looks at when it wants a class, which no index leads to: so that a rare one costs no scan of everything.
const LOOKED_AT: i64 = 10_000;

/// Which notifications, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct NotificationFilter {
    /// Only those in this state.
    pub state: Option<NotificationState>,
    /// Only those to this conversation.
    pub conversation: Option<ConversationKey>,
    /// Only those of this class. One page looks at 10,000 notifications at most: it can then have fewer than `limit`, even none, and
    /// still say where the next begins.
    pub priority: Option<Priority>,
    /// Only those within this reach. A page then costs what is within it, if it names conversations.
    pub reach: Reach,
    /// Only those accepted before this one: where the page before ended.
    pub before: Option<u64>,
    /// Rows on the page; 0 counts as 1.
    pub limit: u32,
}

impl Query for NotificationFilter {
    type Answer = Page<Notification>;

    fn run(self, connection: &Connection) -> Result<Page<Notification>, Error> {
        let limit = self.limit.max(1) as usize;
        if let Some(priority) = self.priority {
            return self.of_class(connection, priority, limit);
        }
        let mut rows = Vec::new();
        self.newest_first(connection, COLUMNS, |row| {
            rows.push(read(row, false)?);
            Ok(rows.len() <= limit)
        })?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(|(seq, _)| seq.unsigned_abs()) } else { None };
        Ok(Page { items: rows.into_iter().map(|(_, item)| item).collect(), next, total: None })
    }
}

impl NotificationFilter {
    /// Goes through those of any class, newest first, for as long as `each` wants more.
    fn newest_first(
        &self,
        connection: &Connection,
        columns: &str,
        each: impl FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut conditions = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        let (mut from, mut of_conversation) = ("notification", None);
        if let Some(key) = &self.conversation {
            from = "notification INDEXED BY notification_of_conversation";
            of_conversation = Some(blocks(connection, BOUNDS, self.before)?);
            // The block comes with each question.
            values.extend([
                Value::Null,
                key.channel_id().to_owned().into(),
                key.conversation_id().to_owned().into(),
            ]);
            conditions.push("seq >> 12 = ? AND channel_id = ? AND conversation_id = ?".to_owned());
        }
        if let Some(state) = self.state {
            // In its own words: the indexes are each of some states only.
            conditions.push(format!("state = '{state}'"));
        }
        for (condition, within) in self.reach.of_notifications() {
            values.extend(within);
            conditions.push(condition);
        }
        if let Some(before) = self.before {
            values.push(i64::try_from(before).unwrap_or(i64::MAX).into());
            conditions.push("seq < ?".to_owned());
        }
        let sql =
            format!("SELECT {columns} FROM {from} WHERE {} ORDER BY seq DESC", conditions.join(" AND "));
        each_row(connection, &sql, of_conversation, values, each)
    }

    /// The page of those of one class: their places first, from what is cheap to read, and then the rows.
    fn of_class(
        &self,
        connection: &Connection,
        priority: Priority,
        limit: usize,
    ) -> Result<Page<Notification>, Error> {
        let (mut found, mut looked_at, mut next) = (Vec::new(), 0, None);
        self.newest_first(connection, "seq, priority", |place| {
            looked_at += 1;
            let seq: i64 = place.get(0)?;
            if place.get::<_, Priority>(1)? == priority {
                if found.len() == limit {
                    next = found.last().copied();
                    return Ok(false);
                }
                found.push(seq);
            }
            if looked_at == LOOKED_AT {
                next = Some(seq);
            }
            Ok(looked_at < LOOKED_AT)
        })?;
        let mut one =
            connection.prepare_cached(&format!("SELECT {COLUMNS} FROM notification WHERE seq = ?1"))?;
        let items = found
            .iter()
            .map(|seq| one.query_row([seq], |row| Ok(read(row, false)?.1)))
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next: next.map(i64::unsigned_abs), total: None })
    }
}

/// One notification, with its activity and attempts.
#[derive(Debug)]
pub(super) struct ById(pub(super) Uuid);

/// A notification, and what in its own row and its conversation's keeps it waiting.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) notification: Notification,
    pub(super) own: Own,
}

/// What the store says about why a notification waits.
#[derive(Debug)]
pub(super) struct Own {
    seq: i64,
    target: i64,
    due_at: i64,
    known: bool,
    dead: Option<String>,
    /// An earlier one of its class is tried again then.
    behind: Option<i64>,
}

impl Own {
    /// What keeps it waiting at this moment.
    pub(super) fn gates(self, desk: &Desk, notification: &Notification) -> Vec<Gate> {
        let now = desk.now();
        let mut gates = Vec::new();
        if self.seq <= desk.state().held_through {
            gates.push(Gate::Held);
        }
        if !self.known {
            gates.push(Gate::NoContact);
        }
        gates.extend(self.dead.map(|reason| Gate::Dead { reason }));
        if self.due_at > now {
            gates.push(Gate::NotYet { until: time(self.due_at) });
        }
        if let Some(until) = self.behind.filter(|at| *at > now && self.due_at <= now) {
            gates.push(Gate::Behind { until: time(until) });
        }
        let view = &notification.conversation;
        if let Ok(key) = ConversationKey::new(&view.channel_id, &view.id) {
            gates.extend(desk.gate(&key, self.target));
            if notification.moment == Moment::AfterTurn && desk.state().lanes.is_parked(&key) {
                gates.push(Gate::InsideTurn);
            }
        }
        gates
    }
}

impl Query for ById {
    type Answer = Option<Shown>;

    fn run(self, connection: &Connection) -> Result<Option<Shown>, Error> {
        let found = connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM notification WHERE id = ?1"))?
            .query_row([self.0], |row| read(row, true))
            .optional()?;
        let Some((seq, mut notification)) = found else { return Ok(None) };
        let mut statement = connection.prepare_cached(
            "SELECT number, begun_at, ended_at, outcome, status, error FROM attempt_history WHERE seq = ?1 ORDER BY number",
        )?;
        let attempts = statement.query_map([seq], read_attempt)?.collect::<Result<Vec<_>, _>>()?;
        notification.attempts = Some(attempts);
        let own = connection
            .prepare_cached(
                "SELECT coalesce(c.target, n.target), n.due_at, c.reference IS NOT NULL, c.dead_reason,
                    (SELECT max(h.due_at) FROM notification h INDEXED BY notification_retrying
                     WHERE h.channel_id = n.channel_id AND h.conversation_id = n.conversation_id AND h.priority = n.priority
                        AND h.state = 'waiting' AND h.retrying = 1 AND h.seq <> n.seq)
                 FROM notification n
                 LEFT JOIN conversation c ON c.partition = n.partition AND c.channel_id = n.channel_id
                    AND c.conversation_id = n.conversation_id
                 WHERE n.seq = ?1",
            )?
            .query_row([seq], |row| {
                Ok(Own {
                    seq,
                    target: row.get(0)?,
                    due_at: row.get(1)?,
                    known: row.get(2)?,
                    dead: row.get(3)?,
                    behind: row.get(4)?,
                })
            })?;
        Ok(Some(Shown { notification, own }))
    }
}

fn read(row: &Row<'_>, whole: bool) -> rusqlite::Result<(i64, Notification)> {
    let activity: Option<Activity> = match row.get_ref(10)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(json(row, 10)?),
    };
    let template = match row.get::<_, Option<String>>(11)? {
        Some(name) => Some(FromTemplate { name, data: json(row, 12)? }),
        None => None,
    };
    let text = match (&activity, &template) {
        (Some(activity), _) => activity.text().chars().take(TEXT).collect(),
        (None, Some(template)) => template.name.clone(),
        (None, None) => String::new(),
    };
    let created_at: i64 = row.get(13)?;
    let notification = Notification {
        id: row.get(1)?,
        state: row.get(2)?,
        reason: row.get(3)?,
        conversation: ConversationView { channel_id: row.get(4)?, id: row.get(5)? },
        priority: row.get(6)?,
        policy: row.get(7)?,
        moment: row.get(8)?,
        cause: json(row, 9)?,
        text,
        created_at: time(created_at),
        // What can go at once stands as 0.
        due_at: time(row.get::<_, i64>(14)?.max(created_at)),
        expires_at: row.get::<_, Option<i64>>(15)?.map(time),
        settled_at: row.get::<_, Option<i64>>(16)?.map(time),
        tries: row.get(17)?,
        collapse_key: row.get(18)?,
        replay_of: row.get(19)?,
        activity: activity.filter(|_| whole),
        template: template.filter(|_| whole),
        attempts: None,
        gates: None,
    };
    Ok((row.get(0)?, notification))
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(e))
    })
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        number: row.get(0)?,
        begun_at: time(row.get(1)?),
        ended_at: row.get::<_, Option<i64>>(2)?.map(time),
        outcome: row.get(3)?,
        status: row.get(4)?,
        error: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::*;
    use crate::{
        clock::SystemClock,
        store::{Command, Store, Tx},
    };

    /// Notifications under these numbers, of one conversation or another.
    struct Fill(Vec<(i64, &'static str)>);

    impl Command for Fill {
        type Outcome = ();

        fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
            for (seq, conversation) in self.0 {
                tx.prepare(
                    "INSERT INTO notification (seq, id, partition, channel_id, conversation_id, target, state, reason, priority, policy,
                        moment, cause, activity, created_at, ready_at, due_at, ends_at, settled_at)
                     VALUES (?1, randomblob(16), 0, 'test', ?2, 0, iif(?1 % 2, 'waiting', 'suppressed'), 'why', 'normal',
                        'at_least_once', 'interject', '{\"type\":\"api\"}', '{\"type\":\"message\",\"text\":\"' || ?1 || '\"}', 1, 1, 0,
                        9, iif(?1 % 2, NULL, 1))",
                )?
                .execute(params![seq, conversation])?;
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn those_of_a_conversation_are_found_in_every_block_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proact.db");
        let store = Store::open(&path, &[], std::sync::Arc::new(SystemClock)).unwrap();
        // Blocks end at 4095, 8191 and 12287; one of them has nothing of it, and others stand between.
        let mine = [1, 2, 4095, 4096, 12287, 12288, 12300];
        let others = [3, 4094, 4097, 8191, 9000, 12289, 20000];
        let rows = mine.map(|n| (n, "a")).into_iter().chain(others.map(|n| (n, "b")));
        store.commit(Fill(rows.collect())).await.unwrap();
        let all = |conversation: Option<&str>, state, before, limit| {
            let conversation = conversation.map(|id| ConversationKey::new("test", id).unwrap());
            let filter =
                NotificationFilter { state, conversation, before, limit, ..NotificationFilter::default() };
            let store = store.clone();
            async move {
                let page = store.read(filter).await.unwrap();
                let texts = page.items.iter().map(|one| one.text.parse::<u64>().unwrap());
                (texts.collect::<Vec<_>>(), page.next)
            }
        };
        assert_eq!(all(Some("a"), None, None, 9).await, (vec![12300, 12288, 12287, 4096, 4095, 2, 1], None));
        assert_eq!(all(Some("a"), None, None, 4).await, (vec![12300, 12288, 12287, 4096], Some(4096)));
        assert_eq!(all(Some("a"), None, Some(4096), 2).await, (vec![4095, 2], Some(2)));
        let waiting = Some(NotificationState::Waiting);
        assert_eq!(all(Some("a"), waiting, None, 2).await, (vec![12287, 4095], Some(4095)));
        assert_eq!(all(Some("c"), None, None, 2).await, (vec![], None));
        assert_eq!(all(None, waiting, Some(9001), 2).await, (vec![8191, 4097], Some(4097)));
        assert_eq!(all(None, Some(NotificationState::Failed), None, 2).await, (vec![], None));
    }
}
