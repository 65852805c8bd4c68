//! The fake channel itself: what its ledger says must be true, or it proves nothing.

use std::time::Duration;

use proact::activity::Activity;
use proact::connector::{ConnectorClient, Error, Target};
use proact::egress::{Guard, Options};
use proact::testkit::{ChannelAnswer, FakeChannel, Gate};

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
