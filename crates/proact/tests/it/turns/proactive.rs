//! Proactive turns: their place, what they send, and what they come to.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::{FutureExt, future::BoxFuture};
use proact::{
    activity::{Activity, ConversationReference},
    adapter::{Adapter, ContinueError, OutboxTurn, ProactiveEnd},
    testkit::{ChannelAnswer, FakeChannel},
    turn::{Beside, BotError, Leave, Middleware, Next, TurnContext, TurnKey, TurnKind},
};
use tokio::sync::Semaphore;

use super::book::{Book, Does, message, post, settle};

fn turn(reference: ConversationReference) -> OutboxTurn {
    OutboxTurn {
        key: TurnKey([7; 16]),
        reference,
        idempotency_key: None,
        leave: Arc::new(Always),
        beside: Arc::new(Nothing),
    }
}

/// For turns beside whose message nothing is sent.
pub(super) struct Nothing;

impl Beside for Nothing {
    fn take<'a>(&'a self, _: &'a TurnContext, _: Activity) -> BoxFuture<'a, Result<(), BotError>> {
        async { Err("nothing was to be sent beside it".into()) }.boxed()
    }
}

/// What may always be sent.
pub(super) struct Always;

impl Leave for Always {
    fn may_leave(&self) -> bool {
        true
    }
}

async fn yes() -> Result<bool, BotError> {
    Ok(true)
}

/// Stops, or fails, before or after what follows, as it is told; and looks at the turn.
struct Around(&'static str);

impl Middleware for Around {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        assert_eq!(ctx.kind(), TurnKind::Proactive);
        assert!(ctx.activity().is_continuation());
        match self.0 {
            "stop" => return Ok(()),
            "fail before" => return Err("before".into()),
            "panic" => panic!("before"),
            _ => next.run(ctx).await?,
        }
        if self.0 == "fail after" { Err("after".into()) } else { Ok(()) }
    }
}

fn silent() -> impl proact::turn::Bot {
    Does(|_| async { unreachable!("the bot has no part in a message of the outbox") })
}

#[tokio::test]
async fn a_message_of_the_outbox_is_no_reply_and_carries_its_id() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(silent()).middleware(Around("")).build();
    let incoming = channel.user("c").message("x");
    let message = OutboxTurn { idempotency_key: Some("n1".to_owned()), ..turn(incoming.reference()) };
    let end = adapter.proactive_turn(message, "by the way".into(), yes()).await;
    let ProactiveEnd::Sent { delivered, .. } = end else { panic!("{end:?}") };
    assert_eq!(delivered.status, Some(200));
    let ledger = channel.ledger();
    let post = &ledger[0].post;
    assert_eq!((post.reply_to.as_deref(), post.idempotency_key.as_deref()), (None, Some("n1")));
    assert_eq!(post.activity().get("replyToId"), None);
    assert_eq!(post.activity()["recipient"]["id"], "user");
}

#[tokio::test]
async fn the_end_says_what_middleware_and_channel_did() {
    let channel = FakeChannel::start();
    let reference = channel.user("c").message("x").reference();
    for (how, expected, posts) in [
        ("stop", "NotSent(Stopped)", 0),
        ("fail before", "NotSent(Failed(", 0),
        ("panic", "NotSent(Failed(", 0),
        ("fail after", "Sent {", 1),
        ("", "Sent {", 1),
    ] {
        let before = channel.ledger().len();
        let adapter = Adapter::builder(silent()).middleware(Around(how)).build();
        let end = adapter.proactive_turn(turn(reference.clone()), "x".into(), yes()).await;
        assert!(format!("{end:?}").starts_with(expected), "{how}: {end:?}");
        assert_eq!(channel.ledger().len() - before, posts, "{how}");
    }
    let adapter = Adapter::builder(silent()).build();
    channel.script("c", [ChannelAnswer::throttled(None)]);
    let end = adapter.proactive_turn(turn(reference), "x".into(), yes()).await;
    let ProactiveEnd::Failed(error) = end else { panic!("{end:?}") };
    assert!(error.is_retryable());
}

#[tokio::test]
async fn nothing_is_sent_that_was_not_begun() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(silent()).build();
    let reference = channel.user("c").message("x").reference();
    let end = adapter.proactive_turn(turn(reference.clone()), "x".into(), async { Ok(false) }).await;
    assert!(matches!(end, ProactiveEnd::NotBegun(None)), "{end:?}");
    let end = adapter.proactive_turn(turn(reference), "x".into(), async { Err("no room".into()) }).await;
    assert!(matches!(end, ProactiveEnd::NotBegun(Some(_))), "{end:?}");
    assert!(channel.ledger().is_empty());
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_is_a_failure_for_good_once_begun() {
    let adapter = Adapter::builder(silent()).build();
    let whole = message("c", "x").reference();
    let nowhere = ConversationReference { service_url: None, ..whole.clone() };
    let outside =
        ConversationReference { service_url: Some("http://example.com/".to_owned()), ..whole.clone() };
    let nobody = ConversationReference { conversation: None, ..whole };
    for (reference, named) in [(nowhere, "serviceUrl"), (outside, "example.com"), (nobody, "conversation.id")]
    {
        let begun = AtomicU32::new(0);
        let begin = async {
            begun.fetch_add(1, Ordering::SeqCst);
            Ok(true)
        };
        let end = adapter.proactive_turn(turn(reference.clone()), "x".into(), begin).await;
        let ProactiveEnd::Failed(error) = end else { panic!("{named}: {end:?}") };
        assert!(!error.is_retryable() && !error.is_unknown(), "{error}");
        assert!(error.to_string().contains(named), "{error}");
        assert_eq!(begun.load(Ordering::SeqCst), 1, "the failed attempt is on record");
        let refused = adapter.continue_conversation(&reference, async |_| Ok(())).await.unwrap_err();
        assert!(matches!(refused, ContinueError::Reference(_) | ContinueError::Refused(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn continue_conversation_waits_for_nobody_and_tells_who_called_of_a_failure() {
    let book = Book::default();
    let permits = Arc::new(Semaphore::new(0));
    let hold = Arc::clone(&permits);
    let adapter = book.adapter(Does(move |_| {
        let hold = Arc::clone(&hold);
        async move {
            hold.acquire().await?.forget();
            Ok(())
        }
    }));
    let running = post(&adapter, &message("c", "hold"));
    settle().await;
    let reference = message("c", "x").reference();
    adapter.continue_conversation(&reference, async |_| Ok(())).await.unwrap();
    for result in [
        adapter.continue_conversation(&reference, async |_| Err("asked to".into())).await,
        adapter.continue_conversation(&reference, async |_| panic!("asked to")).await,
    ] {
        let Err(ContinueError::Turn(error)) = result else { panic!("{result:?}") };
        assert!(error.to_string().contains("asked to"), "{error}");
    }
    permits.add_permits(1);
    running.await.unwrap();
    adapter.drain().await;
    let stopped = adapter.continue_conversation(&reference, async |_| Ok(())).await;
    assert!(matches!(stopped, Err(ContinueError::Stopping)), "{stopped:?}");
}
