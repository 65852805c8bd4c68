//! What becomes of what a turn sends, by type, and which method a kind of activity reaches.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use proact::{
    activity::{Activity, ActivityType, ChannelAccount, DeliveryMode},
    adapter::Adapter,
    testkit::FakeChannel,
    turn::{ActivityHandler, BotError, InvokeResponse, SendError, TurnContext},
};
use serde_json::json;
use tokio::time::Instant;

use super::book::{Book, Does, message, post};

/// What the channel got for one conversation.
fn sent(channel: &FakeChannel, conversation: &str) -> Vec<serde_json::Value> {
    channel.ledger().of(conversation).map(|entry| entry.post.activity().clone()).collect()
}

#[tokio::test]
async fn a_reply_is_addressed_typed_and_named_by_the_channel() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(Does(|ctx: TurnContext| async move {
        assert!(!ctx.responded());
        let mut reply = Activity::from("hello").with_id("mine").with_from(ChannelAccount::new("somebody"));
        reply.locale = Some("de".to_owned());
        let named = ctx.send(reply).await?;
        assert!(named.id.is_some_and(|id| id != "mine"));
        assert!(ctx.responded());
        ctx.reply("again").await?;
        Ok(())
    }))
    .build();
    let incoming = channel.user("c").message("hi").with_locale("fr");
    assert_eq!(post(&adapter, &incoming).await.unwrap().status, 200);
    let sent = sent(&channel, "c");
    let hello = json!({
        "type": "message", "text": "hello", "locale": "de", "replyToId": incoming.id, "channelId": "test",
        "serviceUrl": channel.service_url(), "conversation": {"id": "c"}, "from": {"id": "bot"},
        "recipient": {"id": "user"}
    });
    assert_eq!(sent[0], hello);
    assert_eq!(sent[1]["locale"], "fr", "the person's language, where the bot says none");
    let ledger = channel.ledger();
    let routes: Vec<_> = ledger.iter().map(|entry| entry.post.reply_to.clone()).collect();
    assert_eq!(routes, [incoming.id.clone(), incoming.id]);
}

#[tokio::test]
async fn what_cannot_be_replied_to_is_answered_at_the_end_of_the_conversation() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(Does(|ctx: TurnContext| async move {
        ctx.reply("welcome").await?;
        Ok(())
    }))
    .build();
    let joined = channel.user("c").on("webchat").joined();
    assert_eq!(post(&adapter, &joined).await.unwrap().status, 200);
    assert_eq!(sent(&channel, "c")[0].get("replyToId"), None, "Web Chat's ids of updates lead nowhere");
    assert_eq!(channel.ledger()[0].post.reply_to, None);
}

#[tokio::test]
async fn traces_go_to_the_emulator_alone_and_are_no_answer() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(Does(|ctx: TurnContext| async move {
        ctx.send(Activity::new(ActivityType::Trace)).await?;
        assert!(!ctx.responded());
        assert!(matches!(ctx.send_all([]).await, Err(SendError::Empty)));
        Ok(())
    }))
    .build();
    for name in ["test", "emulator"] {
        let activity = channel.user(name).on(name).message("x");
        assert_eq!(post(&adapter, &activity).await.unwrap().status, 200);
    }
    assert_eq!(sent(&channel, "test").len(), 0);
    assert_eq!(sent(&channel, "emulator").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delay_waits_as_long_as_it_says_within_reason() {
    let waited = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&waited);
    let adapter = Book::default().adapter(Does(move |ctx: TurnContext| {
        let log = Arc::clone(&log);
        async move {
            for value in [json!(null), json!(0), json!(250), json!(1.5), json!(-5), json!("x"), json!(1e300)]
            {
                let before = Instant::now();
                ctx.send(Activity::new(ActivityType::Delay).with_value(value)).await?;
                log.lock().unwrap().push(before.elapsed().as_millis());
            }
            Ok(())
        }
    }));
    post(&adapter, &message("c", "x")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    // A timer rounds up to the next millisecond.
    assert_eq!(*waited.lock().unwrap(), [1000, 1000, 250, 2, 1000, 1000, 30_000]);
}

#[tokio::test]
async fn an_invoke_response_is_an_answer_also_among_expected_replies() {
    let adapter = Book::default().adapter(Does(|ctx: TurnContext| async move {
        let value = match ctx.activity().name.as_deref() {
            Some("usual") => json!({"status": 418, "body": [1, 2]}),
            Some("bare") => json!(null),
            _ => json!({"status": 99}),
        };
        ctx.send(Activity::new(ActivityType::InvokeResponse).with_value(value)).await?;
        assert!(ctx.responded());
        Ok(())
    }));
    let invoke = |name: &str| Activity {
        name: Some(name.to_owned()),
        activity_type: ActivityType::Invoke,
        ..message(name, name)
    };
    let answer = post(&adapter, &invoke("usual")).await.unwrap();
    assert_eq!((answer.status, answer.body.as_deref()), (418, Some(&b"[1,2]"[..])));
    let answer = post(&adapter, &invoke("bare")).await.unwrap();
    assert_eq!((answer.status, answer.body), (200, None));
    assert_eq!(post(&adapter, &invoke("wrong")).await.unwrap().status, 500, "99 is no status of an answer");
    let expecting = invoke("usual").with_id("another").with_delivery_mode(DeliveryMode::ExpectReplies);
    let answer = post(&adapter, &expecting).await.unwrap();
    let replies: serde_json::Value = serde_json::from_slice(&answer.body.unwrap()).unwrap();
    let response = json!({"type": "invokeResponse", "value": {"status": 418, "body": [1, 2]}});
    assert_eq!((answer.status, replies), (200, json!({"activities": [response]})));
}

#[tokio::test]
async fn what_is_sent_after_the_expected_replies_were_given_fails() {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let adapter = Book::default().adapter(Does(move |ctx: TurnContext| {
        *keep.lock().unwrap() = Some(ctx.clone());
        async move {
            assert_eq!(ctx.send("in time").await?.id, None);
            Ok(())
        }
    }));
    let expecting = message("c", "x").with_delivery_mode(DeliveryMode::ExpectReplies);
    let answer = post(&adapter, &expecting).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.body.unwrap()).contains("in time"));
    let ctx = kept.lock().unwrap().take().unwrap();
    assert!(matches!(ctx.send("too late").await, Err(SendError::Answered)));
}

#[tokio::test]
async fn a_failed_send_says_whether_it_may_have_arrived() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let adapter = Book::default().adapter(Does(move |ctx: TurnContext| {
        let tell = Arc::clone(&tell);
        async move {
            let error = ctx.send("x").await.unwrap_err();
            tell.lock().unwrap().push((error.bytes_may_have_left(), ctx.responded()));
            ctx.set_invoke_response(InvokeResponse { status: 200, body: None });
            Ok(())
        }
    }));
    let channel = FakeChannel::start();
    channel.script("cut", [proact::testkit::ChannelAnswer::cut()]);
    // Nobody listens on the discard port.
    post(&adapter, &message("nobody", "x")).await.unwrap();
    post(&adapter, &channel.user("cut").message("x")).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [(false, false), (true, false)]);
}

/// Writes down which of its methods was called, and with what.
struct Sorted(Arc<Mutex<Vec<String>>>);

impl Sorted {
    fn note(&self, what: impl Into<String>) -> Result<(), BotError> {
        self.0.lock().unwrap().push(what.into());
        Ok(())
    }

    fn members(&self, what: &str, members: &[ChannelAccount]) -> Result<(), BotError> {
        let ids: Vec<_> = members.iter().filter_map(|member| member.id.as_deref()).collect();
        self.note(format!("{what} {}", ids.join(",")))
    }
}

impl ActivityHandler for Sorted {
    async fn on_message(&self, ctx: &TurnContext) -> Result<(), BotError> {
        self.note(format!("message {}", ctx.activity().text()))
    }
    async fn on_members_added(&self, _: &TurnContext, members: &[ChannelAccount]) -> Result<(), BotError> {
        self.members("added", members)
    }
    async fn on_members_removed(&self, _: &TurnContext, members: &[ChannelAccount]) -> Result<(), BotError> {
        self.members("removed", members)
    }
    async fn on_event(&self, _: &TurnContext, name: &str) -> Result<(), BotError> {
        self.note(format!("event {name}"))
    }
    async fn on_invoke(&self, _: &TurnContext, name: &str) -> Result<InvokeResponse, BotError> {
        self.note(format!("invoke {name}"))?;
        Ok(InvokeResponse::not_implemented())
    }
    async fn on_installation_update(&self, _: &TurnContext) -> Result<(), BotError> {
        self.note("installation")
    }
    async fn on_message_reaction(&self, _: &TurnContext) -> Result<(), BotError> {
        self.note("reaction")
    }
    async fn on_typing(&self, _: &TurnContext) -> Result<(), BotError> {
        self.note("typing")
    }
    async fn on_other(&self, ctx: &TurnContext) -> Result<(), BotError> {
        self.note(format!("other {}", ctx.activity().activity_type))
    }
}

#[tokio::test]
async fn each_kind_of_activity_reaches_its_method() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let adapter = Book::default().adapter(Sorted(Arc::clone(&log)));
    let of = |activity_type: ActivityType| Activity {
        activity_type,
        name: Some("n".to_owned()),
        ..message("c", "t")
    };
    let accounts = |ids: &[&str]| ids.iter().map(|id| ChannelAccount::new(*id)).collect::<Vec<_>>();
    let update = |added: &[&str], removed: &[&str]| {
        let id = Some(format!("{added:?}{removed:?}"));
        let (members_added, members_removed) = (accounts(added), accounts(removed));
        Activity { id, members_added, members_removed, ..of(ActivityType::ConversationUpdate) }
    };
    for (activity, reached) in [
        (of(ActivityType::Message), &["message t"][..]),
        (update(&["bot", "eva", "adam"], &[]), &["added eva,adam"]),
        (update(&["bot"], &[]), &[]),
        (update(&["eva"], &["bot", "adam"]), &["added eva", "removed adam"]),
        (update(&[], &[]), &["other conversationUpdate"]),
        (of(ActivityType::Event), &["event n"]),
        (of(ActivityType::Invoke), &["invoke n"]),
        (of(ActivityType::InstallationUpdate), &["installation"]),
        (of(ActivityType::MessageReaction), &["reaction"]),
        (of(ActivityType::Typing), &["typing"]),
        (of("brandNew".into()), &["other brandNew"]),
    ] {
        post(&adapter, &activity).await.unwrap();
        assert_eq!(std::mem::take(&mut *log.lock().unwrap()), reached);
    }
}
