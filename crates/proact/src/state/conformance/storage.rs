//! The storage by itself.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::state::{Expect, StateChange, Storage, StorageError};

/// Asks a storage every question of the contract, each on a storage of its own: `make` gives an empty one.
///
/// # Panics
/// Where the storage does not keep the contract.
pub async fn storage_suite<S: Storage, F: Future<Output = S>>(make: impl Fn() -> F) {
    unknown_and_no_keys(&make().await).await;
    any_text_is_a_key(&make().await).await;
    any_json_is_a_value(&make().await).await;
    a_batch_is_one_write(&make().await).await;
    etags_protect(&make().await).await;
    any_wins(&make().await).await;
    absent_means_absent(&make().await).await;
    an_empty_etag_fails(&make().await).await;
    a_key_comes_once(&make().await).await;
    a_write_is_atomic_over_its_keys(&make().await).await;
    deleting(&make().await).await;
    a_deleted_items_etag_is_gone(&make().await).await;
    of_parallel_writers_one_wins(make().await).await;
    updates_are_never_lost(make().await).await;
}

fn put(key: &str, value: Value, expect: Expect) -> StateChange {
    StateChange::put(key, value, expect)
}

async fn write(storage: &impl Storage, changes: Vec<StateChange>) -> Vec<Option<String>> {
    let keys: Vec<_> = changes.iter().map(|change| change.key.clone()).collect();
    let saved = storage.write(changes).await.expect("the write");
    assert_eq!(saved.iter().map(|saved| &saved.key).collect::<Vec<_>>(), keys.iter().collect::<Vec<_>>());
    saved.into_iter().map(|saved| saved.etag).collect()
}

/// Writes one value and returns its ETag.
async fn write_one(storage: &impl Storage, key: &str, value: Value, expect: Expect) -> String {
    let etag =
        write(storage, vec![put(key, value, expect)]).await.remove(0).expect("an ETag for what was put");
    assert!(!etag.is_empty() && etag != "*", "an ETag that means something");
    etag
}

/// The value and ETag under a key.
async fn read_one(storage: &impl Storage, key: &str) -> Option<(Value, String)> {
    let mut found = storage.read(&[key.to_owned()]).await.expect("the read");
    let item = found.remove(key).map(|item| (item.value, item.etag));
    assert!(found.is_empty(), "a read answers with what was asked for");
    item
}

async fn value(storage: &impl Storage, key: &str) -> Option<Value> {
    read_one(storage, key).await.map(|(value, _)| value)
}

async fn conflict(storage: &impl Storage, changes: Vec<StateChange>) -> Vec<String> {
    match storage.write(changes).await {
        Err(StorageError::Conflict { mut keys }) => {
            keys.sort();
            keys
        }
        other => panic!("a conflict was due: {other:?}"),
    }
}

async fn unknown_and_no_keys(storage: &impl Storage) {
    assert_eq!(read_one(storage, "unknown").await, None);
    assert!(storage.read(&[]).await.expect("reading nothing").is_empty());
    assert!(storage.write(vec![]).await.expect("writing nothing").is_empty());
    storage.delete(&[]).await.expect("deleting nothing");
}

async fn any_text_is_a_key(storage: &impl Storage) {
    let long = "k".repeat(1000);
    let keys = [
        "!@#$%^&*()~/\\><,.?';\"`~",
        "",
        " ",
        "A",
        "a",
        "a ",
        "ä",
        "a\u{308}",
        "%61",
        "line\nbreak\t",
        "😀",
        &long,
    ];
    for (number, key) in keys.iter().enumerate() {
        write_one(storage, key, json!(number), Expect::Absent).await;
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(value(storage, key).await, Some(json!(number)), "key {key:?}");
    }
}

async fn any_json_is_a_value(storage: &impl Storage) {
    let values = [
        json!({ "a": { "b": [1, -2, 3.5, 1e300, u64::MAX, i64::MIN, true, null] }, "": "", "eTag": "x", "$type": "y" }),
        json!({}),
        json!([]),
        json!("text \u{0} \u{1f600} \" \\"),
        json!(0),
        json!(null),
    ];
    for value in values {
        let etag = write_one(storage, "k", value.clone(), Expect::Any).await;
        assert_eq!(read_one(storage, "k").await, Some((value, etag)));
    }
}

async fn a_batch_is_one_write(storage: &impl Storage) {
    let batch = ["b1", "b2", "b3"].map(|key| put(key, json!({ "key": key }), Expect::Absent));
    let etags = write(storage, batch.to_vec()).await;
    let keys = ["b1", "b2", "b3", "b4", "b1"].map(str::to_owned);
    let found = storage.read(&keys).await.expect("the read");
    assert_eq!(found.len(), 3);
    for (change, etag) in batch.iter().zip(etags) {
        let item = &found[&change.key];
        assert_eq!((Some(&item.value), Some(&item.etag)), (change.value.as_ref(), etag.as_ref()));
    }
}

async fn etags_protect(storage: &impl Storage) {
    let first = write_one(storage, "k", json!(1), Expect::Absent).await;
    // The same value again is a new version all the same.
    let second = write_one(storage, "k", json!(1), Expect::ETag(first.clone())).await;
    assert_ne!(first, second);
    assert_eq!(read_one(storage, "k").await, Some((json!(1), second.clone())));
    for stale in [first, "never was".to_owned()] {
        assert_eq!(conflict(storage, vec![put("k", json!(3), Expect::ETag(stale.clone()))]).await, ["k"]);
        assert_eq!(conflict(storage, vec![StateChange::delete("k", Expect::ETag(stale))]).await, ["k"]);
    }
    assert_eq!(value(storage, "k").await, Some(json!(1)));
    assert_eq!(conflict(storage, vec![put("new", json!(1), Expect::ETag(second))]).await, ["new"]);
    assert_eq!(value(storage, "new").await, None);
}

async fn any_wins(storage: &impl Storage) {
    for expect in [Expect::Any, Expect::Any, Expect::ETag("*".to_owned())] {
        let before = read_one(storage, "k").await.map(|(_, etag)| etag);
        let after = write_one(storage, "k", json!("any"), expect).await;
        assert_ne!(before, Some(after));
    }
    write_one(storage, "new", json!(1), Expect::ETag("*".to_owned())).await;
}

async fn absent_means_absent(storage: &impl Storage) {
    write_one(storage, "k", json!(1), Expect::Absent).await;
    assert_eq!(conflict(storage, vec![put("k", json!(2), Expect::Absent)]).await, ["k"]);
    assert_eq!(value(storage, "k").await, Some(json!(1)));
}

async fn an_empty_etag_fails(storage: &impl Storage) {
    let empty = || Expect::ETag(String::new());
    write_one(storage, "k", json!(1), Expect::Any).await;
    for change in
        [put("k", json!(2), empty()), put("new", json!(2), empty()), StateChange::delete("k", empty())]
    {
        let error = storage.write(vec![put("other", json!(1), Expect::Any), change]).await;
        assert!(matches!(error, Err(StorageError::EmptyETag { .. })), "{error:?}");
    }
    assert_eq!(value(storage, "k").await, Some(json!(1)));
    assert_eq!((value(storage, "new").await, value(storage, "other").await), (None, None));
}

async fn a_key_comes_once(storage: &impl Storage) {
    let twice = vec![put("k", json!(1), Expect::Any), put("k", json!(2), Expect::Any)];
    let error = storage.write(twice).await;
    assert!(matches!(error, Err(StorageError::RepeatedKey { .. })), "{error:?}");
    assert_eq!(value(storage, "k").await, None);
}

async fn a_write_is_atomic_over_its_keys(storage: &impl Storage) {
    let etag = write_one(storage, "a", json!(1), Expect::Any).await;
    let stale = write_one(storage, "b", json!(1), Expect::Any).await;
    write_one(storage, "b", json!(2), Expect::Any).await;
    let changes = vec![
        put("a", json!("lost"), Expect::ETag(etag.clone())),
        put("new", json!("lost"), Expect::Any),
        put("b", json!("lost"), Expect::ETag(stale)),
        put("c", json!("lost"), Expect::ETag("never was".to_owned())),
        StateChange::delete("a2", Expect::Any),
    ];
    assert_eq!(conflict(storage, changes).await, ["b", "c"], "all keys in conflict are named");
    assert_eq!(read_one(storage, "a").await, Some((json!(1), etag.clone())));
    assert_eq!((value(storage, "b").await, value(storage, "new").await), (Some(json!(2)), None));

    let etags = write(
        storage,
        vec![StateChange::delete("a", Expect::ETag(etag)), put("new", json!(1), Expect::Absent)],
    )
    .await;
    assert_eq!(etags.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    assert_eq!((value(storage, "a").await, value(storage, "new").await), (None, Some(json!(1))));
}

async fn deleting(storage: &impl Storage) {
    storage.delete(&["unknown".to_owned()]).await.expect("deleting what is not there");
    assert_eq!(write(storage, vec![StateChange::delete("unknown", Expect::Any)]).await, [None]);
    assert_eq!(write(storage, vec![StateChange::delete("unknown", Expect::Absent)]).await, [None]);
    write(storage, ["a", "b", "c"].map(|key| put(key, json!(1), Expect::Any)).to_vec()).await;
    storage.delete(&["a", "unknown", "b", "a"].map(str::to_owned)).await.expect("deleting some");
    let left = storage.read(&["a", "b", "c"].map(str::to_owned)).await.expect("the read");
    assert_eq!(left.keys().collect::<Vec<_>>(), ["c"]);
    assert_eq!(conflict(storage, vec![StateChange::delete("c", Expect::Absent)]).await, ["c"]);
}

async fn a_deleted_items_etag_is_gone(storage: &impl Storage) {
    let old = write_one(storage, "k", json!(1), Expect::Any).await;
    storage.delete(&["k".to_owned()]).await.expect("the deletion");
    assert_eq!(conflict(storage, vec![put("k", json!(2), Expect::ETag(old.clone()))]).await, ["k"]);
    assert_eq!(conflict(storage, vec![StateChange::delete("k", Expect::ETag(old.clone()))]).await, ["k"]);
    write_one(storage, "k", json!(1), Expect::Absent).await;
    assert_eq!(conflict(storage, vec![put("k", json!(2), Expect::ETag(old))]).await, ["k"]);
}

async fn of_parallel_writers_one_wins(storage: impl Storage) {
    let storage = Arc::new(storage);
    for round in 0..5 {
        let expect = match read_one(&*storage, "k").await {
            Some((_, etag)) => Expect::ETag(etag),
            None => Expect::Absent,
        };
        let writers = (0..8).map(|writer| {
            let (storage, expect) = (Arc::clone(&storage), expect.clone());
            tokio::spawn(async move {
                storage.write(vec![put("k", json!([round, writer]), expect)]).await.is_ok()
            })
        });
        let won: Vec<bool> =
            join_all(writers).await.into_iter().map(|writer| writer.expect("a writer")).collect();
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "exactly one writer of one ETag wins");
        let winner = won.iter().position(|won| *won).expect("the winner");
        assert_eq!(value(&*storage, "k").await, Some(json!([round, winner])));
    }
}

async fn updates_are_never_lost(storage: impl Storage) {
    let storage = Arc::new(storage);
    write_one(&*storage, "k", json!(0), Expect::Absent).await;
    let counters = (0..4).map(|_| {
        let storage = Arc::clone(&storage);
        tokio::spawn(async move {
            for _ in 0..10 {
                loop {
                    let (count, etag) = read_one(&*storage, "k").await.expect("the counter");
                    let next = json!(count.as_u64().expect("a number") + 1);
                    match storage.write(vec![put("k", next, Expect::ETag(etag))]).await {
                        Ok(_) => break,
                        Err(StorageError::Conflict { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        })
    });
    for counter in join_all(counters).await {
        counter.expect("a counter");
    }
    assert_eq!(value(&*storage, "k").await, Some(json!(40)));
}
