//! Both stores of transcripts keep the same contract; the one on disk keeps it across a restart.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use proact::{
    activity::{Activity, ConversationKey},
    clock::{Clock, SystemClock},
    middleware::transcript::{
        MIGRATION, MemoryTranscripts, StoredTranscripts, TranscriptConversation, TranscriptEntry,
        TranscriptFilter, TranscriptKind, TranscriptPage, TranscriptStore, keep_for,
    },
    store::Store,
    testkit::TestClock,
};
use proptest::prelude::*;
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn open(folder: &Path) -> (Store, StoredTranscripts) {
    let store = Store::open(&folder.join("proact.db"), &[MIGRATION], Arc::new(SystemClock)).unwrap();
    (store.clone(), StoredTranscripts::new(store))
}

fn key(conversation: &str) -> ConversationKey {
    ConversationKey::new("test", conversation).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// An entry of a second, with something in it that no type knows.
fn entry(conversation: &str, second: i64, text: &str) -> TranscriptEntry {
    let mut activity = Activity::message(text).with_value(json!({"n": [null, 1.5]}));
    activity.extra.insert("x-new".to_owned(), json!(null));
    TranscriptEntry { conversation: key(conversation), at: at(second), kind: TranscriptKind::Sent, activity }
}

fn texts(page: &TranscriptPage) -> Vec<&str> {
    page.lines.iter().map(|line| line.entry.activity.text()).collect()
}

/// What every store promises.
async fn keeps_the_contract(store: &dyn TranscriptStore) {
    let whole = TranscriptFilter::default();
    assert_eq!(store.page(&key("a"), whole).await.unwrap(), TranscriptPage::default());
    assert!(store.conversations(None, 10).await.unwrap().is_empty());

    store.append(Vec::new()).await.unwrap();
    store.append((0..5).map(|n| entry("a", n, &format!("a{n}"))).collect()).await.unwrap();
    store.append(vec![entry("b", 2, "b0"), entry("a", 5, "a5")]).await.unwrap();
    let page = store.page(&key("a"), whole).await.unwrap();
    assert_eq!(texts(&page), ["a0", "a1", "a2", "a3", "a4", "a5"]);
    assert_eq!(
        (page.lines[3].entry.clone(), page.next),
        (entry("a", 3, "a3"), None),
        "nothing of it is lost"
    );

    // Page by page, in both directions.
    for (newest_first, expected) in [(false, "a0 a1|a2 a3|a4 a5"), (true, "a5 a4|a3 a2|a1 a0")] {
        let (mut after, mut pages) = (None, Vec::new());
        loop {
            let page =
                store.page(&key("a"), TranscriptFilter { newest_first, after, limit: 2 }).await.unwrap();
            pages.push(texts(&page).join(" "));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(pages.join("|"), expected);
    }
    let none = store.page(&key("a"), TranscriptFilter { limit: 0, ..whole }).await.unwrap();
    assert_eq!((none.lines.len(), none.next.is_some()), (1, true), "a page has a line at least");
    let last = page.lines[5].seq;
    let beyond = TranscriptFilter { after: Some(last), ..whole };
    assert!(store.page(&key("a"), beyond).await.unwrap().lines.is_empty());
    let all = TranscriptFilter { after: Some(u64::MAX), newest_first: true, limit: 9 };
    assert_eq!(store.page(&key("a"), all).await.unwrap().lines.len(), 6);

    store.append(vec![entry("B", 9, "x"), entry("ä/|%", 9, "x")]).await.unwrap();
    let found = store.conversations(None, 10).await.unwrap();
    let ids: Vec<_> = found.iter().map(|found| found.conversation.conversation_id()).collect();
    assert_eq!(ids, ["B", "a", "b", "ä/|%"]);
    let a = TranscriptConversation { conversation: key("a"), first_at: at(0), last_at: at(5) };
    assert_eq!(found[1], a);
    assert_eq!(store.conversations(Some(key("B")), 1).await.unwrap(), [a]);
    assert!(store.conversations(Some(key("ä/|%")), 1).await.unwrap().is_empty());

    // By age: the oldest first, and no more than asked for.
    assert_eq!(store.prune(at(3), 2).await.unwrap(), 2);
    assert_eq!(texts(&store.page(&key("a"), whole).await.unwrap()), ["a2", "a3", "a4", "a5"]);
    assert_eq!(store.prune(at(3), 100).await.unwrap(), 2, "of both conversations");
    assert_eq!(store.prune(at(3), 100).await.unwrap(), 0);
    assert!(store.page(&key("b"), whole).await.unwrap().lines.is_empty());

    // By conversation.
    assert_eq!(store.forget(&key("a")).await.unwrap(), 3);
    assert_eq!(store.forget(&key("a")).await.unwrap(), 0);
    assert!(store.page(&key("a"), whole).await.unwrap().lines.is_empty());

    // A reader that went away comes back to nothing that it knows already.
    store.append(vec![entry("a", 10, "new")]).await.unwrap();
    assert_eq!(texts(&store.page(&key("a"), beyond).await.unwrap()), ["new"]);
}

#[tokio::test]
async fn the_one_in_memory() {
    keeps_the_contract(&MemoryTranscripts::new(100)).await;
    let small = MemoryTranscripts::new(2);
    small.append((0..5).map(|n| entry("a", n, &format!("a{n}"))).collect()).await.unwrap();
    assert_eq!(texts(&small.page(&key("a"), TranscriptFilter::default()).await.unwrap()), ["a3", "a4"]);
}

#[tokio::test]
async fn the_one_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (store, transcripts) = open(folder.path());
    keeps_the_contract(&transcripts).await;
    // More than one commit forgets.
    transcripts.append((0..1234).map(|n| entry("long", n, "x")).collect()).await.unwrap();
    let page = TranscriptFilter { limit: 10_000, ..TranscriptFilter::default() };
    let page = transcripts.page(&key("long"), page).await.unwrap();
    assert_eq!((page.lines.len(), page.next.is_some()), (500, true));
    assert_eq!(transcripts.forget(&key("long")).await.unwrap(), 1234);
    store.close().await;
    drop((store, transcripts));
    let (_, again) = open(folder.path());
    assert_eq!(texts(&again.page(&key("a"), TranscriptFilter::default()).await.unwrap()), ["new"]);
}

#[tokio::test]
async fn without_its_tables_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
    let transcripts = StoredTranscripts::new(store);
    let error = transcripts.append(vec![entry("a", 1, "x")]).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("transcript"), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_forgotten_as_time_goes_by() {
    let store = MemoryTranscripts::new(10_000);
    let clock = TestClock::starting(at(0));
    store.append((0..1200).map(|n| entry("a", n / 2, "x")).collect()).await.unwrap();
    let (stop, kept) = (CancellationToken::new(), Duration::from_secs(3600));
    let keeping = tokio::spawn(keep_for(store.clone(), kept, Arc::new(clock.clone()), stop.clone()));
    let left = async || {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut left = 0;
        let mut filter = TranscriptFilter { limit: 500, ..TranscriptFilter::default() };
        loop {
            let page = store.page(&key("a"), filter).await.unwrap();
            left += page.lines.len();
            filter.after = page.next;
            if page.next.is_none() {
                return left;
            }
        }
    };
    assert_eq!(left().await, 1200);
    // In rounds of ten minutes; an hour and ten minutes on, whatever is older than ten minutes is gone, in steps.
    clock.advance(Duration::from_secs(4200 - 5));
    assert_eq!(left().await, 10);
    clock.advance(Duration::from_secs(600));
    assert_eq!(left().await, 0);
    assert!(clock.now() > at(0));
    stop.cancel();
    keeping.await.unwrap();
}

/// Something that is done to a store, or asked of it.
#[derive(Debug, Clone)]
enum Op {
    Append(Vec<(u8, i64)>),
    Page { conversation: u8, newest_first: bool, after: Option<u64>, limit: usize },
    Conversations { after: Option<u8>, limit: usize },
    Forget(u8),
    Prune { before: i64, limit: usize },
}

fn any_op() -> impl Strategy<Value = Op> {
    let conversation = 0..4_u8;
    prop_oneof![
        3 => proptest::collection::vec((conversation.clone(), 0..20_i64), 0..6).prop_map(Op::Append),
        3 => (conversation.clone(), any::<bool>(), proptest::option::of(0..60_u64), 0..6_usize).prop_map(
            |(conversation, newest_first, after, limit)| Op::Page { conversation, newest_first, after, limit }
        ),
        1 => (proptest::option::of(conversation.clone()), 0..6_usize)
            .prop_map(|(after, limit)| Op::Conversations { after, limit }),
        1 => conversation.prop_map(Op::Forget),
        1 => (0..20_i64, 0..6_usize).prop_map(|(before, limit)| Op::Prune { before, limit }),
    ]
}

/// What a store says to an operation, in words.
async fn told(store: &dyn TranscriptStore, op: &Op) -> String {
    let id = |n: &u8| key(&format!("c{n}"));
    match op {
        Op::Append(entries) => {
            let entries = entries.iter().map(|(n, second)| entry(&format!("c{n}"), *second, "x")).collect();
            format!("{:?}", store.append(entries).await.unwrap())
        }
        Op::Page { conversation, newest_first, after, limit } => {
            let filter = TranscriptFilter { newest_first: *newest_first, after: *after, limit: *limit };
            format!("{:?}", store.page(&id(conversation), filter).await.unwrap())
        }
        Op::Conversations { after, limit } => {
            format!("{:?}", store.conversations(after.as_ref().map(id), *limit).await.unwrap())
        }
        Op::Forget(conversation) => format!("{:?}", store.forget(&id(conversation)).await.unwrap()),
        Op::Prune { before, limit } => format!("{:?}", store.prune(at(*before), *limit).await.unwrap()),
    }
}

/// The store on disk does what the one in memory does, whose way is plain to see.
#[test]
fn both_stores_say_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ops = proptest::collection::vec(any_op(), 1..40);
    proptest!(ProptestConfig::with_cases(48), |(ops in ops)| {
        let folder = tempfile::tempdir().unwrap();
        let (_store, stored) = open(folder.path());
        let memory = MemoryTranscripts::new(10_000);
        for op in &ops {
            let (on_disk, in_memory) = runtime.block_on(async { (told(&stored, op).await, told(&memory, op).await) });
            prop_assert_eq!(on_disk, in_memory, "{:?}", op);
        }
    });
}
