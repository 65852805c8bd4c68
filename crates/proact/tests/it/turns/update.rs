//! Updating and deleting what was sent, in every kind of turn.

use std::sync::{Arc, Mutex};

use proact::{
    activity::{Activity, DeliveryMode},
    adapter::{Adapter, OutboxTurn, ProactiveEnd},
    connector,
    testkit::{ChannelAnswer, FakeChannel},
    turn::{BotError, Middleware, Next, SendError, TurnContext, TurnKey, TurnKind},
};
use serde_json::json;

use super::{
    book::{Does, post},
    proactive::Nothing,
};

#[tokio::test]
async fn what_was_sent_is_updated_and_deleted_under_its_id() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(Does(|ctx: TurnContext| async move {
        let progress = ctx.send("0 %").await?.id.unwrap();
        let other = ctx.send("other").await?.id.unwrap();
        let answer = ctx.update(Activity::message("50 %").with_id(&progress)).await?;
        assert_eq!(answer.id.as_ref(), Some(&progress));
        ctx.delete(&other).await?;
        Ok(())
    }))
    .build();
    assert_eq!(post(&adapter, &channel.user("c").message("go")).await.unwrap().status, 200);
    let ledger = channel.ledger();
    assert_eq!(ledger.shown("c"), ["50 %"]);
    let update = json!({
        "type": "message", "id": "a1", "text": "50 %", "channelId": "test", "serviceUrl": channel.service_url(),
        "conversation": {"id": "c"}, "from": {"id": "bot"}, "recipient": {"id": "user"}
    });
    assert_eq!(*ledger[2].activity(), update, "addressed, and an answer to nothing");
    assert_eq!((ledger[3].method.as_str(), ledger[3].body.len()), ("DELETE", 0));
    assert!(ledger.iter().all(|entry| entry.conversation == "c"));
}

#[tokio::test]
async fn without_an_id_nothing_leaves() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(Does(|ctx: TurnContext| async move {
        assert!(matches!(ctx.update("x").await, Err(SendError::NoActivityId)));
        assert!(matches!(ctx.update(Activity::message("x").with_id("")).await, Err(SendError::NoActivityId)));
        assert!(matches!(ctx.delete("").await, Err(SendError::NoActivityId)));
        assert!(!ctx.delete("..").await.unwrap_err().bytes_may_have_left(), "no path can carry it");
        Ok(())
    }))
    .build();
    assert_eq!(post(&adapter, &channel.user("c").message("go")).await.unwrap().status, 200);
    assert!(channel.ledger().is_empty());
}

#[tokio::test]
async fn a_failure_says_what_the_channel_said() {
    let channel = FakeChannel::start();
    channel.script("c", [ChannelAnswer::status(404), ChannelAnswer::cut()]);
    let adapter = Adapter::builder(Does(|ctx: TurnContext| async move {
        let gone = ctx.delete("1").await.unwrap_err();
        assert_eq!(gone.cause::<connector::Error>().and_then(connector::Error::status), Some(404));
        assert!(!gone.bytes_may_have_left());
        let unknown = ctx.update(Activity::message("x").with_id("1")).await.unwrap_err();
        assert!(unknown.bytes_may_have_left());
        assert!(unknown.cause::<connector::Error>().unwrap().is_unknown());
        assert!(unknown.cause::<std::fmt::Error>().is_none());
        Ok(())
    }))
    .build();
    assert_eq!(post(&adapter, &channel.user("c").message("go")).await.unwrap().status, 200);
}

#[tokio::test]
async fn they_go_out_although_replies_are_kept() {
    let channel = FakeChannel::start();
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let adapter = Adapter::builder(Does(move |ctx: TurnContext| {
        *keep.lock().unwrap() = Some(ctx.clone());
        async move {
            if !ctx.activity().expects_replies() {
                ctx.send_all(["first".into(), "second".into()]).await?;
                return Ok(());
            }
            ctx.send("kept").await?;
            ctx.update(Activity::message("new").with_id("a1")).await?;
            ctx.delete("a2").await?;
            Ok(())
        }
    }))
    .build();
    post(&adapter, &channel.user("c").message("before")).await.unwrap();
    let expecting = channel.user("c").message("go").with_delivery_mode(DeliveryMode::ExpectReplies);
    let answer = post(&adapter, &expecting).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.body.unwrap()).contains("kept"));
    let methods = || channel.ledger().iter().map(|entry| entry.method.to_string()).collect::<Vec<_>>();
    assert_eq!(methods(), ["POST", "POST", "PUT", "DELETE"]);
    // And after the answer, when nothing more could be kept.
    let ctx = kept.lock().unwrap().take().unwrap();
    ctx.update(Activity::message("newer").with_id("a1")).await.unwrap();
    assert_eq!(channel.ledger().shown("c"), ["newer"]);
}

#[tokio::test]
async fn a_proactive_turn_updates_what_an_earlier_one_sent() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(Does(|ctx: TurnContext| async move {
        ctx.send("0 %").await?;
        Ok(())
    }))
    .build();
    let incoming = channel.user("c").message("go");
    post(&adapter, &incoming).await.unwrap();
    let id = channel.ledger()[0].id.clone();
    let later = id.clone();
    adapter
        .continue_conversation(&incoming.reference(), async move |ctx: TurnContext| {
            ctx.update(Activity::message("100 %").with_id(later)).await?;
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(channel.ledger().shown("c"), ["100 %"]);
    adapter
        .continue_conversation(&incoming.reference(), async move |ctx: TurnContext| {
            Ok(ctx.delete(&id).await?)
        })
        .await
        .unwrap();
    assert!(channel.ledger().shown("c").is_empty());
}

/// Marks an older message as done in the turn of a notification.
struct Tick;

impl Middleware for Tick {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        if ctx.kind() == TurnKind::Proactive {
            ctx.update(Activity::message("done").with_id("a1")).await?;
        }
        next.run(ctx).await
    }
}

#[tokio::test]
async fn beside_a_notification_they_go_out_at_once_with_each_attempt() {
    let channel = FakeChannel::start();
    let bot = Does(|ctx: TurnContext| async move {
        ctx.send("under way").await?;
        Ok(())
    });
    let adapter = Adapter::builder(bot).middleware(Tick).build();
    post(&adapter, &channel.user("c").message("go")).await.unwrap();
    for _ in 0..2 {
        let turn = OutboxTurn {
            key: TurnKey([7; 16]),
            reference: channel.user("c").message("x").reference(),
            idempotency_key: None,
            leave: Arc::new(super::proactive::Always),
            beside: Arc::new(Nothing),
        };
        let end = adapter.proactive_turn(turn, "news".into(), async { Ok(true) }).await;
        assert!(matches!(end, ProactiveEnd::Sent { .. }), "{end:?}");
    }
    let methods: Vec<_> = channel.ledger().iter().map(|entry| entry.method.to_string()).collect();
    assert_eq!(methods, ["POST", "PUT", "POST", "PUT", "POST"]);
    assert_eq!(channel.ledger().shown("c"), ["done", "news", "news"]);
}
