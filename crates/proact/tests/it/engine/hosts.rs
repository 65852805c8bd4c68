//! Dead ends: a host that is down costs its messages no tries and others nothing.

use std::time::Duration;

use proact::{
    proactive::{AttemptOutcome, Gate, NewNotification, NotificationState},
    testkit::{ChannelAnswer, FakeChannel},
};

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
    let first = world.until(ids[0], NotificationState::Waiting).await;
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
    let waits = world.until(id, NotificationState::Waiting).await;
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
