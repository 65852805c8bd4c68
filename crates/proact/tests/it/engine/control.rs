//! Cancel is final, reschedule moves, replay repeats as a new one.

use std::{
    backtrace::Backtrace,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use proact::{
    clock::Clock,
    proactive::{
        AttemptOutcome, Cancelled, Cause, NewNotification, NotificationState, Policy, Replayed, Rescheduled,
    },
    testkit::{ChannelAnswer, FakeChannel, Gate, TestClock},
};

use super::{World, outcomes};
use crate::support::{TestBot, eager};

#[tokio::test]
async fn after_an_acknowledged_cancel_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let gate = Gate::closed();
    world.channel.script("c", [ChannelAnswer::ok().behind(&gate)]);
    let first = world.notify(NewNotification::new(key.clone(), "first")).await;
    let second = world.notify(NewNotification::new(key, "second")).await;
    let cancelled = world.engine().cancel(second).await.unwrap();
    assert_eq!(cancelled, Cancelled::Cancelled { may_have_arrived: false });
    assert_eq!(world.engine().cancel(second).await.unwrap(), cancelled, "asked again, the same");
    world.channel.wait_for(|ledger| ledger.texts("c").contains(&"first")).await;
    let late = world.engine().cancel(first).await.unwrap();
    assert_eq!(late, Cancelled::TooLate(NotificationState::Sending), "its bytes have left");
    gate.open();
    world.delivered(first).await;
    assert_eq!(world.engine().cancel(first).await.unwrap(), Cancelled::TooLate(NotificationState::Delivered));
    assert_eq!(world.engine().cancel(uuid::Uuid::nil()).await.unwrap(), Cancelled::NotFound);
    world.quiet().await;
    assert_eq!(world.told("c"), ["first"]);
    assert_eq!(world.get(second).await.tries, 0);
}

#[tokio::test]
async fn a_cancel_after_an_unknown_attempt_says_that_it_may_have_arrived() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = eager();
    options.backoff.base = Duration::from_secs(600);
    options.backoff.ceiling = Duration::from_secs(600);
    let world = World::start_with(folder.path(), FakeChannel::start(), options).await;
    let key = world.meet("c").await;
    world.channel.script("c", [ChannelAnswer::cut().accepting()]);
    let id = world.notify(NewNotification::new(key, "perhaps")).await;
    let waits = world.tried(id).await;
    assert_eq!(outcomes(&waits), [Some(AttemptOutcome::Unknown)]);
    assert!(waits.may_have_arrived());
    let cancelled = world.engine().cancel(id).await.unwrap();
    assert_eq!(cancelled, Cancelled::Cancelled { may_have_arrived: true });
    world.clock.advance(Duration::from_secs(3600));
    world.quiet().await;
    assert_eq!(world.told("c"), ["perhaps"]);
}

#[tokio::test]
async fn of_many_cancels_and_sends_that_race_each_has_one_end() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let mut ids = Vec::new();
    for n in 0..12 {
        let key = world.meet(&format!("c{n}")).await;
        for m in 0..5 {
            let text = format!("{n}/{m}");
            let id = world.notify(NewNotification::new(key.clone(), text.as_str())).await;
            ids.push((id, text));
        }
    }
    let answers = futures_util::future::join_all(ids.iter().map(|(id, _)| world.engine().cancel(*id))).await;
    for ((id, text), answer) in ids.iter().zip(answers) {
        let end = loop {
            let now = world.get(*id).await;
            if now.state.is_settled() {
                break now.state;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        let ledger = world.channel.ledger();
        let sent = ledger.iter().filter(|entry| entry.post.text() == text).count();
        match answer.unwrap() {
            Cancelled::Cancelled { .. } => assert_eq!((end, sent), (NotificationState::Cancelled, 0)),
            _ => assert_eq!((end, sent), (NotificationState::Delivered, 1)),
        }
    }
}

#[tokio::test]
async fn one_that_waits_moves_to_another_time() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    let mut new = NewNotification::new(key.clone(), "reminder");
    new.not_before = Some("2030-01-01T13:00:00Z".parse().unwrap());
    new.expires_at = Some("2030-01-01T16:00:00Z".parse().unwrap());
    let id = world.notify(new).await;
    let to = |time: &str| world.engine().reschedule(id, time.parse().unwrap());
    assert_eq!(to("2030-01-01T15:00:00Z").await.unwrap(), Rescheduled::Waiting);
    world.clock.set("2030-01-01T14:00:00Z".parse().unwrap());
    world.quiet().await;
    assert_eq!(world.told("c"), Vec::<String>::new(), "not at its first time");
    assert!(to("2030-01-01T17:00:00Z").await.is_err(), "it expires before");
    assert_eq!(
        to("2030-01-01T13:30:00Z").await.unwrap(),
        Rescheduled::Waiting,
        "a time that has passed is now"
    );
    world.delivered(id).await;
    assert_eq!(to("2030-01-01T15:00:00Z").await.unwrap(), Rescheduled::TooLate(NotificationState::Delivered));
}

#[tokio::test]
async fn a_replay_is_a_new_one_that_says_what_it_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    world.channel.script("c", [ChannelAnswer::status(400)]);
    let failed = world.notify(NewNotification::new(key, "again")).await;
    world.until(failed, NotificationState::Failed).await;
    let replay = || world.engine().replay(failed, Cause::CommandLine, Some("replay-1".to_owned()));
    let Replayed::Accepted(new) = replay().await.unwrap() else { panic!("it failed") };
    let Replayed::Accepted(same) = replay().await.unwrap() else { panic!("the same key") };
    assert_eq!((new.id, same.repeated), (same.id, true));
    let replayed = world.delivered(new.id).await;
    assert_eq!((replayed.replay_of, replayed.cause), (Some(failed), Cause::CommandLine));
    assert_eq!(world.get(failed).await.state, NotificationState::Failed, "the first one stays what it was");
    let again = world.engine().replay(new.id, Cause::Api, None).await.unwrap();
    assert_eq!(again, Replayed::NotReplayable(NotificationState::Delivered));
    assert_eq!(world.engine().replay(uuid::Uuid::nil(), Cause::Api, None).await.unwrap(), Replayed::NotFound);
}

#[tokio::test]
async fn to_a_channel_that_takes_ids_an_unknown_one_is_replayed_under_its_first_id() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let key = world.meet("c").await;
    world.channel.script("c", [ChannelAnswer::cut().accepting()]);
    let mut new = NewNotification::new(key, "once");
    new.policy = Policy::AtMostOnce;
    let unknown = world.notify(new).await;
    world.until(unknown, NotificationState::Unknown).await;
    let folder_path = folder.path().to_owned();
    let (channel, clock) = (world.channel, world.clock);
    world.bot.engine.stop().await;
    world.bot.engine.store().close().await;
    channel.take_ids();
    let mut options = eager();
    options.takes_ids = Some(channel.service_url());
    let world = World::start_at(&folder_path, channel, options, clock).await;
    let Replayed::Accepted(first) = world.engine().replay(unknown, Cause::Api, None).await.unwrap() else {
        panic!("it is unknown")
    };
    world.delivered(first.id).await;
    let ids: Vec<_> = world
        .channel
        .ledger()
        .of("c")
        .filter(|entry| entry.post.text() == "once")
        .map(|entry| entry.post.idempotency_key.clone())
        .collect();
    assert_eq!(ids, [None, Some(unknown.to_string())]);
}

/// A clock that panics once, when it is set to, if it is a delivery that asks: a defect in its middle.
#[derive(Debug)]
struct Trap {
    clock: Arc<TestClock>,
    set: AtomicBool,
}

impl Clock for Trap {
    fn now(&self) -> Timestamp {
        // Other tasks ask as well, and at any time: only the stack says who it is.
        let by_delivery = || Backtrace::force_capture().to_string().contains("proactive::deliver::send");
        if self.set.load(Ordering::SeqCst) && by_delivery() && self.set.swap(false, Ordering::SeqCst) {
            panic!("the clock panics, as the test asked");
        }
        self.clock.now()
    }

    fn sleep_until(&self, when: Timestamp) -> futures_util::future::BoxFuture<'_, ()> {
        self.clock.sleep_until(when)
    }
}

#[tokio::test]
async fn a_delivery_that_panics_leaves_no_attempt_open_and_no_cancel_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::at("2030-01-01T12:00:00Z"));
    let trap = Arc::new(Trap { clock: Arc::clone(&clock), set: AtomicBool::new(false) });
    let by: Arc<dyn Clock> = trap.clone();
    let mut options = eager();
    options.backoff.base = Duration::from_secs(600);
    options.backoff.ceiling = Duration::from_secs(600);
    let channel = FakeChannel::start();
    let world = World::start_bot(folder.path(), channel, options, clock, by, TestBot).await;
    let key = world.meet("c").await;
    let gates = [Gate::closed(), Gate::closed()];
    world.channel.script("c", gates.iter().map(|gate| ChannelAnswer::ok().behind(gate)));
    let mut once = NewNotification::new(key.clone(), "perhaps once");
    once.policy = Policy::AtMostOnce;
    let once = world.notify(once).await;
    let behind = world.notify(NewNotification::new(key, "perhaps twice")).await;
    for (id, text, state, gate) in [
        (once, "perhaps once", NotificationState::Unknown, &gates[0]),
        (behind, "perhaps twice", NotificationState::Waiting, &gates[1]),
    ] {
        world.channel.wait_for(|ledger| ledger.texts("c").contains(&text)).await;
        trap.set.store(true, Ordering::SeqCst);
        gate.open();
        while trap.set.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let ended = world.until(id, state).await;
        assert_eq!(outcomes(&ended), [Some(AttemptOutcome::Unknown)]);
        assert!(ended.reason.unwrap().contains("panicked"));
    }
    let cancelled = tokio::time::timeout(Duration::from_secs(30), world.engine().cancel(behind)).await;
    let may_have_arrived = Cancelled::Cancelled { may_have_arrived: true };
    assert_eq!(cancelled.expect("it does not wait for ever").unwrap(), may_have_arrived);
}
