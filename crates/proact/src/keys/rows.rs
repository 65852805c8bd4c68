//! Keys in the store.

use std::{sync::Arc, sync::atomic::AtomicI64};

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::{Serialize, de::DeserializeOwned};

use super::{Good, Grant, Known, RevokedKey, Scope, Verb};
use crate::{
    proactive::{Page, Place},
    store::{Command, Error, Query, Tx},
};

/// A key that is wanted.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What people call it: whom it is for.
    pub name: String,
    /// What it permits.
    pub scope: Scope,
    /// When it ends by itself; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// What is known of a key; the key itself is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct KeyInfo {
    /// What it is called in logs.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What may be done with it.
    pub verbs: Vec<&'static str>,
    /// Only with jobs of these kinds; `None`: of any.
    pub kinds: Option<Vec<String>>,
    /// Only with what is about these conversations; `None`: about any.
    pub conversations: Option<Vec<Place>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was used last, to within ten minutes.
    pub used_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, name, verbs, kinds, conversations, created_at, expires_at, revoked_at, used_at";

fn info(row: &Row<'_>) -> rusqlite::Result<KeyInfo> {
    let at = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(time));
    let words: Vec<String> = json(row, 2)?.unwrap_or_default();
    Ok(KeyInfo {
        id: row.get(0)?,
        name: row.get(1)?,
        // A word that a later version knew permits nothing here.
        verbs: words.iter().filter_map(|word| Verb::parse(word)).map(Verb::as_str).collect(),
        kinds: json(row, 3)?,
        conversations: json(row, 4)?,
        created_at: time(row.get(5)?),
        expires_at: at(6)?,
        revoked_at: at(7)?,
        used_at: at(8)?,
    })
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let wrong = |error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    };
    row.get::<_, Option<String>>(column)?.map(|text| serde_json::from_str(&text).map_err(wrong)).transpose()
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

impl KeyInfo {
    fn known(&self, digest: [u8; 32]) -> Known {
        let mut reach = crate::proactive::Reach::everything();
        (reach.kinds, reach.places) = (self.kinds.clone(), self.conversations.clone());
        let verbs = self.verbs.iter().filter_map(|word| Verb::parse(word)).collect();
        let grant = Grant {
            id: self.id.as_str().into(),
            scope: Arc::new(Scope { verbs, reach }),
            expires_at: self.expires_at,
        };
        let used_at = AtomicI64::new(self.used_at.map_or(i64::MIN, Timestamp::as_millisecond));
        Known { grant, digest, used_at }
    }
}

/// Those that were not revoked.
pub(super) struct Unrevoked;

impl Query for Unrevoked {
    type Answer = Vec<Known>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let sql = format!("SELECT {COLUMNS}, digest FROM api_key WHERE revoked_at IS NULL");
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_map([], |row| Ok(info(row)?.known(row.get(9)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

/// Where a page of keys ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMark {
    /// When the last key on the page was made.
    pub created_at: Timestamp,
    /// Its id.
    pub id: String,
}

pub(super) struct Listed {
    pub(super) after: Option<KeyMark>,
    pub(super) limit: u32,
}

impl Query for Listed {
    type Answer = Page<KeyInfo, KeyMark>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_key WHERE created_at < ?1 OR (created_at = ?1 AND id > ?2)
             ORDER BY created_at DESC, id LIMIT ?3"
        );
        let (at, id) = match &self.after {
            Some(mark) => (mark.created_at.as_millisecond(), mark.id.as_str()),
            None => (i64::MAX, ""),
        };
        let limit = self.limit.max(1) as usize;
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![at, id, limit as i64 + 1], info)?;
        let items = rows.collect::<Result<_, _>>()?;
        Ok(Page::cut(items, limit, |key| KeyMark { created_at: key.created_at, id: key.id.clone() }))
    }
}

pub(super) struct All;

impl Query for All {
    type Answer = Vec<KeyInfo>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let sql = format!("SELECT {COLUMNS} FROM api_key ORDER BY created_at DESC, id");
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_map([], info)?.collect::<Result<_, _>>()?)
    }
}

pub(super) struct Create {
    pub(super) id: String,
    pub(super) digest: [u8; 32],
    pub(super) new: NewKey,
    pub(super) good: Arc<Good>,
}

impl Command for Create {
    type Outcome = KeyInfo;

    fn apply(self, tx: &mut Tx<'_>) -> Result<KeyInfo, Error> {
        let Self { id, digest, new: NewKey { name, scope, expires_at }, good } = self;
        let made = KeyInfo {
            id,
            name,
            verbs: scope.verbs.iter().map(|verb| verb.as_str()).collect(),
            kinds: scope.reach.kinds,
            conversations: scope.reach.places,
            created_at: time(tx.now()),
            expires_at: expires_at.map(|at| time(at.as_millisecond())),
            revoked_at: None,
            used_at: None,
        };
        let list = |list: Option<Vec<String>>| list.map(|list| serde_json::to_string(&list)).transpose();
        let places = made.conversations.as_ref();
        tx.prepare(
            "INSERT INTO api_key (id, name, digest, verbs, kinds, conversations, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            made.id,
            made.name,
            digest,
            serde_json::to_string(&made.verbs)?,
            list(made.kinds.clone())?,
            list(places.map(|places| places.iter().map(ToString::to_string).collect()))?,
            tx.now(),
            made.expires_at.map(Timestamp::as_millisecond),
        ])?;
        let known = made.known(digest);
        tx.afterwards(move || good.put(known));
        Ok(made)
    }
}

pub(super) struct Revoke {
    pub(super) id: String,
    pub(super) good: Arc<Good>,
}

impl Command for Revoke {
    type Outcome = RevokedKey;

    fn apply(self, tx: &mut Tx<'_>) -> Result<RevokedKey, Error> {
        let Self { id, good } = self;
        let found = tx
            .prepare("UPDATE api_key SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1")?
            .execute(params![id, tx.now()])?;
        if found == 0 {
            return Ok(RevokedKey::NotFound);
        }
        // On the writer's thread: who asked may be gone by then.
        tx.afterwards(move || good.remove(&id));
        Ok(RevokedKey::Done)
    }
}

pub(super) struct Used {
    pub(super) id: String,
    pub(super) at: i64,
}

impl Command for Used {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.prepare("UPDATE api_key SET used_at = max(coalesce(used_at, ?2), ?2) WHERE id = ?1")?
            .execute(params![self.id, self.at])?;
        Ok(())
    }
}
