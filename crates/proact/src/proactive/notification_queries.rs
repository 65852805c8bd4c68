//! Reading notifications: a page, newest first, or one with its activity and its attempts.

use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};
use uuid::Uuid;

use super::{
    Page,
    conversation::ConversationView,
    job_queries::time,
    notification::{Attempt, Notification, NotificationState},
};
use crate::{
    activity::{Activity, ConversationKey},
    store::{Error, Query},
};

const COLUMNS: &str = "seq, id, state, reason, channel_id, conversation_id, priority, policy, moment, cause, activity, \
                       created_at, due_at, settled_at, tries";
/// Characters of the text that a list shows.
const TEXT: usize = 200;

/// Which notifications, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct NotificationFilter {
    /// Only those in this state.
    pub state: Option<NotificationState>,
    /// Only those to this conversation.
    pub conversation: Option<ConversationKey>,
    /// Only those accepted before this one: where the page before ended.
    pub before: Option<u64>,
    /// Rows on the page; 0 counts as 1.
    pub limit: u32,
}

impl Query for NotificationFilter {
    type Answer = Page<Notification>;

    fn run(self, connection: &Connection) -> Result<Page<Notification>, Error> {
        let mut conditions = vec!["1"];
        let mut values: Vec<Value> = Vec::new();
        if let Some(state) = self.state {
            values.push(state.as_str().to_owned().into());
            conditions.push("state = ?");
        }
        if let Some(key) = self.conversation {
            values.extend([key.channel_id().to_owned().into(), key.conversation_id().to_owned().into()]);
            conditions.push("channel_id = ? AND conversation_id = ?");
        }
        if let Some(before) = self.before {
            values.push(i64::try_from(before).unwrap_or(i64::MAX).into());
            conditions.push("seq < ?");
        }
        let limit = i64::from(self.limit.max(1));
        values.push((limit + 1).into());
        let sql = format!(
            "SELECT {COLUMNS} FROM notification WHERE {} ORDER BY seq DESC LIMIT ?",
            conditions.join(" AND ")
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement
            .query_map(params_from_iter(values), |row| read(row, false))?
            .collect::<Result<Vec<_>, _>>()?;
        let more = rows.len() as i64 > limit;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(|(seq, _)| seq.unsigned_abs()) } else { None };
        Ok(Page { items: rows.into_iter().map(|(_, item)| item).collect(), next, total: None })
    }
}

/// One notification, with its activity and attempts.
#[derive(Debug)]
pub(super) struct ById(pub(super) Uuid);

impl Query for ById {
    type Answer = Option<Notification>;

    fn run(self, connection: &Connection) -> Result<Option<Notification>, Error> {
        let found = connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM notification WHERE id = ?1"))?
            .query_row([self.0], |row| read(row, true))
            .optional()?;
        let Some((seq, mut notification)) = found else { return Ok(None) };
        let mut statement = connection.prepare_cached(
            "SELECT number, begun_at, ended_at, outcome, status, error FROM attempt WHERE seq = ?1 ORDER BY number",
        )?;
        let attempts = statement.query_map([seq], read_attempt)?.collect::<Result<Vec<_>, _>>()?;
        notification.attempts = Some(attempts);
        Ok(Some(notification))
    }
}

fn read(row: &Row<'_>, whole: bool) -> rusqlite::Result<(i64, Notification)> {
    let activity: Activity = json(row, 10)?;
    let notification = Notification {
        id: row.get(1)?,
        state: row.get(2)?,
        reason: row.get(3)?,
        conversation: ConversationView { channel_id: row.get(4)?, id: row.get(5)? },
        priority: row.get(6)?,
        policy: row.get(7)?,
        moment: row.get(8)?,
        cause: json(row, 9)?,
        text: activity.text().chars().take(TEXT).collect(),
        created_at: time(row.get(11)?),
        due_at: time(row.get(12)?),
        settled_at: row.get::<_, Option<i64>>(13)?.map(time),
        tries: row.get(14)?,
        activity: whole.then_some(activity),
        attempts: None,
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
