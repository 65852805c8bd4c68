//! What is trusted: a reference to nowhere that is gets no byte, a token that is not to be had is nobody's fault.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use proact::{
    activity::{ActivityType, ConversationReference},
    adapter::ContinueError,
    egress::{Credential, Guard, Refused, TokenError, TrustedHosts},
    proactive::{AttemptOutcome, Gate, NewNotification, NotificationState},
    testkit::{ChannelAnswer, FakeChannel, TestClock},
};

use super::{World, outcomes};
use crate::{
    egress::world::Tokens,
    support::{eager, life},
};

const TIME: &str = "2030-01-01T12:00:00Z";

/// A guard that knows this channel alone, and shows it tokens.
fn guard(channel: &FakeChannel, tokens: &Arc<Tokens>) -> Guard {
    let credential = Credential::new(Arc::clone(tokens) as _, "own");
    Guard::builder()
        .configured(&channel.service_url(), Some(credential.clone()))
        .trusted(TrustedHosts::public_cloud(), Some(credential))
        .build()
        .unwrap()
}

async fn world(folder: &Path, channel: &FakeChannel, tokens: &Arc<Tokens>) -> World {
    let mut options = eager();
    options.backoff.max_tries = 1;
    options.breaker.base = Duration::from_secs(10);
    let clock = Arc::new(TestClock::at(TIME));
    World::start_through(folder, channel.clone(), options, clock, guard(channel, tokens)).await
}

fn shown(channel: &FakeChannel) -> Vec<String> {
    let header =
        |headers: &http::HeaderMap| headers.get("authorization").map(|it| it.to_str().unwrap().to_owned());
    channel.ledger().iter().map(|entry| header(&entry.headers).unwrap_or_default()).collect()
}

#[test]
fn a_stored_reference_that_is_trusted_no_more_gets_no_byte_and_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let (poisoned, good) = (FakeChannel::start(), FakeChannel::start());
    let folder = folder.path();
    life(|| async {
        // When everything on this machine was let out, somebody said that their conversation is there.
        let world = World::start(folder).await;
        world.bot.say(&poisoned.user("c"), "hello").await;
        world.engine().stop().await;
    });
    let before = poisoned.ledger().len();
    assert_eq!(before, 1);
    life(|| async {
        let tokens = Arc::new(Tokens::default());
        let world = world(folder, &good, &tokens).await;
        let user = poisoned.user("c");
        let key = user.message("x").conversation_key().unwrap();
        let mut ids = Vec::new();
        for text in ["first", "second"] {
            ids.push(world.notify(NewNotification::new(key.clone(), text)).await);
        }
        for id in ids {
            let ended = world.until(id, NotificationState::Failed).await;
            let reason = ended.reason.clone().unwrap();
            assert!(reason.contains("is not trusted") && reason.contains("allow that host"), "{reason}");
            assert_eq!(outcomes(&ended), [Some(AttemptOutcome::Failed)], "once, and not again");
        }
        let reference: ConversationReference = user.message("x").reference();
        let refused =
            world.bot.adapter.continue_conversation(&reference, async |_| Ok(())).await.unwrap_err();
        assert!(matches!(refused, ContinueError::Refused(Refused::NotTrusted { .. })), "{refused}");
        assert_eq!((poisoned.ledger().len(), tokens.asked.load(Ordering::SeqCst)), (before, 0));
        // Those who are where they may be are none the worse for it.
        let there = world.meet("d").await;
        let id = world.notify(NewNotification::new(there, "through")).await;
        world.delivered(id).await;
        assert_eq!(shown(&good), ["Bearer t0ken-own-0", "Bearer t0ken-own-0"]);
        assert_eq!(poisoned.ledger().len(), before);
    });
}

#[tokio::test]
async fn what_comes_with_a_url_that_is_not_trusted_is_not_taken_and_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let (good, evil, tokens) = (FakeChannel::start(), FakeChannel::start(), Arc::new(Tokens::default()));
    let world = world(folder.path(), &good, &tokens).await;
    let user = good.user("c");
    for (channel, service_url) in [
        ("test", evil.service_url()),
        ("msteams", "https://smba.trafficmanager.net.evil.example/".to_owned()),
        ("msteams", "https://evil-smba.trafficmanager.net/".to_owned()),
        ("msteams", "http://smba.trafficmanager.net/".to_owned()),
        // A channel's host, but another one's.
        ("msteams", "https://slack.botframework.com/".to_owned()),
        ("msteams", "http://169.254.169.254/metadata/".to_owned()),
    ] {
        let on = user.clone().on(channel);
        let activity = on.activity(ActivityType::Message).with_service_url(&service_url);
        let posted = on.post(&world.bot.bot_url, &activity).await.unwrap();
        assert_eq!(posted.status, 400, "{service_url}");
        let said = String::from_utf8_lossy(&posted.body).into_owned();
        assert!(said.contains("serviceUrl"), "{said}");
        let key = activity.conversation_key().unwrap();
        assert!(world.engine().conversation(key).await.unwrap().is_none(), "{service_url}");
    }
    assert_eq!((evil.ledger().len(), tokens.asked.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn without_a_token_messages_wait_and_use_no_tries() {
    let folder = tempfile::tempdir().unwrap();
    let (channel, tokens) = (FakeChannel::start(), Arc::new(Tokens::default()));
    let world = world(folder.path(), &channel, &tokens).await;
    let key = world.meet("c").await;
    let before = channel.ledger().len();
    *tokens.fails.lock().unwrap() = Some(TokenError::Refused { code: "invalid_client".to_owned() });
    let id = world.notify(NewNotification::new(key, "later")).await;
    let waits = world.tried(id).await;
    assert_eq!(outcomes(&waits), [Some(AttemptOutcome::NotSent)]);
    assert!(waits.reason.as_ref().unwrap().contains("invalid_client"), "{waits:?}");
    let Some(Gate::Breaker { reason, .. }) = waits.gates.as_ref().unwrap().last().cloned() else {
        panic!("{waits:?}")
    };
    assert!(reason.contains("MicrosoftAppPassword"), "{reason}");
    assert_eq!(channel.ledger().len(), before);
    world.clock.advance(Duration::from_secs(20));
    while world.get(id).await.attempts.unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    *tokens.fails.lock().unwrap() = None;
    world.clock.advance(Duration::from_secs(100));
    let delivered = world.delivered(id).await;
    assert_eq!(outcomes(&delivered).last(), Some(&Some(AttemptOutcome::Delivered)));
    assert_eq!(channel.ledger().len(), before + 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_within_the_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let (channel, tokens) = (FakeChannel::start(), Arc::new(Tokens::default()));
    let world = world(folder.path(), &channel, &tokens).await;
    let key = world.meet("c").await;
    channel.script("c", [ChannelAnswer::status(401)]);
    let id = world.notify(NewNotification::new(key.clone(), "one")).await;
    assert_eq!(outcomes(&world.delivered(id).await), [Some(AttemptOutcome::Delivered)]);
    assert_eq!(shown(&channel)[1..], ["Bearer t0ken-own-0", "Bearer t0ken-own-1"]);
    // The new one too: that is about the app, and not about the message.
    channel.script("c", [ChannelAnswer::status(401), ChannelAnswer::status(401)]);
    let id = world.notify(NewNotification::new(key, "two")).await;
    let waits = world.tried(id).await;
    assert_eq!(outcomes(&waits), [Some(AttemptOutcome::Retry)]);
    assert_eq!(world.engine().counts().await.unwrap().breakers.len(), 1);
    world.clock.advance(Duration::from_secs(20));
    world.delivered(id).await;
}
