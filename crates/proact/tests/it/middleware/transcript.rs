//! What the logger writes down, and that no turn notices it.

use std::{
    backtrace::Backtrace,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use proact::{
    activity::{Activity, ActivityType, ConversationKey, DeliveryMode},
    adapter::{Adapter, OutboxTurn},
    app::{self, App},
    clock::{Clock, SystemClock},
    middleware::transcript::{
        MemoryTranscripts, TranscriptConversation, TranscriptEntry, TranscriptError, TranscriptFilter,
        TranscriptLogger, TranscriptPage, TranscriptStore,
    },
    testkit::{FakeChannel, TestClock},
    turn::{Beside, Bot, BotError, Leave, Middleware, Next, TurnContext, TurnKey},
};
use serde_json::json;
use tokio::sync::Notify;

use super::{Does, Sheet, message, post};
use crate::support::{self, life};

const NOW: &str = "2026-11-23T12:00:00Z";
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

fn logger(store: impl TranscriptStore) -> TranscriptLogger {
    TranscriptLogger::new(store, Arc::new(TestClock::at(NOW)))
}

fn talkative() -> impl Bot {
    Does(|ctx: TurnContext| async move {
        match ctx.activity().text() {
            "fail" => return Err("as asked".into()),
            "quiet" => return Ok(()),
            _ => {}
        }
        ctx.send(Activity::typing()).await?;
        ctx.send(Activity::trace("n", "l", "t", 1)).await?;
        ctx.send(Activity::delay(1)).await?;
        let sent = ctx.send("0 %").await?.id.unwrap_or_else(|| "none".to_owned());
        ctx.update(Activity::message("100 %").with_id(&sent)).await?;
        ctx.delete(&sent).await?;
        assert!(ctx.send("refuse").await.is_err() || ctx.activity().expects_replies());
        Ok(())
    })
}

/// A conversation's lines, in words.
async fn lines(store: &dyn TranscriptStore, conversation: &str) -> Vec<String> {
    let key = ConversationKey::new("test", conversation).unwrap();
    let page = store.page(&key, TranscriptFilter::default()).await.unwrap();
    let line = |entry: &TranscriptEntry| {
        let TranscriptEntry { kind, activity, .. } = entry;
        let id = activity.id.as_deref().filter(|id| id.len() < 36).unwrap_or("-");
        format!("{kind} {} {id} {}", activity.activity_type, activity.text())
    };
    page.lines.iter().map(|found| line(&found.entry)).collect()
}

#[tokio::test]
async fn it_writes_down_what_came_and_what_the_channel_took() {
    let store = MemoryTranscripts::new(100);
    let logger = logger(store.clone());
    // One that changes what goes out, added after the logger: what is written down is what the channel got.
    struct Louder;
    impl Middleware for Louder {
        async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
            ctx.hook(Loud);
            next.run(ctx).await
        }
    }
    struct Loud;
    impl proact::turn::OutgoingHook for Loud {
        async fn on_send(
            &self,
            ctx: &TurnContext,
            activity: Activity,
            next: proact::turn::NextHook<'_>,
        ) -> Result<proact::activity::ResourceResponse, proact::turn::SendError> {
            let loud = activity.text.as_ref().filter(|text| *text != "refuse").map(|text| format!("{text}!"));
            next.send(ctx, Activity { text: loud.or(activity.text.clone()), ..activity }).await
        }
    }
    let adapter = Adapter::builder(talkative())
        .outbound(Sheet::new())
        .middleware(logger.clone())
        .middleware(Louder)
        .build();
    assert_eq!(post(&adapter, &message("c", "go")).await.status, 200);
    assert_eq!(post(&adapter, &message("d", "fail")).await.status, 500);
    adapter
        .continue_conversation(&message("d", "x").reference(), async |ctx: TurnContext| {
            ctx.send("by the way").await?;
            Ok(())
        })
        .await
        .unwrap();
    logger.flush().await;
    let expected = [
        "received message - go",
        "sent typing s1 ",
        "sent message s2 0 %!",
        "updated message s2 100 %",
        "deleted messageDelete s2 ",
    ];
    assert_eq!(lines(&store, "c").await, expected);
    assert_eq!(lines(&store, "d").await, ["received message - fail", "sent message s6 by the way!"]);
    assert_eq!(logger.lost(), 0);

    let key = ConversationKey::new("test", "c").unwrap();
    let page = store.page(&key, TranscriptFilter::default()).await.unwrap();
    assert!(page.lines.iter().all(|line| line.entry.at.to_string() == NOW));
    assert!(page.lines.iter().all(|line| line.entry.activity.conversation_id() == Some("c")), "addressed");
}

#[tokio::test]
async fn kept_replies_are_said_and_secrets_are_not_kept() {
    let store = MemoryTranscripts::new(100);
    let logger = logger(store.clone());
    let adapter = Adapter::builder(talkative()).outbound(Sheet::new()).middleware(logger.clone()).build();
    post(&adapter, &message("c", "go").with_delivery_mode(DeliveryMode::ExpectReplies)).await;
    let exchange = Activity {
        activity_type: ActivityType::Invoke,
        name: Some("signin/tokenExchange".to_owned()),
        ..message("d", "quiet").with_value(json!({"id": "1", "token": "secret"}))
    };
    post(&adapter, &exchange).await;
    logger.flush().await;
    assert!(lines(&store, "c").await.contains(&"sent message - 0 %".to_owned()));
    let key = ConversationKey::new("test", "d").unwrap();
    let page = store.page(&key, TranscriptFilter::default()).await.unwrap();
    assert_eq!(page.lines[0].entry.activity.value, Some(json!({"id": "1", "token": "…"})));
}

/// Says something beside each notification.
struct Letterhead;

impl Middleware for Letterhead {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        ctx.send("Dear all,").await?;
        next.run(ctx).await
    }
}

struct Taken;

impl Beside for Taken {
    fn take<'a>(&'a self, _: &'a TurnContext, _: Activity) -> BoxFuture<'a, Result<(), BotError>> {
        async { Ok(()) }.boxed()
    }
}

struct Always;

impl Leave for Always {
    fn may_leave(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn what_a_notification_sends_later_is_written_down_when_it_goes_out() {
    let store = MemoryTranscripts::new(100);
    let logger = logger(store.clone());
    let adapter = Adapter::builder(talkative())
        .outbound(Sheet::new())
        .middleware(logger.clone())
        .middleware(Letterhead)
        .build();
    let turn = OutboxTurn {
        key: TurnKey([7; 16]),
        reference: message("c", "x").reference(),
        idempotency_key: None,
        leave: Arc::new(Always),
        beside: Arc::new(Taken),
    };
    let end = adapter.proactive_turn(turn, "the news".into(), async { Ok(true) }).await;
    logger.flush().await;
    assert_eq!(lines(&store, "c").await, ["sent message s1 the news"], "{end:?}");
}

/// What an append does that goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Fails,
    /// Before it is waited for.
    PanicsAtOnce,
    /// While it is waited for.
    PanicsLater,
}

/// Goes wrong as often as it is told, and may hold every append at a gate.
#[derive(Debug, Clone)]
struct Faulty {
    inner: MemoryTranscripts,
    fault: Fault,
    left: Arc<AtomicUsize>,
    held: Arc<AtomicBool>,
    opened: Arc<Notify>,
    sizes: Arc<Mutex<Vec<usize>>>,
}

impl Faulty {
    fn new(fault: Fault, times: usize) -> Self {
        Self {
            inner: MemoryTranscripts::new(100_000),
            fault,
            left: Arc::new(AtomicUsize::new(times)),
            held: Arc::default(),
            opened: Arc::default(),
            sizes: Arc::default(),
        }
    }

    /// What goes wrong now, if anything.
    fn fault(&self) -> Option<Fault> {
        let one_less = |left: usize| left.checked_sub(1);
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).ok().map(|_| self.fault)
    }
}

impl TranscriptStore for Faulty {
    fn append(&self, entries: Vec<TranscriptEntry>) -> BoxFuture<'_, Result<(), TranscriptError>> {
        let fault = self.fault();
        assert!(!matches!(fault, Some(Fault::PanicsAtOnce)), "before it is waited for");
        async move {
            if self.held.load(Ordering::SeqCst) {
                self.opened.notified().await;
            }
            match fault {
                Some(Fault::Fails) => return Err(TranscriptError::new("the disk is full")),
                Some(_) => panic!("while it is waited for"),
                None => self.sizes.lock().unwrap().push(entries.len()),
            }
            self.inner.append(entries).await
        }
        .boxed()
    }
    fn page(
        &self,
        conversation: &ConversationKey,
        filter: TranscriptFilter,
    ) -> BoxFuture<'_, Result<TranscriptPage, TranscriptError>> {
        self.inner.page(conversation, filter)
    }
    fn conversations(
        &self,
        after: Option<ConversationKey>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<TranscriptConversation>, TranscriptError>> {
        self.inner.conversations(after, limit)
    }
    fn forget(&self, conversation: &ConversationKey) -> BoxFuture<'_, Result<u64, TranscriptError>> {
        self.inner.forget(conversation)
    }
    fn prune(&self, before: Timestamp, limit: usize) -> BoxFuture<'_, Result<u64, TranscriptError>> {
        self.inner.prune(before, limit)
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_tried_three_times_and_then_lines_are_lost_and_counted() {
    for (failures, written, lost) in [(2, 2, 0), (3, 0, 2)] {
        let store = Faulty::new(Fault::Fails, failures);
        let logger = logger(store.clone());
        let adapter = Adapter::builder(talkative()).outbound(Sheet::new()).middleware(logger.clone()).build();
        for text in ["quiet", "quiet"] {
            assert_eq!(post(&adapter, &message("c", text)).await.status, 200, "a turn does not notice");
        }
        logger.flush().await;
        assert_eq!((lines(&store, "c").await.len(), logger.lost()), (written, lost));
        // It goes on.
        post(&adapter, &message("c", "quiet")).await;
        logger.flush().await;
        assert_eq!(lines(&store, "c").await.len(), written + 1);
        assert_eq!(store.sizes.lock().unwrap().first(), if written == 2 { Some(&2) } else { Some(&1) });
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_one_that_fails_and_later_lines_are_written() {
    for fault in [Fault::PanicsAtOnce, Fault::PanicsLater] {
        for (panics, written, lost) in [(2, 1, 0), (3, 0, 1)] {
            let store = Faulty::new(fault, panics);
            let logger = logger(store.clone());
            let adapter =
                Adapter::builder(talkative()).outbound(Sheet::new()).middleware(logger.clone()).build();
            assert_eq!(post(&adapter, &message("c", "quiet")).await.status, 200, "a turn does not notice");
            logger.flush().await;
            assert_eq!((lines(&store, "c").await.len(), logger.lost()), (written, lost));
            assert_eq!(post(&adapter, &message("c", "quiet")).await.status, 200);
            logger.flush().await;
            assert_eq!((lines(&store, "c").await.len(), logger.lost()), (written + 1, lost), "it goes on");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_up_no_turn_and_what_does_not_fit_is_counted() {
    let store = Faulty::new(Fault::Fails, 0);
    store.held.store(true, Ordering::SeqCst);
    let logger = logger(store.clone());
    let adapter = Adapter::builder(talkative()).outbound(Sheet::new()).middleware(logger.clone()).build();
    let turns = 11_000;
    for _ in 0..turns {
        assert_eq!(post(&adapter, &message("c", "quiet")).await.status, 200);
    }
    let lost = logger.lost();
    assert!((1..=1000).contains(&lost), "{lost} of {turns} are lost: the queue has 10,000 places");
    store.held.store(false, Ordering::SeqCst);
    store.opened.notify_one();
    logger.flush().await;
    assert_eq!(store.sizes.lock().unwrap().iter().sum::<usize>() as u64, turns - lost);
    assert_eq!(logger.lost(), lost);
    assert!(store.sizes.lock().unwrap().iter().all(|size| *size <= 500));
}

fn app(folder: &Path, clock: Arc<dyn Clock>) -> App<impl Bot> {
    let echo = Does(|ctx: TurnContext| async move {
        ctx.send(format!("echo {}", ctx.activity().text())).await?;
        Ok(())
    });
    App::new(echo).data(folder).listen("127.0.0.1:0").clock(clock).transcripts(MONTH)
}

/// The life of an app in which somebody says something, and what is written down at its end.
async fn life_with(text: &str, folder: &Path, channel: &FakeChannel) -> Vec<String> {
    let opened = app(folder, Arc::new(SystemClock)).open().await.unwrap();
    let (_listener, address) = app::listen("127.0.0.1:0").await.unwrap();
    let parts = opened.at(address).await.unwrap();
    parts.start().await.unwrap();
    let said = channel.user("c").message(text);
    assert_eq!(post(&parts.adapter, &said).await.status, 200);
    parts.stop().await;
    let stored = parts.transcripts.as_ref().unwrap().stored.clone();
    let found = lines(&stored, "c").await;
    parts.store.close().await;
    assert_eq!(found.last().unwrap().split(' ').skip(3).collect::<Vec<_>>(), ["echo", text]);
    found
}

#[tokio::test]
async fn an_app_keeps_transcripts_in_its_own_store() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    for (text, written) in [("first", 2), ("second", 4)] {
        let found = life_with(text, folder.path(), &channel).await;
        assert_eq!(found.len(), written, "the end of the app is a flush");
    }
}

/// A clock that panics when the pruning waits by it for its next round: a defect in its middle.
#[derive(Debug)]
struct Trap;

impl Clock for Trap {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn sleep_until(&self, when: Timestamp) -> BoxFuture<'_, ()> {
        // Others wait by it as well: only the stack says who it is.
        let by_pruning = Backtrace::force_capture().to_string().contains("transcript::keep::keep_for");
        assert!(!by_pruning, "the clock panics, as the test asked");
        SystemClock.sleep_until(when)
    }
}

#[tokio::test]
async fn an_app_whose_pruning_panics_ends_and_the_next_has_every_line() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let folder = folder.path();
    life_with("first", folder, &channel).await;
    life(|| async {
        let run = app(folder, Arc::new(Trap)).run();
        let ended = tokio::time::timeout(Duration::from_secs(60), run).await.expect("it ends");
        let error = ended.expect_err("it has died");
        assert!(
            matches!(error, app::Error::Died(died) if died.name() == "the transcripts' pruning"),
            "{error}"
        );
        assert!(error.to_string().contains("start the program again"), "{error}");
    });
    // When its threads have let go of the file.
    support::open(folder, &[], Arc::new(SystemClock)).await.close().await;
    assert_eq!(life_with("second", folder, &channel).await.len(), 4);
}
