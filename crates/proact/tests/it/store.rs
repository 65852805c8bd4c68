//! The store, on a real file: whole or not at all, once per key, one process, ETags that protect.

use std::sync::Arc;

use proact::{
    clock::SystemClock,
    state::{Expect, StateChange},
    store::{Command, Effect, Error, Keyed, Query, Store, Tx, WriteState, Writes},
    turn::{CommandKey, TurnKey},
};
use serde_json::json;

fn open(folder: &tempfile::TempDir) -> Result<Store, Error> {
    Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock))
}

/// Writes one state row, or fails after having written it.
struct Put {
    key: String,
    fail: bool,
}

impl Put {
    fn ok(key: impl Into<String>) -> Self {
        Self { key: key.into(), fail: false }
    }
}

impl Command for Put {
    type Outcome = String;

    fn apply(self, tx: &mut Tx<'_>) -> Result<String, Error> {
        tx.prepare("INSERT INTO bot_state (key, value, etag) VALUES (?1, '1', 0)")?.execute([&self.key])?;
        if self.fail { Err(Error::Internal("refused after the write".to_owned())) } else { Ok(self.key) }
    }
}

struct Keys;

impl Query for Keys {
    type Answer = Vec<String>;

    fn run(self, connection: &rusqlite::Connection) -> Result<Vec<String>, Error> {
        let mut statement = connection.prepare("SELECT key FROM bot_state ORDER BY key")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

#[tokio::test]
async fn one_bad_command_among_many_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).unwrap();
    // All handed over before any is awaited: they share commits.
    let waiting: Vec<_> =
        (0..200).map(|n| store.commit(Put { key: format!("{n:03}"), fail: n % 7 == 3 })).collect();
    let results = futures_util::future::join_all(waiting).await;
    let kept = store.read(Keys).await.unwrap();
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), n % 7 == 3, "{n}: {result:?}");
        assert_eq!(kept.contains(&format!("{n:03}")), n % 7 != 3, "{n}");
    }
}

/// Writes two rows in one statement, for which it is given no savepoint; with a key that is there, the second is refused. Or, against
/// what it says, fails after the statement.
struct Pair {
    keys: [String; 2],
    lies: bool,
}

impl Command for Pair {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.prepare("INSERT INTO bot_state (key, value, etag) VALUES (?1, '1', 0), (?2, '1', 0)")?
            .execute([&self.keys[0], &self.keys[1]])?;
        if self.lies { Err(Error::Internal("refused after the write".to_owned())) } else { Ok(()) }
    }

    fn writes(&self) -> Writes {
        Writes::Surely
    }
}

#[tokio::test]
async fn a_statement_that_fails_without_a_savepoint_leaves_nothing_and_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).unwrap();
    store.commit(Put::ok("taken")).await.unwrap();
    let bad = |n| n % 7 == 3;
    let pair = |n: usize| {
        let second = if bad(n) { "taken".to_owned() } else { format!("{n:03} b") };
        store.commit(Pair { keys: [format!("{n:03} a"), second], lies: false })
    };
    let waiting: Vec<_> = (0..200).map(pair).collect();
    let results = futures_util::future::join_all(waiting).await;
    let kept = store.read(Keys).await.unwrap();
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), bad(n), "{n}: {result:?}");
        assert_eq!(kept.contains(&format!("{n:03} a")), !bad(n), "{n}: what was refused is there in half");
    }
}

#[tokio::test]
async fn a_command_that_says_it_is_sure_and_fails_after_a_write_leaves_nothing_and_no_answer_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).unwrap();
    let pair = |n: usize| {
        store.commit(Pair { keys: [format!("{n:03} a"), format!("{n:03} b")], lies: n % 50 == 30 })
    };
    let waiting: Vec<_> = (0..200).map(pair).collect();
    let results = futures_util::future::join_all(waiting).await;
    let kept = store.read(Keys).await.unwrap();
    for (n, result) in results.iter().enumerate() {
        assert!(n % 50 != 30 || result.is_err(), "{n}");
        assert_eq!(kept.contains(&format!("{n:03} a")), result.is_ok(), "{n}: {result:?}");
    }
}

#[tokio::test]
async fn a_tuple_stands_or_falls_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).unwrap();
    let failing = Put { key: "b".to_owned(), fail: true };
    store.commit((Put::ok("a"), failing)).await.unwrap_err();
    assert!(store.read(Keys).await.unwrap().is_empty());
    store.commit((Put::ok("a"), vec![Put::ok("b"), Put::ok("c")])).await.unwrap();
    assert_eq!(store.read(Keys).await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_was_answered_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).unwrap();
    store.commit(Put::ok("kept")).await.unwrap();
    store.close().await;
    let refused = store.commit(Put::ok("late")).await.unwrap_err();
    assert!(matches!(refused, Error::Broken(_)), "{refused}");
    drop(store);
    assert_eq!(open(&folder).unwrap().read(Keys).await.unwrap(), ["kept"]);
}

#[tokio::test]
async fn a_second_owner_of_the_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(&folder).unwrap();
    let refused = open(&folder).unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("in use by another process"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let refused = Store::open(std::path::Path::new("/proc/nowhere/proact.db"), &[], Arc::new(SystemClock));
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("/proc/nowhere"), "{text}");
}

/// Counts how often it was really applied.
struct Count;

#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
struct Counted(i64);

impl Effect for Counted {
    fn took_effect(&self) -> bool {
        true
    }
}

impl Command for Count {
    type Outcome = Counted;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Counted, Error> {
        let last = tx
            .prepare("UPDATE bot_state_etag SET last = last + 1 WHERE only = 1 RETURNING last")?
            .query_row([], |row| row.get(0))?;
        Ok(Counted(last))
    }
}

#[tokio::test]
async fn a_keyed_command_takes_effect_once_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let key = |ordinal| CommandKey { turn: TurnKey([7; 16]), partition: 3, ordinal };
    let command = |ordinal, kind: &'static str, content: &[u8]| Keyed {
        key: Some(key(ordinal)),
        kind,
        digest: Keyed::<()>::digest(&[content]),
        command: Count,
    };
    let store = open(&folder).unwrap();
    assert_eq!(store.commit(command(0, "count", b"x")).await.unwrap(), Counted(1));
    assert_eq!(store.commit(command(0, "count", b"x")).await.unwrap(), Counted(1));
    assert_eq!(store.commit(command(1, "count", b"x")).await.unwrap(), Counted(2));
    store.close().await;
    drop(store);
    let store = open(&folder).unwrap();
    assert_eq!(store.commit(command(0, "count", b"x")).await.unwrap(), Counted(1));
    for differing in [command(0, "count", b"y"), command(0, "other", b"x")] {
        let refused = store.commit(differing).await.unwrap_err();
        assert!(matches!(refused, Error::CommandDiffers { ordinal: 0, .. }), "{refused}");
    }
}

fn change(key: &str, value: i64, expect: Expect) -> StateChange {
    StateChange { key: key.to_owned(), value: Some(json!(value)), expect }
}

#[tokio::test]
async fn several_keys_are_written_all_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).unwrap();
    let saved =
        store.commit(WriteState(vec![change("a", 1, Expect::Absent), change("b", 1, Expect::Absent)])).await;
    let etag_a = saved.unwrap()[0].etag.clone().unwrap();
    let stale = change("b", 2, Expect::ETag("999".to_owned()));
    let refused = store
        .commit(WriteState(vec![change("a", 2, Expect::ETag(etag_a.clone())), stale]))
        .await
        .unwrap_err();
    assert!(matches!(&refused, Error::Conflict { keys } if keys == &["b"]), "{refused}");
    store.commit(WriteState(vec![change("a", 3, Expect::ETag(etag_a))])).await.unwrap();
}

#[tokio::test]
async fn of_many_writers_with_one_etag_exactly_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).unwrap();
    let saved = store.commit(WriteState(vec![change("a", 0, Expect::Absent)])).await.unwrap();
    let etag = saved[0].etag.clone().unwrap();
    let writers =
        (1..=32).map(|n| store.commit(WriteState(vec![change("a", n, Expect::ETag(etag.clone()))])));
    let results = futures_util::future::join_all(writers).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}
