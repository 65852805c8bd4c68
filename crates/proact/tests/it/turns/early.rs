//! The early answer, by the clock of the runtime: nothing here waits for real time.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use proact::{
    activity::{Activity, ActivityType, DeliveryMode},
    adapter::{Answer, EarlyTurn},
    auth::Caller,
    turn::{TurnContext, TurnKey, Unavailable},
};
use tokio::{
    sync::{Notify, Semaphore},
    time::{advance, sleep},
};

use super::book::{Book, Does, message, post, settle};

const TEN: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(1);

/// What the text of an activity asks for: `hold` waits for a permit, `fail` fails, `full` finds the store full; after a word, as in `hold
/// fail`, one after the other.
fn bot(book: &Book, permits: &Arc<Semaphore>) -> impl proact::turn::Bot {
    let (book, permits) = (book.clone(), Arc::clone(permits));
    Does(move |ctx: TurnContext| {
        let (book, permits) = (book.clone(), Arc::clone(&permits));
        async move {
            let text = ctx.activity().text();
            book.page().log.push(format!("begun {text}"));
            for word in text.split(' ') {
                match word {
                    "hold" => permits.acquire().await?.forget(),
                    "nap" => sleep(TEN * 3).await,
                    "fail" => return Err("asked to".into()),
                    "full" => return Err(Unavailable::new("full").into()),
                    _ => {}
                }
            }
            Ok(())
        }
    })
}

fn parts() -> (Book, Arc<Semaphore>) {
    (Book::default(), Arc::new(Semaphore::new(0)))
}

#[tokio::test(start_paused = true)]
async fn a_slow_turn_is_put_on_record_and_then_answered() {
    let (mut book, permits) = parts();
    let accept = Arc::new(Notify::new());
    book.accept = Some(Arc::clone(&accept));
    let adapter = book.adapter(bot(&book, &permits));
    let answer = post(&adapter, &message("c", "hold"));
    settle().await;
    advance(TEN - MOMENT).await;
    settle().await;
    assert_eq!(book.log(), ["begun hold"], "it is not slow yet");
    advance(MOMENT).await;
    settle().await;
    assert_eq!(book.log(), ["begun hold", "accepting"]);
    assert!(!answer.is_finished(), "no answer before it is on record");
    accept.notify_one();
    assert_eq!(answer.await.unwrap(), Answer::ok());
    permits.add_permits(1);
    settle().await;
    assert_eq!(book.log()[2..], ["accepted hold", "finished hold early 200 "]);
}

#[tokio::test(start_paused = true)]
async fn a_quick_turn_is_never_put_on_record() {
    let (book, permits) = parts();
    let adapter = book.adapter(bot(&book, &permits));
    assert_eq!(post(&adapter, &message("c", "quick")).await.unwrap(), Answer::ok());
    sleep(TEN * 2).await;
    assert_eq!(book.log(), ["begun quick", "finished quick 200 "]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_goes_on_while_it_is_put_on_record_and_its_end_comes_after() {
    let (mut book, permits) = parts();
    let accept = Arc::new(Notify::new());
    book.accept = Some(Arc::clone(&accept));
    let adapter = book.adapter(bot(&book, &permits));
    let answer = post(&adapter, &message("c", "hold"));
    settle().await;
    advance(TEN).await;
    settle().await;
    // It ends while the record is under way: a record after its end would be owed for ever.
    permits.add_permits(1);
    settle().await;
    assert_eq!(permits.available_permits(), 0, "the handler went on meanwhile");
    assert_eq!(book.log(), ["begun hold", "accepting"], "the end waits for the record");
    accept.notify_one();
    assert_eq!(answer.await.unwrap(), Answer::ok());
    settle().await;
    assert_eq!(book.log()[2..], ["accepted hold", "finished hold early 200 "]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_waits_for_its_place_is_answered_early_too() {
    let (book, permits) = parts();
    let adapter = book.adapter(bot(&book, &permits));
    // An invoke is not answered early, so it keeps its place.
    let mut invoke = message("c", "hold");
    invoke.activity_type = ActivityType::Invoke;
    let invoke = post(&adapter, &invoke);
    settle().await;
    let waiting = post(&adapter, &message("c", "waiting"));
    settle().await;
    advance(TEN).await;
    assert_eq!(waiting.await.unwrap(), Answer::ok());
    assert_eq!(book.log(), ["begun hold", "accepting", "accepted waiting"]);
    permits.add_permits(1);
    assert_eq!(invoke.await.unwrap().status, 501);
    settle().await;
    assert_eq!(
        book.log()[4..],
        ["begun waiting", "finished waiting early 200 "],
        "in its order all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn invokes_and_expected_replies_are_never_answered_early() {
    let (book, permits) = parts();
    let adapter = book.adapter(bot(&book, &permits));
    let invoke = Activity { activity_type: ActivityType::Invoke, ..message("a", "nap") };
    let expecting = message("b", "nap").with_delivery_mode(DeliveryMode::ExpectReplies);
    assert_eq!(post(&adapter, &invoke).await.unwrap().status, 501);
    let answer = post(&adapter, &expecting).await.unwrap();
    assert_eq!(answer.body.unwrap(), &br#"{"activities":[]}"#[..]);
    assert!(!book.log().iter().any(|line| line.starts_with("accept")), "{:?}", book.log());
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_was_answered_early_gives_up_its_place() {
    let (book, permits) = parts();
    let adapter = book.adapter(bot(&book, &permits));
    let slow = post(&adapter, &message("c", "hold"));
    settle().await;
    let next = post(&adapter, &message("c", "next"));
    settle().await;
    advance(TEN).await;
    assert_eq!(slow.await.unwrap(), Answer::ok());
    next.await.unwrap();
    settle().await;
    let log = book.log();
    assert!(log.iter().any(|line| line.starts_with("finished next")), "beside the slow one: {log:?}");
    assert!(!log.iter().any(|line| line.starts_with("finished hold")), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_on_record_is_not_promised_and_tried_again() {
    let (book, permits) = parts();
    book.page().refusals = 1;
    let adapter = book.adapter(bot(&book, &permits));
    let answer = post(&adapter, &message("c", "hold"));
    settle().await;
    advance(TEN).await;
    settle().await;
    assert_eq!(book.log(), ["begun hold", "accepting", "refused"]);
    assert!(!answer.is_finished());
    advance(TEN).await;
    assert_eq!(answer.await.unwrap(), Answer::ok());
    assert_eq!(book.log()[3..], ["accepting", "accepted hold"]);
    // And one that ends before it could be is answered with its own end.
    book.page().refusals = 9;
    let failing = post(&adapter, &message("d", "nap fail"));
    assert_eq!(failing.await.unwrap().status, 500);
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_the_early_answer_changes_nothing_about_it() {
    let (book, permits) = parts();
    let adapter = book.adapter(bot(&book, &permits));
    let activity = message("c", "nap fail");
    assert_eq!(post(&adapter, &activity).await.unwrap(), Answer::ok());
    sleep(TEN * 3).await;
    assert_eq!(book.log().last().unwrap(), "finished nap fail early 200 ");
    assert_eq!(post(&adapter, &activity).await.unwrap(), Answer::ok(), "not 500, and not run again");
    assert_eq!(book.log().iter().filter(|line| line.starts_with("begun")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_found_the_store_full_after_its_early_answer_is_run_until_it_is_stored() {
    let (book, permits) = parts();
    book.page().failures = 2;
    let adapter = book.adapter(bot(&book, &permits));
    let activity = message("c", "nap");
    assert_eq!(post(&adapter, &activity).await.unwrap(), Answer::ok());
    sleep(TEN * 30).await;
    let run = ["begun nap", "not finished nap early 200 "];
    let log = book.log();
    assert_eq!(log[..4], ["begun nap", "accepting", "accepted nap", run[1]]);
    assert_eq!(log[4..], [run[0], run[1], run[0], "finished nap early 200 "], "{log:?}");
    assert_eq!(post(&adapter, &activity).await.unwrap(), Answer::ok());
    assert_eq!(book.log().len(), log.len());
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_stored_does_not_keep_the_adapter_from_stopping() {
    let (book, permits) = parts();
    let adapter = book.adapter(bot(&book, &permits));
    assert_eq!(post(&adapter, &message("c", "nap full")).await.unwrap(), Answer::ok());
    sleep(TEN * 3).await;
    adapter.drain().await;
    assert!(!book.log().iter().any(|line| line.contains("finished")), "it stays owed: {:?}", book.log());
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_turn_is_run_again_in_order_and_holds_nobody_up_for_long() {
    let (book, permits) = parts();
    let activity = message("c", "hold");
    let conversation = activity.conversation_key().unwrap();
    let body = Bytes::from(activity.encode());
    let key = TurnKey::of(&activity, &conversation, &body);
    book.page().owed =
        vec![EarlyTurn { key, conversation, caller: Caller::anonymous(), activity: body, runs: 2 }];
    let adapter = book.adapter(bot(&book, &permits));
    adapter.resume().await;
    let later = post(&adapter, &message("c", "later"));
    // The channel repeats it: it was answered long ago.
    settle().await;
    assert_eq!(post(&adapter, &activity).await.unwrap(), Answer::ok());
    assert_eq!(book.log(), ["begun hold"], "once, and before the later one");
    advance(TEN - MOMENT).await;
    settle().await;
    assert!(!later.is_finished());
    advance(MOMENT).await;
    later.await.unwrap();
    permits.add_permits(1);
    settle().await;
    assert_eq!(book.log().last().unwrap(), "finished hold early 200 ");
    assert!(!book.log().iter().any(|line| line == "accepted hold"), "it is on record already");
}
