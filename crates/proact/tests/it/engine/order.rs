//! In order per conversation and class; urgent first; what waits holds up nobody; moments.

use std::{sync::Arc, time::Duration};

use proact::{
    activity::Activity,
    adapter::Options,
    proactive::{Gate as Why, Moment, NewNotification, Priority},
    testkit::{ChannelAnswer, FakeChannel, Gate},
    turn::{Bot, BotError, TurnContext},
};
use tokio::sync::Semaphore;

use super::World;
use crate::support::{eager, start};

#[tokio::test]
async fn urgent_goes_before_normal_before_bulk_and_each_class_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let gate = Gate::closed();
    world.channel.script("c", [ChannelAnswer::ok().behind(&gate)]);
    world.notify(NewNotification::new(key.clone(), "first")).await;
    let mut last = None;
    for (text, priority) in [
        ("bulk 1", Priority::Bulk),
        ("normal 1", Priority::Normal),
        ("urgent 1", Priority::Urgent),
        ("bulk 2", Priority::Bulk),
        ("urgent 2", Priority::Urgent),
        ("normal 2", Priority::Normal),
    ] {
        let mut new = NewNotification::new(key.clone(), text);
        new.priority = priority;
        let id = world.notify(new).await;
        if text == "bulk 2" {
            last = Some(id);
        }
    }
    gate.open();
    world.delivered(last.unwrap()).await;
    let expected = ["first", "urgent 1", "urgent 2", "normal 1", "normal 2", "bulk 1", "bulk 2"];
    assert_eq!(world.told("c"), expected);
}

#[tokio::test]
async fn one_that_is_retried_holds_its_class_back_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.backoff.base = Duration::from_secs(1000);
    options.backoff.ceiling = Duration::from_secs(1000);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let key = world.meet("c").await;
    world.channel.script("c", [ChannelAnswer::throttled(Some("500"))]);
    let first = world.notify(NewNotification::new(key.clone(), "first")).await;
    world.tried(first).await;
    let behind = world.notify(NewNotification::new(key.clone(), "behind")).await;
    let mut urgent = NewNotification::new(key.clone(), "urgent");
    urgent.priority = Priority::Urgent;
    let urgent = world.notify(urgent).await;
    let mut bulk = NewNotification::new(key, "bulk");
    bulk.priority = Priority::Bulk;
    let bulk = world.notify(bulk).await;
    world.delivered(urgent).await;
    world.delivered(bulk).await;
    let waits = world.get(behind).await;
    assert!(matches!(waits.gates.unwrap()[..], [Why::Behind { .. }]));
    world.clock.advance(Duration::from_secs(1001));
    world.delivered(behind).await;
    assert_eq!(world.told("c"), ["urgent", "bulk", "first", "behind"]);
}

/// Stays in its turn until it is let go.
struct Busy(Arc<Semaphore>);

impl Bot for Busy {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        if ctx.activity().text() == "long" {
            ctx.send("working").await?;
            self.0.acquire().await?.forget();
            ctx.send("worked").await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn after_the_turn_means_after_it_and_an_interjection_does_not_wait() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let permits = Arc::new(Semaphore::new(0));
    let bot = start(folder.path(), Busy(Arc::clone(&permits)), Options::default()).await;
    let user = channel.user("c");
    bot.say(&user, "hello").await;
    let turn = tokio::spawn({
        let (user, url) = (user.clone(), bot.bot_url.clone());
        async move { user.say(&url, "long").await.unwrap() }
    });
    channel.wait_for(|ledger| ledger.texts("c").contains(&"working")).await;
    let key = user.message("x").conversation_key().unwrap();
    let after = bot.engine.notify(NewNotification::new(key.clone(), "after")).await.unwrap().id;
    let mut new = NewNotification::new(key, "interjection");
    new.moment = Moment::Interject;
    bot.engine.notify(new).await.unwrap();
    channel.wait_for(|ledger| ledger.texts("c").contains(&"interjection")).await;
    let waits = loop {
        let now = bot.engine.notification(after).await.unwrap().unwrap();
        if now.gates.as_ref().is_some_and(|gates| gates.contains(&Why::InsideTurn)) {
            break now;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    assert_eq!(waits.tries, 0);
    permits.add_permits(1);
    assert!(turn.await.unwrap().acknowledged());
    let ledger = channel.wait_for(|ledger| ledger.texts("c").contains(&"after")).await;
    assert_eq!(ledger.texts("c"), ["working", "interjection", "worked", "after"]);
}

#[tokio::test]
async fn a_turn_without_end_is_waited_for_as_long_as_is_said_and_takes_nobodys_slot() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    let permits = Arc::new(Semaphore::new(0));
    let mut options = eager();
    options.concurrency = 1;
    options.wait_for_turn = Duration::from_millis(300);
    let bot = crate::support::start_delivering(folder.path(), Busy(Arc::clone(&permits)), options).await;
    for conversation in ["busy", "free"] {
        bot.say(&channel.user(conversation), "hello").await;
    }
    // An invoke keeps its place however long it takes.
    let user = channel.user("busy");
    let invoke = Activity { activity_type: "invoke".into(), ..user.message("long") };
    let turn = tokio::spawn({
        let (user, url) = (user.clone(), bot.bot_url.clone());
        async move { user.post(&url, &invoke).await }
    });
    channel.wait_for(|ledger| ledger.texts("busy").contains(&"working")).await;
    let key = |c: &str| channel.user(c).message("x").conversation_key().unwrap();
    bot.engine.notify(NewNotification::new(key("busy"), "beside it")).await.unwrap();
    bot.engine.notify(NewNotification::new(key("free"), "at once")).await.unwrap();
    channel.wait_for(|ledger| ledger.texts("free").contains(&"at once")).await;
    assert!(!channel.ledger().texts("busy").contains(&"beside it"));
    channel.wait_for(|ledger| ledger.texts("busy").contains(&"beside it")).await;
    assert!(!turn.is_finished());
    permits.add_permits(1);
    turn.await.unwrap().unwrap();
}
