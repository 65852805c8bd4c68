//! The order of arrival, and what a turn leaves behind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use proact::{
    adapter::{
        Adapter, Answer, Begun, EarlyTurn, FinishError, JournalError, TurnEnd, TurnJournal, TurnStart,
    },
    state::{CommitScope, StateSaved},
    turn::TurnContext,
};
use tokio::sync::Notify;

use super::book::{Book, Does, message, post, settle};

#[tokio::test(start_paused = true)]
async fn the_order_is_that_of_arrival_however_long_the_journal_takes() {
    let look_up = Arc::new(Notify::new());
    let mut book = Book::default();
    book.begin = Some(Arc::clone(&look_up));
    let adapter = book.adapter(Does(|_| async { Ok(()) }));
    let first = post(&adapter, &message("c", "slow to look up"));
    settle().await;
    let second = post(&adapter, &message("c", "second"));
    settle().await;
    assert!(
        book.log().is_empty(),
        "the second waits for the first, which is still looked up: {:?}",
        book.log()
    );
    look_up.notify_one();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(book.log(), ["finished slow to look up 200 ", "finished second 200 "]);
}

/// A journal that panics where no handler stands in between, until it is told not to.
struct Panics(Arc<AtomicBool>);

impl TurnJournal for Panics {
    fn begin<'a>(
        &'a self,
        _: TurnStart<'a>,
    ) -> futures_util::future::BoxFuture<'a, Result<Begun, JournalError>> {
        async { Ok(Begun::New) }.boxed()
    }

    fn attach(&self, _: &TurnContext) {
        assert!(!self.0.load(Ordering::SeqCst), "asked to panic");
    }

    fn accept_early(&self, _: EarlyTurn) -> futures_util::future::BoxFuture<'_, Result<(), JournalError>> {
        async { Ok(()) }.boxed()
    }

    fn finish<'a>(
        &'a self,
        _: &'a TurnContext,
        _: TurnEnd<'a>,
    ) -> futures_util::future::BoxFuture<'a, Result<Vec<StateSaved>, FinishError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn unfinished(&self) -> futures_util::future::BoxFuture<'_, Result<Vec<EarlyTurn>, JournalError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn commit_scope(&self) -> Option<CommitScope> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_outside_the_handler_leaves_neither_place_nor_turn_behind() {
    let panics = Arc::new(AtomicBool::new(true));
    let adapter = Adapter::builder(Does(|_| async { Ok(()) })).journal(Panics(Arc::clone(&panics))).build();
    let activity = message("c", "x");
    assert_eq!(post(&adapter, &activity).await.unwrap().status, 500);
    panics.store(false, Ordering::SeqCst);
    assert_eq!(post(&adapter, &activity).await.unwrap(), Answer::ok(), "it is run when it comes again");
    assert_eq!(post(&adapter, &message("c", "y")).await.unwrap(), Answer::ok(), "its place is free");
}

#[tokio::test(start_paused = true)]
async fn what_is_written_there_by_anyone_is_not_believed() {
    let adapter = Book::default().adapter(Does(|ctx: TurnContext| async move {
        assert_eq!(ctx.activity().caller_id, None);
        Ok(())
    }));
    let mut activity = message("c", "x");
    activity.caller_id = Some("urn:botframework:azure".to_owned());
    assert_eq!(post(&adapter, &activity).await.unwrap(), Answer::ok());
}

#[tokio::test(start_paused = true)]
async fn draining_waits_for_turns_that_wait_for_their_place() {
    let book = Book::default();
    let adapter = book.adapter(Does(|_| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    }));
    let turns: Vec<_> = ["a", "b", "c"].map(|text| post(&adapter, &message("c", text))).into();
    settle().await;
    adapter.drain().await;
    assert_eq!(book.log(), ["finished a 200 ", "finished b 200 ", "finished c 200 "]);
    for turn in turns {
        assert_eq!(turn.await.unwrap(), Answer::ok());
    }
    assert_eq!(post(&adapter, &message("c", "d")).await.unwrap().status, 503);
}
