//! The fake channel itself: what its ledger says must be true, or it proves nothing.

use std::sync::Arc;
use std::time::Duration;

use proact::activity::Activity;
use proact::clock::Clock as _;
use proact::connector::{Class, ConnectorClient, Error, RetryAfter, Target};
use proact::egress::{Guard, Options};
use proact::testkit::{ChannelAnswer, FakeChannel, Fault, Gate, RandomFaults, TestClock, Wait};

async fn send(
    channel: &FakeChannel,
    conversation_id: &str,
    text: &str,
    id: Option<&str>,
) -> Result<(), Error> {
    let connector = ConnectorClient::new(Guard::loopback_only(Options::default()));
    let target = Target { service_url: &channel.service_url(), conversation_id };
    connector.send_to_conversation(&target, &Activity::message(text), id).await.map(drop)
}

#[tokio::test]
async fn the_ledger_tells_what_people_see_from_what_the_bot_was_told() {
    let channel = FakeChannel::start();
    channel.script("c", [ChannelAnswer::throttled(None).accepting(), ChannelAnswer::ok().refusing()]);
    assert!(send(&channel, "c", "seen", None).await.is_err());
    assert!(send(&channel, "c", "unseen", None).await.is_ok());
    assert!(send(&channel, "c", "plain", None).await.is_ok());
    assert!(send(&channel, "d", "other", None).await.is_ok());
    let ledger = channel.ledger();
    assert_eq!(ledger.texts("c"), ["seen", "plain"]);
    assert_eq!(ledger.of("c").count(), 3);
    assert_eq!(ledger.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn scripts_go_before_the_rule_and_both_can_be_forgotten() {
    let channel = FakeChannel::start();
    channel.answer_with(|post| (post.text() == "bad").then(|| ChannelAnswer::status(400)));
    channel.script("c", [ChannelAnswer::ok()]);
    assert!(send(&channel, "c", "bad", None).await.is_ok());
    assert!(send(&channel, "c", "bad", None).await.is_err());
    assert!(send(&channel, "c", "good", None).await.is_ok());
    channel.behave();
    assert!(send(&channel, "c", "bad", None).await.is_ok());
}

#[tokio::test]
async fn a_channel_that_takes_ids_shows_an_activity_once() {
    let channel = FakeChannel::start();
    channel.take_ids();
    channel.script("c", [ChannelAnswer::status(503), ChannelAnswer::cut()]);
    assert!(send(&channel, "c", "hi", Some("n1")).await.is_err());
    assert!(send(&channel, "c", "hi", Some("n1")).await.unwrap_err().is_unknown());
    assert!(send(&channel, "c", "hi", Some("n1")).await.is_ok());
    assert!(send(&channel, "c", "hi", None).await.is_ok());
    assert!(send(&channel, "d", "hi", Some("n1")).await.is_ok());
    let ledger = channel.ledger();
    assert_eq!(ledger.of("c").map(|entry| entry.accepted).collect::<Vec<_>>(), [false, true, false, true]);
    assert_eq!(ledger[1].id, ledger[2].id);
    assert_eq!(ledger.texts("d"), ["hi"]);
}

#[tokio::test]
async fn an_answer_waits_behind_its_gate_and_the_ledger_does_not() {
    let channel = FakeChannel::start();
    let gate = Gate::closed();
    channel.script("c", [ChannelAnswer::ok().behind(&gate)]);
    let sending = tokio::spawn({
        let channel = channel.clone();
        async move { send(&channel, "c", "hi", None).await }
    });
    channel.wait_for(|ledger| ledger.len() == 1).await;
    assert!(!sending.is_finished());
    gate.open();
    sending.await.unwrap().unwrap();
}

#[test]
fn a_blocked_test_does_not_stop_the_channel() {
    let channel = FakeChannel::start();
    let other = channel.clone();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime().block_on(send(&other, "c", "hi", None))).join().unwrap().unwrap();
    assert_eq!(channel.ledger().len(), 1);
    runtime().block_on(channel.wait_for(|ledger| ledger.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_end_a_wait() {
    let channel = FakeChannel::start();
    let service_url = channel.service_url();
    let from_outside = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        let http = format!("{service_url}v3/conversations/c/activities");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(reqwest::Client::new().post(http).body("{}").send()).unwrap();
    });
    channel.wait_for(|ledger| ledger.len() == 1).await;
    from_outside.join().unwrap();
}

#[tokio::test]
async fn a_user_posts_as_a_channel_does() {
    // Any server can stand for the bot; this one writes a ledger.
    let bot = FakeChannel::start();
    let bot_url = format!("{}v3/conversations/bot/activities", bot.service_url());
    let channel = FakeChannel::start();
    let ada = channel.user("c1").named("ada").on("webchat");
    let message = ada.message("run");
    assert!(ada.post(&bot_url, &message).await.unwrap().acknowledged());
    assert!(ada.post(&bot_url, &message).await.unwrap().acknowledged());
    ada.post(&bot_url, &ada.joined()).await.unwrap();
    ada.in_conversation("c2").post(&bot_url, &ada.event("jobCompleted", 17)).await.unwrap();

    let ledger = bot.ledger();
    let first = ledger[0].activity();
    assert_eq!(first["id"], ledger[1].activity()["id"]);
    assert_ne!(first["id"], ledger[2].activity()["id"]);
    assert_eq!(first["serviceUrl"], channel.service_url());
    assert_eq!((&first["channelId"], &first["from"]["id"]), (&"webchat".into(), &"ada".into()));
    assert_eq!(first["conversation"]["id"], "c1");
    assert_eq!(ledger[2].activity()["membersAdded"][1]["id"], "ada");
    assert_eq!(ledger[3].activity()["value"], 17);

    bot.script("bot", [ChannelAnswer::status(503), ChannelAnswer::cut()]);
    assert!(!ada.say(&bot_url, "hi").await.unwrap().acknowledged());
    assert!(ada.say(&bot_url, "hi").await.is_err());
}

/// What the connector's table says of each fault: `None` is delivered.
fn class_of(fault: Fault) -> Option<Class> {
    match fault {
        Fault::Throttled(_) | Fault::AcceptedAndThrottled(_) | Fault::PreconditionFailed => {
            Some(Class::Throttled)
        }
        Fault::Status(503) => Some(Class::Busy),
        Fault::Forbidden(_) | Fault::Status(400..=499) => Some(Class::Permanent),
        Fault::GarbageBody | Fault::EmptyBody | Fault::NoId | Fault::AcceptedAndCutAfterHead => None,
        // A body that does not come in time.
        Fault::AcceptedAndDripped => None,
        _ => Some(Class::Unknown),
    }
}

#[tokio::test]
async fn every_fault_is_played_and_the_ledger_knows_who_saw_what() {
    let channel = FakeChannel::start();
    let options = Options { timeout: Duration::from_millis(800), ..Options::default() };
    let connector = ConnectorClient::new(Guard::loopback_only(options));
    let service_url = channel.service_url();
    let target = Target { service_url: &service_url, conversation_id: "c" };
    for (place, fault) in Fault::ALL.iter().enumerate() {
        channel.script("c", [*fault]);
        let text = format!("message {place}");
        let sent = connector.send_to_conversation(&target, &Activity::message(&text), None).await;
        assert_eq!(sent.as_ref().err().map(Error::class), class_of(*fault), "{fault:?}: {sent:?}");
        let ledger = channel.ledger();
        let entry = ledger.last().unwrap();
        assert_eq!(ledger.len(), place + 1, "{fault:?}: sent once, whatever came back");
        assert_eq!(entry.body.is_empty(), *fault == Fault::DroppedUnread);
        let name = format!("{fault:?}");
        let shown = name.starts_with("Accepted") || class_of(*fault).is_none() || *fault == Fault::NoContent;
        assert_eq!(entry.accepted, shown, "{fault:?}");
        assert_eq!(ledger.texts("c").contains(&&*text), shown, "{fault:?}");
        assert!(ledger.strays().is_empty(), "{fault:?}: somebody went to {:?}", ledger.strays());
    }
}

#[tokio::test]
async fn who_follows_a_redirect_is_found_out() {
    let channel = FakeChannel::start();
    channel.script("c", [Fault::Redirect(307)]);
    let url = format!("{}v3/conversations/c/activities", channel.service_url());
    reqwest::Client::new().post(url).body("{}").send().await.unwrap();
    assert_eq!(channel.ledger().strays(), ["POST /canary"]);
}

#[tokio::test]
async fn a_429_says_how_long_to_wait_in_every_odd_way() {
    let channel = FakeChannel::start();
    let hours = |count: u64| Duration::from_secs(count * 3600);
    for (wait, least, most) in [
        (Wait::Absent, None, None),
        (Wait::Negative, None, None),
        (Wait::Garbage, None, None),
        (Wait::Seconds(7), Some(Duration::from_secs(7)), Some(Duration::from_secs(7))),
        (Wait::Fraction, Some(Duration::from_secs(1)), Some(Duration::from_secs(1))),
        (Wait::TenHours, Some(hours(10)), Some(hours(10))),
        (Wait::Date(60), Some(Duration::from_secs(60)), Some(Duration::from_secs(62))),
    ] {
        channel.script_next([Fault::AcceptedAndThrottled(wait)]);
        let error = send(&channel, "c", "hi", None).await.unwrap_err();
        // A date counts from the answer's own date.
        let asked = error.retry_after().map(|asked| match asked {
            RetryAfter::After(delay) => delay,
            RetryAfter::At(_) => panic!("{wait:?}: the answer has a date of its own"),
        });
        assert!(asked >= least && asked <= most, "{wait:?}: {asked:?}");
        assert_eq!(channel.ledger().last().unwrap().retry_after().is_some(), wait != Wait::Absent);
    }
}

#[tokio::test]
async fn what_is_said_for_the_next_goes_to_who_has_no_script() {
    let channel = FakeChannel::start();
    channel.script("c", [ChannelAnswer::ok()]);
    channel.script_next([Fault::DroppedUnread, Fault::Status(503)]);
    assert!(send(&channel, "c", "scripted", None).await.is_ok());
    assert!(send(&channel, "d", "next", None).await.unwrap_err().is_unknown());
    assert_eq!(send(&channel, "c", "and then", None).await.unwrap_err().class(), Class::Busy);
    assert!(send(&channel, "d", "over", None).await.is_ok());
    assert!(channel.ledger()[1].body.is_empty(), "read, although the connection ended before");
}

#[tokio::test]
async fn edits_are_taken_for_what_is_there_and_refused_on_demand() {
    let channel = FakeChannel::start();
    let connector = ConnectorClient::new(Guard::loopback_only(Options::default()));
    let service_url = channel.service_url();
    let target = Target { service_url: &service_url, conversation_id: "c" };
    let id = connector.send_to_conversation(&target, &"10 %".into(), None).await.unwrap().id.unwrap();
    connector.update_activity(&target, &id, &"20 %".into()).await.unwrap();
    assert!(connector.update_activity(&target, "a99", &"lost".into()).await.is_err());
    channel.refuse_edits(ChannelAnswer::no_edits());
    assert!(connector.update_activity(&target, &id, &"30 %".into()).await.is_err());
    assert!(connector.delete_activity(&target, &id).await.is_err());
    assert_eq!(channel.ledger().shown("c"), ["20 %"]);
    channel.behave();
    connector.delete_activity(&target, &id).await.unwrap();
    assert!(connector.update_activity(&target, &id, &"40 %".into()).await.is_err(), "it was deleted");
    let ledger = channel.ledger();
    assert!(ledger.shown("c").is_empty());
    let statuses: Vec<_> = ledger.iter().map(|entry| entry.status().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 404, 405, 405, 200, 404]);
    assert_ne!(ledger[0].digest(), ledger[1].digest());
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(ledger[4].digest(), of_nothing, "a deletion has no body");
}

#[tokio::test]
async fn the_ledger_goes_by_the_channels_clock() {
    let clock = TestClock::default();
    let channel = FakeChannel::start_by(Arc::new(clock.clone()));
    send(&channel, "c", "now", None).await.unwrap();
    clock.advance(Duration::from_secs(60));
    send(&channel, "c", "later", None).await.unwrap();
    let ledger = channel.ledger();
    let passed = ledger[1].wall.duration_since(ledger[0].wall);
    assert_eq!(passed.unsigned_abs(), Duration::from_secs(60));
    assert_eq!(ledger[1].answered().unwrap().wall, clock.now());
}

#[tokio::test]
async fn misbehaviour_at_random_comes_again_with_its_seed() {
    let statuses = async |seed| {
        let channel = FakeChannel::start();
        let faults = RandomFaults::seeded(seed).per_cent(50, Fault::Status(503));
        channel.answer_with(move |post| faults.answer(post));
        for number in 0..32 {
            let _ = send(&channel, if number % 3 == 0 { "d" } else { "c" }, "hi", None).await;
        }
        channel.ledger().iter().map(|entry| entry.accepted).collect::<Vec<_>>()
    };
    let first = statuses(1).await;
    assert!(first.contains(&true) && first.contains(&false));
    assert_eq!(first, statuses(1).await);
    assert_ne!(first, statuses(2).await);
}
