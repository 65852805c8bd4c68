//! Dead ends: a host that is down costs its messages no tries and others nothing.

use std::{sync::Arc, time::Duration};

use proact::{
    clock::Clock,
    proactive::{AttemptOutcome, Gate, Moment, NewNotification, NotificationState},
    testkit::{ChannelAnswer, FakeChannel, Gate as Barrier, TestClock},
    turn::{Bot, BotError, TurnContext},
};
use tokio::sync::Semaphore;

use super::World;
use crate::support::eager;

#[tokio::test]
async fn a_host_that_is_down_opens_its_breaker_and_what_waits_uses_no_tries() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.backoff.max_tries = 2;
    options.breaker.base = Duration::from_secs(10);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let other = FakeChannel::start();
    world.bot.say(&other.user("there"), "hello").await;
    let there = other.user("there").message("x").conversation_key().unwrap();
    let mut keys = Vec::new();
    for n in 0..5 {
        keys.push(world.meet(&format!("c{n}")).await);
    }
    world.channel.down().await;
    let mut ids = Vec::new();
    for key in &keys {
        ids.push(world.notify(NewNotification::new(key.clone(), "through")).await);
    }
    let first = world.tried(ids[0]).await;
    assert_eq!(first.attempts.as_ref().unwrap()[0].outcome, Some(AttemptOutcome::NotSent));
    let breakers = world.engine().counts().await.unwrap().breakers;
    assert_eq!(breakers.len(), 1);
    assert!(breakers[0].host.ends_with(&world.channel.port().to_string()), "{breakers:?}");
    assert!(matches!(first.gates.unwrap().last(), Some(Gate::Breaker { .. })));
    let goes = world.notify(NewNotification::new(there, "beside")).await;
    world.delivered(goes).await;
    // Tried again and again, more often than a message may be.
    for _ in 0..6 {
        world.clock.advance(Duration::from_secs(100));
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    let attempts: usize = {
        let mut sum = 0;
        for id in &ids {
            sum += world.get(*id).await.attempts.unwrap().len();
        }
        sum
    };
    assert!(attempts >= 3, "the host is tried: {attempts}");
    assert!(attempts <= 5 + 6 + 1, "and by one attempt at a time: {attempts}");
    world.channel.up();
    world.clock.advance(Duration::from_secs(100));
    for id in ids {
        let delivered = world.delivered(id).await;
        let outcomes: Vec<_> = delivered.attempts.unwrap().iter().map(|attempt| attempt.outcome).collect();
        let (last, before) = outcomes.split_last().unwrap();
        assert_eq!(*last, Some(AttemptOutcome::Delivered));
        assert!(before.iter().all(|outcome| *outcome == Some(AttemptOutcome::NotSent)));
    }
    assert_eq!(world.engine().counts().await.unwrap().breakers, []);
}

#[tokio::test]
async fn refused_credentials_are_not_the_messages_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.backoff.max_tries = 1;
    options.breaker.base = Duration::from_secs(10);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let key = world.meet("c").await;
    world.channel.script("c", [ChannelAnswer::status(401)]);
    let id = world.notify(NewNotification::new(key, "later")).await;
    let waits = world.tried(id).await;
    assert!(waits.reason.unwrap().contains("401"));
    assert_eq!(world.engine().counts().await.unwrap().breakers.len(), 1);
    world.clock.advance(Duration::from_secs(20));
    world.delivered(id).await;
}

#[tokio::test]
async fn a_host_that_hangs_leaves_the_others_their_slots() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.concurrency = 16;
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let other = FakeChannel::start();
    world.bot.say(&other.user("there"), "hello").await;
    let there = other.user("there").message("x").conversation_key().unwrap();
    let mut hanging = Vec::new();
    for n in 0..40 {
        hanging.push(world.meet(&format!("c{n}")).await);
    }
    world.channel.answer_with(|post| post.text().contains("hangs").then(ChannelAnswer::never));
    for key in hanging {
        world.notify(NewNotification::new(key, "hangs")).await;
    }
    for n in 0..20 {
        let id = world.notify(NewNotification::new(there.clone(), format!("beside {n}"))).await;
        world.delivered(id).await;
    }
    let counts = world.engine().counts().await.unwrap();
    assert!((8..16).contains(&counts.notifications["sending"]), "{counts:?}");
}

/// Thinks in silence about what is long.
pub(super) struct Thinks {
    pub(super) began: Arc<Semaphore>,
    pub(super) goes_on: Arc<Semaphore>,
}

impl Bot for Thinks {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        if ctx.activity().text() == "long" {
            self.began.add_permits(1);
            self.goes_on.acquire().await?.forget();
        }
        Ok(())
    }
}

#[tokio::test]
async fn one_that_was_to_try_a_host_and_waits_for_a_turn_leaves_that_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.breaker.base = Duration::from_secs(10);
    let (began, goes_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let bot = Thinks { began: Arc::clone(&began), goes_on: Arc::clone(&goes_on) };
    let clock = Arc::new(TestClock::at("2030-01-01T12:00:00Z"));
    let by: Arc<dyn Clock> = clock.clone();
    let world = World::start_bot(folder.path(), FakeChannel::start(), options, clock, by, bot).await;
    let (busy, free) = (world.meet("busy").await, world.meet("free").await);
    world.channel.down().await;
    let in_turn = world.notify(NewNotification::new(busy, "after the turn")).await;
    world.tried(in_turn).await;
    let turn = tokio::spawn({
        let (user, url) = (world.channel.user("busy"), world.bot.bot_url.clone());
        async move { user.say(&url, "long").await.unwrap() }
    });
    began.acquire().await.unwrap().forget();
    world.clock.advance(Duration::from_secs(100));
    while !world.get(in_turn).await.gates.unwrap().contains(&Gate::InsideTurn) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    world.channel.up();
    let other = world.notify(NewNotification::new(free, "at once")).await;
    world.delivered(other).await;
    goes_on.add_permits(1);
    assert!(turn.await.unwrap().acknowledged());
    world.delivered(in_turn).await;
}

#[tokio::test]
async fn one_whose_conversation_moved_while_it_was_under_way_is_tried_again_where_it_is_reached_now() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.breaker.base = Duration::from_secs(100_000);
    options.breaker.ceiling = Duration::from_secs(100_000);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let (key, other) = (world.meet("c").await, world.meet("other").await);
    let barrier = Barrier::closed();
    world.channel.script("c", [ChannelAnswer::ok().behind(&barrier)]);
    // It interjects, so the turn that tells of the move does not wait for it.
    let mut new = NewNotification::new(key, "on its way");
    new.moment = Moment::Interject;
    let id = world.notify(new).await;
    world.channel.wait_for(|ledger| ledger.texts("c").contains(&"on its way")).await;
    let elsewhere = FakeChannel::start();
    world.bot.say(&elsewhere.user("c"), "I am here now").await;
    world.channel.down().await;
    let dead = world.notify(NewNotification::new(other, "nobody there")).await;
    world.tried(dead).await;
    let delivered = world.delivered_in_time(id).await;
    assert_eq!(delivered.attempts.unwrap()[0].outcome, Some(AttemptOutcome::Unknown));
    assert!(elsewhere.ledger().texts("c").contains(&"on its way"));
    assert_eq!(world.get(dead).await.state, NotificationState::Waiting, "the old host is still dead");
}
