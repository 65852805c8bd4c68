//! Gates: not yet, expired, too old, paused, dead. Each holds until the last moment and says why.

use std::time::Duration;

use proact::{
    proactive::{AttemptOutcome, Gate, NewNotification, NotificationState, PauseScope, Policy},
    testkit::{ChannelAnswer, FakeChannel},
    turn::{BotError, Middleware, Next, TurnContext, TurnKind},
};
use tokio::sync::Semaphore;

use super::{World, outcomes};
use crate::support::eager;

#[tokio::test]
async fn nothing_is_sent_before_its_time_or_after_its_expiry() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let timed = |text: &str, from: &str, to: Option<&str>| {
        let mut new = NewNotification::new(key.clone(), text);
        new.not_before = Some(from.parse().unwrap());
        new.expires_at = to.map(|to| to.parse().unwrap());
        new
    };
    let one = world.notify(timed("at one", "2030-01-01T13:00:00Z", None)).await;
    let two = world.notify(timed("at two", "2030-01-01T14:00:00Z", Some("2030-01-01T14:30:00Z"))).await;
    let now = world.notify(NewNotification::new(key.clone(), "now")).await;
    world.delivered(now).await;
    let waits = world.get(one).await;
    let until = "2030-01-01T13:00:00Z".parse().unwrap();
    assert_eq!(waits.gates, Some(vec![Gate::NotYet { until }]));
    world.clock.set("2030-01-01T12:59:59.999Z".parse().unwrap());
    world.quiet().await;
    assert_eq!(world.told("c"), ["now"]);
    world.clock.set(until);
    world.delivered(one).await;
    // The clock leaps past the second one's life, as when the machine was off.
    world.clock.set("2030-01-01T15:00:00Z".parse().unwrap());
    let expired = world.until(two, NotificationState::Expired).await;
    assert!(expired.reason.unwrap().contains("expiry"));
    world.quiet().await;
    assert_eq!(world.told("c"), ["now", "at one"]);
}

#[tokio::test]
async fn a_pause_holds_at_once_and_across_a_restart_and_lets_others_go() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (a, b) = (world.meet("a").await, world.meet("b").await);
    let scope = PauseScope::conversation(&a);
    world.engine().pause(scope.clone(), Some("complaints".to_owned())).await.unwrap();
    let held = world.notify(NewNotification::new(a.clone(), "held")).await;
    let goes = world.notify(NewNotification::new(b, "goes")).await;
    world.delivered(goes).await;
    let shown = world.get(held).await;
    assert_eq!((shown.state, shown.tries), (NotificationState::Waiting, 0));
    assert_eq!(shown.gates, Some(vec![Gate::Paused { scope: scope.clone() }]));
    let World { bot, channel, clock } = world;
    bot.engine.stop().await;
    bot.engine.store().close().await;

    let world = World::start_at(folder.path(), channel, eager(), clock).await;
    let pauses = world.engine().pauses().await.unwrap();
    assert_eq!((pauses[0].scope.clone(), pauses[0].reason.as_deref()), (scope.clone(), Some("complaints")));
    world.quiet().await;
    assert_eq!(world.get(held).await.state, NotificationState::Waiting);
    assert!(world.engine().resume(scope.clone()).await.unwrap());
    assert!(!world.engine().resume(scope).await.unwrap(), "there is none any more");
    world.delivered(held).await;
    for scope in [PauseScope::Channel { channel_id: "test".to_owned() }, PauseScope::All] {
        world.engine().pause(scope.clone(), None).await.unwrap();
        let held = world.notify(NewNotification::new(a.clone(), "held too")).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(world.get(held).await.state, NotificationState::Waiting);
        world.engine().resume(scope).await.unwrap();
        world.delivered(held).await;
    }
}

/// Holds proactive turns up between their begin and their bytes.
struct SlowToLeave(std::sync::Arc<Semaphore>);

impl Middleware for SlowToLeave {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        if ctx.kind() == TurnKind::Proactive {
            self.0.acquire().await?.forget();
        }
        next.run(ctx).await
    }
}

#[tokio::test]
async fn what_is_begun_and_has_not_left_is_kept_by_a_pause_a_cancel_and_an_expiry() {
    let folder = tempfile::tempdir().unwrap();
    let channel = FakeChannel::start();
    let permits = std::sync::Arc::new(Semaphore::new(0));
    let slow = SlowToLeave(std::sync::Arc::clone(&permits));
    let bot = crate::support::start_with(
        folder.path(),
        crate::support::TestBot,
        proact::adapter::Options::default(),
        |b| b.middleware(slow),
    )
    .await;
    let key = |c: &str| channel.user(c).message("x").conversation_key().unwrap();
    for c in ["paused", "cancelled", "expired"] {
        bot.say(&channel.user(c), "hello").await;
    }
    let engine = &bot.engine;
    let notify = async |c: &str, expires: bool| {
        let mut new = NewNotification::new(key(c), "not to be sent");
        if expires {
            new.expires_at = Some(jiff::Timestamp::now() + Duration::from_millis(300));
        }
        engine.notify(new).await.unwrap().id
    };
    let (paused, cancelled, expired) =
        (notify("paused", false).await, notify("cancelled", false).await, notify("expired", true).await);
    for id in [paused, cancelled, expired] {
        let now = engine.notification(id).await.unwrap().unwrap();
        assert_eq!(now.state, NotificationState::Sending, "begun with its acceptance");
    }
    let scope = PauseScope::conversation(&key("paused"));
    engine.pause(scope.clone(), None).await.unwrap();
    let cancel = tokio::spawn({
        let engine = engine.clone();
        async move { engine.cancel(cancelled).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!cancel.is_finished(), "not acknowledged before its end is on record");
    permits.add_permits(3);
    let answer = cancel.await.unwrap();
    assert_eq!(answer, proact::proactive::Cancelled::Cancelled { may_have_arrived: false });
    let ends = [
        (paused, NotificationState::Waiting),
        (cancelled, NotificationState::Cancelled),
        (expired, NotificationState::Expired),
    ];
    for (id, state) in ends {
        let end = loop {
            let now = engine.notification(id).await.unwrap().unwrap();
            if now.state != NotificationState::Sending {
                break now;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        assert_eq!(end.state, state);
        assert_eq!(outcomes(&end), [Some(AttemptOutcome::NotSent)]);
        let ledger = channel.ledger();
        assert!(ledger.iter().all(|entry| entry.post.text() != "not to be sent"));
    }
    permits.add_permits(1);
    engine.resume(scope).await.unwrap();
    channel.wait_for(|ledger| ledger.texts("paused").contains(&"not to be sent")).await;
}

#[tokio::test]
async fn a_conversation_that_is_gone_is_left_alone_until_something_comes_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    world.channel.script("c", [ChannelAnswer::error(403, "MessageWritesBlocked", "blocked by the user")]);
    let first = world.notify(NewNotification::new(key.clone(), "first")).await;
    let failed = world.until(first, NotificationState::Failed).await;
    assert!(failed.reason.unwrap().contains("MessageWritesBlocked"));
    let dead = world.engine().conversation(key.clone()).await.unwrap().unwrap().dead;
    assert!(dead.unwrap().contains("blocked by the user"));
    let second = world.notify(NewNotification::new(key.clone(), "second")).await;
    let suppressed = world.get(second).await;
    assert_eq!((suppressed.state, suppressed.tries), (NotificationState::Suppressed, 0));
    world.meet("c").await;
    let third = world.notify(NewNotification::new(key, "third")).await;
    world.delivered(third).await;
    assert_eq!(world.told("c"), ["third"]);
}

#[tokio::test]
async fn retries_end_by_tries_by_age_and_by_expiry_and_a_long_retry_after_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.backoff.max_tries = 3;
    options.backoff.max_age = Duration::from_secs(3600);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let busy = || (0..50).map(|_| ChannelAnswer::status(503));
    let tries = world.meet("tries").await;
    world.channel.script("tries", busy());
    let id = world.notify(NewNotification::new(tries, "x")).await;
    while !world.get(id).await.state.is_settled() {
        world.clock.advance(Duration::from_millis(10));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let ended = world.get(id).await;
    assert_eq!((ended.state, ended.tries), (NotificationState::Failed, 3));
    assert!(ended.reason.unwrap().contains("after 3 tries"));

    let long = world.meet("long").await;
    world.channel.script("long", [ChannelAnswer::throttled(Some("36000"))]);
    let id = world.notify(NewNotification::new(long.clone(), "x")).await;
    let ended = world.until(id, NotificationState::Failed).await;
    assert!(ended.reason.unwrap().contains("older than 3600 s"), "beyond the age limit it fails at once");

    world.channel.script("long", [ChannelAnswer::throttled(Some("120"))]);
    let mut new = NewNotification::new(long.clone(), "x");
    new.expires_at = Some(proact::clock::Clock::now(&*world.clock) + Duration::from_secs(60));
    let id = world.notify(new).await;
    world.until(id, NotificationState::Expired).await;

    world.channel.script("long", [ChannelAnswer::throttled(Some("120"))]);
    let id = world.notify(NewNotification::new(long, "asked to wait")).await;
    world.tried(id).await;
    world.clock.advance(Duration::from_millis(119_999));
    world.quiet().await;
    assert_eq!(world.get(id).await.state, NotificationState::Waiting, "never undercut");
    world.clock.advance(Duration::from_millis(1));
    world.delivered(id).await;
}

#[tokio::test]
async fn what_waits_longer_than_anything_may_fails_even_while_it_is_paused() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.backoff.max_age = Duration::from_secs(3600);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let key = world.meet("c").await;
    world.engine().pause(PauseScope::All, None).await.unwrap();
    let old = world.notify(NewNotification::new(key.clone(), "old")).await;
    let mut new = NewNotification::new(key, "new");
    new.policy = Policy::AtMostOnce;
    new.not_before = Some("2030-01-01T12:30:00Z".parse().unwrap());
    let young = world.notify(new).await;
    world.clock.advance(Duration::from_secs(3601));
    let failed = world.until(old, NotificationState::Failed).await;
    assert!(failed.reason.unwrap().contains("waited longer"));
    assert_eq!(world.get(young).await.state, NotificationState::Waiting, "its age counts from its time");
    world.engine().resume(PauseScope::All).await.unwrap();
    world.delivered(young).await;
}

#[tokio::test]
async fn what_was_begun_at_once_and_then_waits_behind_a_pause_ends_at_its_time_too() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let (expires, ages) = (world.meet("expires").await, world.meet("ages").await);
    for c in ["expires", "ages"] {
        world.channel.script(c, [ChannelAnswer::throttled(Some("20"))]);
    }
    let mut new = NewNotification::new(expires, "an offer");
    new.expires_at = Some("2030-01-01T12:05:00Z".parse().unwrap());
    let (expires, ages) = (world.notify(new).await, world.notify(NewNotification::new(ages, "news")).await);
    for id in [expires, ages] {
        let waits = world.tried(id).await;
        assert_eq!(
            outcomes(&waits),
            [Some(AttemptOutcome::Retry)],
            "begun with its acceptance, to be tried again"
        );
    }
    world.engine().pause(PauseScope::All, None).await.unwrap();
    world.clock.set("2030-01-01T12:06:00Z".parse().unwrap());
    world.until(expires, NotificationState::Expired).await;
    assert_eq!(world.get(ages).await.state, NotificationState::Waiting);
    world.clock.set("2030-01-03T12:00:00Z".parse().unwrap());
    world.until(ages, NotificationState::Failed).await;
    assert!(world.told("expires").is_empty() && world.told("ages").is_empty());
}
