//! Turns: once, in order, answered in time, whatever the handler or the client does.

mod beside;
mod book;
mod delay;
mod early;
mod ends;
mod handler;
mod hooks;
mod invokes;
mod middleware;
mod order;
mod proactive;
mod rules;
mod send;
mod update;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use proact::{
    activity::{Activity, ActivityType, DeliveryMode},
    adapter::{Adapter, Options},
    proactive::{Proactive, ProactiveTurn},
    state::{BotState, Storage},
    testkit::FakeChannel,
    turn::{Bot, BotError, InvokeResponse, TurnContext},
};
use serde_json::{Value, json};

use crate::support::{TestBot, life, start, start_usual};

/// Counts its turns, and holds each at the gate its text names.
#[derive(Clone)]
struct Gated {
    begun: Arc<Mutex<Vec<String>>>,
    ended: Arc<Mutex<Vec<String>>>,
    hold: Arc<tokio::sync::Semaphore>,
    changed: Arc<tokio::sync::Notify>,
}

impl Gated {
    fn new() -> Self {
        Self {
            begun: Arc::default(),
            ended: Arc::default(),
            hold: Arc::new(tokio::sync::Semaphore::new(0)),
            changed: Arc::default(),
        }
    }

    async fn until_begun(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.begun.lock().unwrap().len() >= count {
                return;
            }
            changed.await;
        }
    }
}

impl Bot for Gated {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        let text = ctx.activity().text().to_owned();
        self.begun.lock().unwrap().push(text.clone());
        self.changed.notify_waiters();
        if text.starts_with("hold") {
            self.hold.acquire().await?.forget();
        }
        if text == "fail once" && self.begun.lock().unwrap().iter().filter(|t| *t == "fail once").count() == 1
        {
            return Err("the first time".into());
        }
        ctx.send(format!("did {text}")).await?;
        self.ended.lock().unwrap().push(text);
        Ok(())
    }
}

fn adapter(bot: impl Bot, options: Options) -> Adapter {
    Adapter::builder(bot).options(options).build()
}

fn body(activity: &Activity) -> Bytes {
    activity.encode().into()
}

fn json_of(answer: &proact::adapter::Answer) -> Value {
    serde_json::from_slice(answer.body.as_ref().unwrap()).unwrap()
}

#[tokio::test]
async fn a_repetition_joins_the_running_turn_and_later_gets_its_answer() {
    let channel = FakeChannel::start();
    let bot = Gated::new();
    let adapter = adapter(bot.clone(), Options::default());
    let activity = body(&channel.user("c").message("hold 1"));
    let first = tokio::spawn({
        let (adapter, activity) = (adapter.clone(), activity.clone());
        async move { adapter.process(activity).await }
    });
    bot.until_begun(1).await;
    let second = adapter.process(activity.clone());
    bot.hold.add_permits(1);
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.unwrap().status, second.status), (200, 200));
    assert_eq!(adapter.process(activity).await.status, 200);
    assert_eq!(bot.begun.lock().unwrap().len(), 1);
    assert_eq!(channel.ledger().texts("c"), ["did hold 1"]);
}

#[tokio::test]
async fn one_that_answered_500_is_run_again_and_one_without_an_id_always() {
    let channel = FakeChannel::start();
    let bot = Gated::new();
    let adapter = adapter(bot.clone(), Options::default());
    let failing = body(&channel.user("c").message("fail once"));
    assert_eq!(adapter.process(failing.clone()).await.status, 500);
    assert_eq!(adapter.process(failing).await.status, 200);
    let nameless = body(&Activity { id: None, ..channel.user("c").message("x") });
    adapter.process(nameless.clone()).await;
    adapter.process(nameless).await;
    assert_eq!(channel.ledger().texts("c"), ["did fail once", "did x", "did x"]);
}

#[tokio::test]
async fn one_conversation_goes_in_order_and_others_beside() {
    let channel = FakeChannel::start();
    let bot = Gated::new();
    let adapter = adapter(bot.clone(), Options::default());
    let post = |conversation: &str, text: &str| {
        let activity = body(&channel.user(conversation).message(text));
        let adapter = adapter.clone();
        tokio::spawn(async move { adapter.process(activity).await })
    };
    let held = post("a", "hold");
    bot.until_begun(1).await;
    let next = post("a", "next");
    assert_eq!(post("b", "other").await.unwrap().status, 200);
    assert_eq!(*bot.begun.lock().unwrap(), ["hold", "other"], "`next` waits for its place");
    bot.hold.add_permits(1);
    held.await.unwrap();
    next.await.unwrap();
    assert_eq!(*bot.ended.lock().unwrap(), ["other", "hold", "next"]);
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_nothing() {
    let channel = FakeChannel::start();
    let bot = Gated::new();
    let adapter = adapter(bot.clone(), Options::default());
    let activity = body(&channel.user("c").message("hold"));
    {
        let answer = adapter.process(activity);
        tokio::pin!(answer);
        tokio::select! {
            _ = &mut answer => unreachable!("it is held"),
            () = bot.until_begun(1) => {}
        }
    }
    bot.hold.add_permits(1);
    channel.wait_for(|ledger| ledger.texts("c") == ["did hold"]).await;
}

fn early() -> Options {
    let mut options = Options::default();
    options.early_answer_after = Duration::from_millis(1);
    options
}

#[tokio::test]
async fn a_slow_turn_is_answered_early_and_gives_up_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = Gated::new();
    let running = start(folder.path(), bot.clone(), early()).await;
    let slow = channel.user("c").message("hold");
    assert_eq!(channel.user("c").post(&running.bot_url, &slow).await.unwrap().status, 200);
    assert!(bot.ended.lock().unwrap().is_empty(), "answered before its end");
    // A later one runs beside it, and a repetition changes nothing.
    assert_eq!(channel.user("c").say(&running.bot_url, "later").await.unwrap().status, 200);
    assert_eq!(channel.user("c").post(&running.bot_url, &slow).await.unwrap().status, 200);
    bot.hold.add_permits(1);
    channel.wait_for(|ledger| ledger.texts("c") == ["did later", "did hold"]).await;
    assert_eq!(bot.begun.lock().unwrap().iter().filter(|text| *text == "hold").count(), 1);
}

#[tokio::test]
async fn an_early_answered_turn_whose_process_died_is_run_again_three_times_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let bot = Gated::new();
    let slow = channel.user("c").message("hold");
    for which in 1..=4_usize {
        let (folder, bot, user, slow) = (folder.path(), bot.clone(), channel.user("c"), slow.clone());
        life(move || async move {
            let running = start(folder, bot.clone(), early()).await;
            if which == 1 {
                assert_eq!(user.post(&running.bot_url, &slow).await.unwrap().status, 200);
            }
            bot.until_begun(which.min(3)).await;
            // Whatever the life, the answer it was given holds.
            if which == 4 {
                assert_eq!(user.post(&running.bot_url, &slow).await.unwrap().status, 200);
            }
        });
    }
    assert_eq!(bot.begun.lock().unwrap().len(), 3);
    assert!(channel.ledger().is_empty());
}

#[tokio::test]
async fn an_early_answered_turn_goes_on_after_a_restart_with_its_commands_done_once() {
    /// Starts a job, then waits for ever in its first life.
    struct Slow(Arc<AtomicU32>);
    impl Bot for Slow {
        async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
            let job = ctx.jobs().start("slow").await?;
            if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
                std::future::pending::<()>().await;
            }
            ctx.send(format!("started {job}")).await?;
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let lives = Arc::new(AtomicU32::new(0));
    let user = channel.user("c");
    life(|| async {
        let running = start(folder.path(), Slow(Arc::clone(&lives)), early()).await;
        assert_eq!(user.say(&running.bot_url, "go").await.unwrap().status, 200);
    });
    let running = start(folder.path(), Slow(lives), early()).await;
    channel.wait_for(|ledger| ledger.texts("c") == ["started 1"]).await;
    assert_eq!(running.engine.job(2).await.unwrap().map(|job| job.number), None, "one job, not two");
}

#[tokio::test]
async fn a_state_saved_inside_a_turn_is_saved_once_also_when_it_is_run_again() {
    /// Counts its runs in the conversation's state and saves at once; waits for ever in its first life.
    struct Counting(Arc<AtomicU32>);
    impl Bot for Counting {
        async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
            let store = ctx.service::<Proactive>().ok_or("no engine")?.store().clone();
            let state = BotState::conversation(Arc::new(store));
            let runs = state.property::<u32>("runs");
            let before = runs.get(ctx).await?.unwrap_or_default();
            runs.set(ctx, &(before + 1)).await?;
            state.save_changes(ctx).await?;
            if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
                std::future::pending::<()>().await;
            }
            ctx.send(format!("found {before}")).await?;
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let lives = Arc::new(AtomicU32::new(0));
    let user = channel.user("c");
    life(|| async {
        let running = start(folder.path(), Counting(Arc::clone(&lives)), early()).await;
        assert_eq!(user.say(&running.bot_url, "go").await.unwrap().status, 200);
        // It was answered early, which may be before its save: wait for that.
        let key = ["test/conversations/c".to_owned()];
        while Storage::read(running.engine.store(), &key).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    let running = start(folder.path(), Counting(lives), early()).await;
    channel.wait_for(|ledger| ledger.texts("c") == ["found 1"]).await;
    running.say(&user, "go on").await;
    channel.wait_for(|ledger| ledger.texts("c") == ["found 1", "found 1"]).await;
}

#[tokio::test]
async fn a_failing_and_a_panicking_handler_apologise_once() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let running = start_usual(folder.path()).await;
    for text in ["fail", "panic"] {
        let posted = channel.user(text).say(&running.bot_url, text).await.unwrap();
        assert_eq!(posted.status, 200);
        assert_eq!(channel.ledger().texts(text), ["Sorry, it looks like something went wrong."]);
    }
    // The place of a turn that panicked is free.
    running.say(&channel.user("panic"), "after").await;
    // Without `on_turn_error` it is 500, so that the channel sends it again.
    let bare = adapter(TestBot, Options::default());
    assert_eq!(bare.process(body(&channel.user("x").message("fail"))).await.status, 500);
    assert_eq!(bare.process(body(&channel.user("x").message("panic"))).await.status, 500);
}

/// Answers invokes named `known`, and says two things to everything.
struct Invoked;

impl Bot for Invoked {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        if ctx.activity().name.as_deref() == Some("known") {
            ctx.set_invoke_response(InvokeResponse { status: 201, body: Some(json!({"ok": true})) });
        }
        ctx.send_all([Activity::message("one"), Activity::message("two")]).await?;
        Ok(())
    }
}

#[tokio::test]
async fn invokes_and_expected_replies_carry_their_answer() {
    let channel = FakeChannel::start();
    let adapter = adapter(Invoked, Options::default());
    let user = channel.user("c");
    let invoke = |name: &str| Activity { name: Some(name.to_owned()), ..user.activity(ActivityType::Invoke) };
    let answer = adapter.process(body(&invoke("known"))).await;
    assert_eq!((answer.status, json_of(&answer)), (201, json!({"ok": true})));
    assert_eq!(adapter.process(body(&invoke("other"))).await.status, 501);
    let sent = channel.ledger().len();
    let expecting = user.message("hi").with_delivery_mode(DeliveryMode::ExpectReplies);
    let answer = adapter.process(body(&expecting)).await;
    let replies = json_of(&answer);
    let texts: Vec<_> = replies["activities"].as_array().unwrap().iter().map(|a| a["text"].clone()).collect();
    assert_eq!((answer.status, texts), (200, vec![json!("one"), json!("two")]));
    assert_eq!(replies["activities"][0]["replyToId"], json!(expecting.id));
    assert_eq!(channel.ledger().len(), sent, "nothing was sent");
    assert_eq!(adapter.process(body(&expecting)).await, answer, "the same answer again");
}

#[tokio::test]
async fn continue_conversation_sends_without_reply_and_tells_what_refused() {
    let channel = FakeChannel::start();
    let adapter = adapter(TestBot, Options::default());
    let reference = channel.user("c").message("x").reference();
    adapter
        .continue_conversation(&reference, |ctx| {
            async move {
                ctx.send("by the way").await?;
                Ok(())
            }
            .boxed()
        })
        .await
        .unwrap();
    let ledger = channel.ledger();
    assert_eq!(ledger.texts("c"), ["by the way"]);
    let sent = ledger.of("c").next().unwrap().post.activity();
    assert!(sent.get("replyToId").is_none());
    assert_eq!(sent["recipient"], json!({"id": reference.user.as_ref().unwrap().id}));
    let mut outside = reference;
    outside.service_url = Some("https://example.com/".to_owned());
    let refused = adapter.continue_conversation(&outside, |_| async { Ok(()) }.boxed()).await.unwrap_err();
    assert!(matches!(refused, proact::adapter::ContinueError::Refused(_)), "{refused}");
}

#[tokio::test]
async fn a_stopping_adapter_waits_for_its_turns_and_takes_no_more() {
    let channel = FakeChannel::start();
    let bot = Gated::new();
    let adapter = adapter(bot.clone(), Options::default());
    let running = tokio::spawn({
        let (adapter, activity) = (adapter.clone(), body(&channel.user("c").message("hold")));
        async move { adapter.process(activity).await }
    });
    bot.until_begun(1).await;
    let drained = adapter.drain();
    tokio::pin!(drained);
    assert!(drained.as_mut().now_or_never().is_none(), "a turn runs");
    assert_eq!(adapter.process(body(&channel.user("d").message("x"))).await.status, 503);
    bot.hold.add_permits(1);
    drained.await;
    assert_eq!(running.await.unwrap().status, 200);
}
