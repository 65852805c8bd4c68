//! The end of a turn: what is saved, in which order, and what a conflict or a failure does to it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use futures_util::{FutureExt, future::BoxFuture};
use proact::{
    adapter::{Adapter, JournalError},
    state::{CommitScope, Expect, StateChange, StateSaved},
    testkit::FakeChannel,
    turn::{AtTurnEnd, BotError, TurnContext, Unavailable},
};
use serde_json::json;

use super::book::{Book, Does, message, post};
use crate::support::start_usual;

/// State that was changed in a turn: how often it was put onto what others wrote, and what became of it.
#[derive(Debug, Default)]
struct Changed {
    scope: Option<CommitScope>,
    rebased: AtomicU32,
    hopeless: bool,
    log: Arc<Mutex<Vec<String>>>,
}

impl AtTurnEnd for Changed {
    fn commit_scope(&self) -> Option<CommitScope> {
        self.scope.clone()
    }

    fn changes(&self) -> Vec<StateChange> {
        let value = json!(self.rebased.load(Ordering::SeqCst));
        vec![StateChange { key: "k".to_owned(), value: Some(value), expect: Expect::Absent }]
    }

    fn saved(&self, saved: &[StateSaved]) {
        self.log.lock().unwrap().push(format!("saved {:?}", saved[0].etag));
    }

    fn rebase<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), BotError>> {
        assert_eq!(keys, ["k"]);
        self.rebased.fetch_add(1, Ordering::SeqCst);
        async { if self.hopeless { Err("both changed it".into()) } else { Ok(()) } }.boxed()
    }

    fn save_alone(&self) -> BoxFuture<'_, Result<(), BotError>> {
        self.log.lock().unwrap().push("saved alone".to_owned());
        async { if self.hopeless { Err("no room there".into()) } else { Ok(()) } }.boxed()
    }
}

/// A bot that changes state in each turn, and fails as its text says.
fn adapter(book: &Book, changed: &Arc<Changed>, runs: &Arc<AtomicU32>) -> Adapter {
    let (changed, runs) = (Arc::clone(changed), Arc::clone(runs));
    let told = book.clone();
    Adapter::builder(Does(move |ctx: TurnContext| {
        ctx.on_end(Arc::clone(&changed) as _);
        runs.fetch_add(1, Ordering::SeqCst);
        async move {
            match ctx.activity().text() {
                "fail" => Err("asked to".into()),
                "full" => Err(JournalError::new(Unavailable::new("full")).into()),
                _ => Ok(()),
            }
        }
    }))
    .journal(book.clone())
    .on_turn_error(move |_, error| {
        told.page().log.push(format!("told {error}"));
        async {}.boxed()
    })
    .build()
}

fn parts(foreign: bool, hopeless: bool) -> (Book, Arc<Changed>, Arc<AtomicU32>) {
    let book = Book::default();
    let scope = (!foreign).then(|| book.scope.clone());
    let changed = Changed { scope, hopeless, ..Changed::default() };
    (book, Arc::new(changed), Arc::default())
}

#[tokio::test]
async fn a_conflict_is_reapplied_and_the_handler_not_run_again() {
    let (book, changed, runs) = parts(false, false);
    book.page().conflicts = 3;
    let adapter = adapter(&book, &changed, &runs);
    assert_eq!(post(&adapter, &message("c", "x")).await.unwrap().status, 200);
    let tries = ["not finished x 200 0", "not finished x 200 1", "not finished x 200 2", "finished x 200 3"];
    assert_eq!(book.log(), tries);
    assert_eq!(*changed.log.lock().unwrap(), [r#"saved Some("new")"#]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_conflict_that_cannot_be_reapplied_fails_the_turn_and_saves_nothing() {
    let (book, changed, runs) = parts(false, true);
    book.page().conflicts = 1;
    let adapter = adapter(&book, &changed, &runs);
    assert_eq!(post(&adapter, &message("c", "x")).await.unwrap().status, 200);
    assert_eq!(book.log(), ["not finished x 200 0", "told both changed it", "finished x 200 "]);
    assert!(changed.log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn conflicts_without_end_end() {
    let (book, changed, runs) = parts(false, false);
    book.page().conflicts = 1000;
    let adapter = adapter(&book, &changed, &runs);
    // Its end, too, is met by a conflict, which without state none can be: that journal is broken.
    assert_eq!(post(&adapter, &message("c", "x")).await.unwrap().status, 503);
    assert!(book.log().len() < 100);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn foreign_state_is_saved_before_the_record_and_only_once() {
    let (book, changed, runs) = parts(true, false);
    let saving = adapter(&book, &changed, &runs);
    assert_eq!(post(&saving, &message("c", "x")).await.unwrap().status, 200);
    assert_eq!(*changed.log.lock().unwrap(), ["saved alone"]);
    assert_eq!(book.log(), ["finished x 200 "], "the journal is not given what is not its own");

    let (book, changed, runs) = parts(true, true);
    let failing = adapter(&book, &changed, &runs);
    assert_eq!(post(&failing, &message("c", "x")).await.unwrap().status, 200);
    assert_eq!(book.log(), ["told no room there", "finished x 200 "]);
}

#[tokio::test]
async fn a_handler_that_failed_saves_nothing() {
    let (book, changed, runs) = parts(false, false);
    let adapter = adapter(&book, &changed, &runs);
    assert_eq!(post(&adapter, &message("c", "fail")).await.unwrap().status, 200);
    assert_eq!(book.log(), ["told asked to", "finished fail 200 "]);
    assert!(changed.log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_store_without_room_is_503_without_apology_and_run_again() {
    let (book, changed, runs) = parts(false, false);
    let adapter = adapter(&book, &changed, &runs);
    // Deep in the sources of the handler's error, and in the journal's own.
    for _ in 0..2 {
        let answer = post(&adapter, &message("c", "full")).await.unwrap();
        assert_eq!(answer.status, 503);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert!(book.log().is_empty(), "neither told nor finished: {:?}", book.log());
    book.page().failures = 1;
    assert_eq!(post(&adapter, &message("c", "x")).await.unwrap().status, 503);
    assert_eq!(post(&adapter, &message("c", "x")).await.unwrap().status, 200);
    assert_eq!(book.log(), ["not finished x 200 0", "finished x 200 0"]);
}

#[tokio::test]
async fn a_store_that_takes_nothing_any_more_is_no_reason_to_apologize() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let bot = start_usual(folder.path()).await;
    let user = channel.user("c");
    bot.say(&user, "hello").await;
    // As after a failed sync: every command is refused for good.
    bot.engine.store().close().await;
    let posted = user.say(&bot.bot_url, "run").await.unwrap();
    assert_eq!(posted.status, 503, "nothing was done, so the channel is to send it again");
    assert_eq!(channel.ledger().texts("c"), ["echo hello"], "and nobody is told otherwise");
}
