//! A clock that goes back: no retry waits longer for it, and `Retry-After` is kept all the same. What was due before a small step back
//! stays due.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use proact::{
    clock::Clock,
    proactive::{Gate, NewNotification, Notification, NotificationState, PauseScope},
    testkit::{ChannelAnswer, FakeChannel, TestClock},
};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{World, hosts::Thinks};
use crate::support::eager;

impl World {
    /// Waits until its next try is at that time.
    async fn tried_again_at(&self, id: Uuid, until: Timestamp) {
        for _ in 0..2_000 {
            let now = self.get(id).await;
            assert_eq!(now.state, NotificationState::Waiting, "{now:#?}");
            if now.gates.unwrap().contains(&Gate::NotYet { until }) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("its next try never came to be at {until}: {:#?}", self.get(id).await);
    }
}

fn at(time: &str) -> Timestamp {
    format!("2030-01-01T{time}Z").parse().unwrap()
}

#[tokio::test]
async fn a_retry_waits_no_longer_than_it_was_to_though_the_clock_is_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (key, person) = (world.meet("c").await, world.meet("person").await);
    world.channel.script("c", [ChannelAnswer::throttled(Some("120"))]);
    let id = world.notify(NewNotification::new(key, "asked to wait")).await;
    world.tried(id).await;
    let mut new = NewNotification::new(person, "at one");
    new.not_before = Some(at("13:00:00"));
    let timed = world.notify(new).await;
    world.clock.set(at("10:00:00"));
    // Something happens, and the clock is looked at.
    world.quiet().await;
    world.tried_again_at(id, at("10:02:00")).await;
    world.clock.set(at("10:01:59.999"));
    world.quiet().await;
    assert_eq!(world.get(id).await.state, NotificationState::Waiting, "never undercut");
    world.clock.set(at("10:02:00"));
    world.delivered(id).await;
    world.tried_again_at(timed, at("13:00:00")).await;
}

#[tokio::test]
async fn the_same_when_it_was_set_back_while_nothing_ran() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    world.channel.script("c", [ChannelAnswer::throttled(Some("120"))]);
    let id = world.notify(NewNotification::new(key, "asked to wait")).await;
    world.tried(id).await;
    let World { bot, channel, clock } = world;
    bot.engine.stop().await;
    bot.engine.store().close().await;
    clock.set(at("10:00:00"));
    let world = World::start_at(folder.path(), channel, eager(), clock).await;
    world.tried_again_at(id, at("10:02:00")).await;
    // Looked at once more, nothing moves.
    world.clock.set(at("09:58:00"));
    world.quiet().await;
    world.tried_again_at(id, at("10:00:00")).await;
    world.clock.set(at("10:00:00"));
    world.delivered(id).await;
}

#[tokio::test]
async fn a_host_out_of_order_is_tried_again_after_its_wait_though_the_clock_is_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.breaker.base = Duration::from_secs(10);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let key = world.meet("c").await;
    world.channel.down().await;
    let id = world.notify(NewNotification::new(key, "through")).await;
    world.tried(id).await;
    world.clock.set(at("10:00:00"));
    // The clock is looked at.
    world.engine().counts().await.unwrap();
    world.channel.up();
    world.clock.set(at("10:00:11"));
    world.delivered(id).await;
}

/// Less than what is a step of its own, by which everything is read anew.
const A_LITTLE: Duration = Duration::from_millis(900);

#[tokio::test]
async fn what_was_found_due_goes_out_though_the_clock_goes_a_little_back_before_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (began, goes_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let bot = Thinks { began: Arc::clone(&began), goes_on: Arc::clone(&goes_on) };
    let clock = Arc::new(TestClock::at("2030-01-01T12:00:00Z"));
    let by: Arc<dyn Clock> = clock.clone();
    let world = World::start_bot(folder.path(), FakeChannel::start(), eager(), clock, by, bot).await;
    let mut new = NewNotification::new(world.meet("c").await, "at one");
    new.not_before = Some(at("13:00:00"));
    let id = world.notify(new).await;
    let turn = tokio::spawn({
        let (user, url) = (world.channel.user("c"), world.bot.bot_url.clone());
        async move { user.say(&url, "long").await.unwrap() }
    });
    began.acquire().await.unwrap().forget();
    world.clock.set(at("13:00:00"));
    // It was found, and its lane waits for the turn to end.
    let waits =
        |found: &Notification| found.gates.as_ref().is_some_and(|all| all.contains(&Gate::InsideTurn));
    world.when(id, "one that waits for the turn", waits).await;
    world.clock.set(at("13:00:00") - A_LITTLE);
    goes_on.add_permits(1);
    assert!(turn.await.unwrap().acknowledged());
    world.delivered(id).await;
}

#[tokio::test]
async fn a_host_whose_time_had_come_is_tried_though_the_clock_goes_a_little_back_before_anybody_could() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.breaker.base = Duration::from_secs(10);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let elsewhere = FakeChannel::start();
    world.bot.say(&elsewhere.user("there"), "hello").await;
    let there = elsewhere.user("there").message("x").conversation_key().unwrap();
    let key = world.meet("c").await;
    world.channel.down().await;
    let id = world.notify(NewNotification::new(key.clone(), "through")).await;
    world.tried(id).await;
    let until = world.engine().counts().await.unwrap().breakers[0].until;
    // The only one that could try the host may not yet.
    let held = PauseScope::conversation(&key);
    world.engine().pause(held.clone(), None).await.unwrap();
    world.clock.set(until);
    // What goes elsewhere was sent after it was seen that the host's time has come.
    let beside = world.notify(NewNotification::new(there, "beside")).await;
    world.delivered(beside).await;
    world.channel.up();
    world.clock.set(until - A_LITTLE);
    world.engine().resume(held).await.unwrap();
    world.delivered(id).await;
}

#[tokio::test]
async fn what_was_due_and_was_held_is_found_again_though_the_clock_has_gone_a_little_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let held = PauseScope::conversation(&key);
    let mut new = NewNotification::new(key, "at one");
    new.not_before = Some(at("13:00:00"));
    let id = world.notify(new).await;
    world.engine().pause(held.clone(), None).await.unwrap();
    world.clock.set(at("13:00:00"));
    world.quiet().await;
    world.clock.set(at("13:00:00") - A_LITTLE);
    world.engine().resume(held).await.unwrap();
    world.delivered(id).await;
}
