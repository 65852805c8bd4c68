//! A clock that goes back: no retry waits longer for it, and `Retry-After` is kept all the same.

use std::time::Duration;

use jiff::Timestamp;
use proact::{
    proactive::{Gate, NewNotification, NotificationState},
    testkit::{ChannelAnswer, FakeChannel},
};
use uuid::Uuid;

use super::World;
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
    world.until(id, NotificationState::Waiting).await;
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
    world.until(id, NotificationState::Waiting).await;
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
    world.until(id, NotificationState::Waiting).await;
    world.clock.set(at("10:00:00"));
    // The clock is looked at.
    world.engine().counts().await.unwrap();
    world.channel.up();
    world.clock.set(at("10:00:11"));
    world.delivered(id).await;
}
