//! Hooks: in their order, changing, stopping; and what they cannot change.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use proact::{
    activity::{Activity, ResourceResponse},
    adapter::{Adapter, OutboxTurn, ProactiveEnd},
    testkit::{ChannelAnswer, FakeChannel, Gate},
    turn::{Bot, BotError, Middleware, Next, NextHook, OutgoingHook, SendError, TurnContext, TurnKey},
};

use super::{
    book::{Does, post},
    proactive::Nothing,
};

type Log = Arc<Mutex<Vec<String>>>;

/// Writes down what comes by, and does to it what its name says.
#[derive(Clone)]
struct Hook(&'static str, Log);

impl Hook {
    fn note(&self, what: &str, activity: &Activity) {
        let id = activity.id.as_deref().unwrap_or("-");
        self.1.lock().unwrap().push(format!("{} {what} {id} {}", self.0, activity.text()));
    }
}

impl OutgoingHook for Hook {
    async fn on_send(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> Result<ResourceResponse, SendError> {
        self.note("send", &activity);
        assert_eq!(activity.conversation_id(), Some("c"), "addressed already");
        let text = activity.text().to_owned();
        match self.0 {
            "stop" => Ok(ResourceResponse::new("nobody's")),
            "fail" => Err(SendError::Empty),
            "swallow" => Ok(next.send(ctx, activity).await.unwrap_or_default()),
            "instead" => next.update(ctx, activity.with_id("a1")).await,
            "lie" => {
                next.send(ctx, activity).await?;
                Err(SendError::Empty)
            }
            "impatient" => {
                let sending = next.send(ctx, activity);
                tokio::time::timeout(Duration::from_millis(20), sending)
                    .await
                    .unwrap_or(Ok(Default::default()))
            }
            _ => next.send(ctx, activity.with_text(format!("{text}+{}", self.0))).await,
        }
    }

    async fn on_update(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> Result<ResourceResponse, SendError> {
        self.note("update", &activity);
        match self.0 {
            "stop" => Ok(ResourceResponse::default()),
            "anew" => next.send(ctx, activity).await,
            _ => next.update(ctx, activity).await,
        }
    }

    async fn on_delete(&self, ctx: &TurnContext, id: &str, next: NextHook<'_>) -> Result<(), SendError> {
        self.1.lock().unwrap().push(format!("{} delete {id}", self.0));
        if self.0 == "stop" { Ok(()) } else { next.delete(ctx, id).await }
    }
}

/// Puts hooks on every turn.
struct Hooked(Vec<Hook>);

impl Middleware for Hooked {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        for hook in &self.0 {
            ctx.hook(hook.clone());
        }
        next.run(ctx).await
    }
}

fn hooked(names: &[&'static str], bot: impl Bot) -> (Adapter, Log) {
    let log = Log::default();
    let hooks = names.iter().map(|name| Hook(name, Arc::clone(&log))).collect();
    (Adapter::builder(bot).middleware(Hooked(hooks)).build(), log)
}

fn take(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[tokio::test]
async fn they_are_called_in_order_and_what_they_change_goes_on() {
    let channel = FakeChannel::start();
    let (adapter, log) = hooked(
        &["a", "b"],
        Does(|ctx: TurnContext| async move {
            let sent = ctx.send("x").await?.id.unwrap();
            assert!(ctx.responded());
            ctx.update(Activity::message("y").with_id(&sent)).await?;
            ctx.delete(&sent).await?;
            Ok(())
        }),
    );
    assert_eq!(post(&adapter, &channel.user("c").message("hi")).await.unwrap().status, 200);
    let expected =
        ["a send - x", "b send - x+a", "a update a1 y", "b update a1 y", "a delete a1", "b delete a1"];
    assert_eq!(take(&log), expected);
    assert_eq!(channel.ledger().texts("c"), ["x+a+b"]);
    assert!(channel.ledger().shown("c").is_empty());
}

#[tokio::test]
async fn one_that_does_not_go_on_answers_itself() {
    let channel = FakeChannel::start();
    let (adapter, log) = hooked(
        &["a", "stop", "never"],
        Does(|ctx: TurnContext| async move {
            assert_eq!(ctx.send("x").await?.id.as_deref(), Some("nobody's"));
            assert!(!ctx.responded());
            ctx.update(Activity::message("y").with_id("1")).await?;
            ctx.delete("1").await?;
            Ok(())
        }),
    );
    assert_eq!(post(&adapter, &channel.user("c").message("hi")).await.unwrap().status, 200);
    assert_eq!(
        take(&log),
        ["a send - x", "stop send - x+a", "a update 1 y", "stop update 1 y", "a delete 1", "stop delete 1"]
    );
    assert!(channel.ledger().is_empty());
}

#[tokio::test]
async fn an_error_is_the_senders_and_a_hook_may_swallow_it() {
    let channel = FakeChannel::start();
    let send = |names: &'static [&'static str]| {
        let outcome = Arc::new(Mutex::new(None));
        let told = Arc::clone(&outcome);
        let (adapter, _) = hooked(
            names,
            Does(move |ctx: TurnContext| {
                let told = Arc::clone(&told);
                async move {
                    *told.lock().unwrap() = Some(ctx.send("x").await.map_err(|error| error.to_string()));
                    Ok(())
                }
            }),
        );
        let hi = channel.user("c").message("hi");
        async move {
            post(&adapter, &hi).await.unwrap();
            outcome.lock().unwrap().take().unwrap()
        }
    };
    assert!(send(&["fail"]).await.unwrap_err().contains("no activity"));
    channel.script("c", [ChannelAnswer::status(500)]);
    assert!(send(&["a"]).await.unwrap_err().contains("not taken"));
    channel.script("c", [ChannelAnswer::status(500)]);
    assert!(send(&["swallow"]).await.is_ok());
}

#[tokio::test]
async fn an_update_may_go_on_as_a_new_activity() {
    let channel = FakeChannel::start();
    let (adapter, _) = hooked(
        &["anew"],
        Does(|ctx: TurnContext| async move {
            ctx.update(Activity::message("y").with_id("1")).await?;
            Ok(())
        }),
    );
    post(&adapter, &channel.user("c").message("hi")).await.unwrap();
    let ledger = channel.ledger();
    assert!(ledger[0].is_new());
    assert_eq!(ledger[0].activity().get("id"), None);
}

#[tokio::test]
async fn one_that_is_taken_away_sees_no_more() {
    let channel = FakeChannel::start();
    let log = Log::default();
    let seen = Arc::clone(&log);
    let adapter = Adapter::builder(Does(move |ctx: TurnContext| {
        let seen = Arc::clone(&seen);
        async move {
            let first = ctx.hook(Hook("first", Arc::clone(&seen)));
            let second = ctx.hook(Hook("second", seen));
            ctx.send("x").await?;
            assert!(ctx.unhook(first) && !ctx.unhook(first));
            ctx.send("y").await?;
            assert!(ctx.unhook(second));
            ctx.send("z").await?;
            Ok(())
        }
    }))
    .build();
    post(&adapter, &channel.user("c").message("hi")).await.unwrap();
    assert_eq!(take(&log), ["first send - x", "second send - x+first", "second send - y"]);
    assert_eq!(channel.ledger().texts("c"), ["x+first+second", "y+second", "z"]);
}

/// Of a notification's message the truth is what the channel said, whatever hooks make of it.
#[tokio::test]
async fn a_notification_ends_as_the_channel_said() {
    let channel = FakeChannel::start();
    let gate = Gate::closed();
    let turn = || OutboxTurn {
        key: TurnKey([7; 16]),
        reference: channel.user("c").message("x").reference(),
        idempotency_key: Some("n1".to_owned()),
        leave: Arc::new(super::proactive::Always),
        beside: Arc::new(Nothing),
    };
    // A message that a hook makes an update of.
    let (adapter, _) = hooked(
        &["a"],
        Does(|ctx: TurnContext| async move {
            ctx.send("before").await?;
            Ok(())
        }),
    );
    post(&adapter, &channel.user("c").message("hi")).await.unwrap();
    let before = channel.ledger().len();
    struct Never;
    impl proact::turn::Leave for Never {
        fn may_leave(&self) -> bool {
            false
        }
    }
    for hook in ["a", "instead"] {
        let (adapter, _) = hooked(&[hook], Does(|_| async { unreachable!() }));
        let withheld = OutboxTurn { leave: Arc::new(Never), ..turn() };
        let found = adapter.proactive_turn(withheld, "x".into(), async { Ok(true) }).await;
        assert!(format!("{found:?}").starts_with("NotSent("), "{hook}: {found:?}");
    }
    assert_eq!(
        channel.ledger().len(),
        before,
        "what may not leave any more does not leave as an update either"
    );

    for (hook, answer, end) in [
        ("instead", ChannelAnswer::ok(), "Sent {"),
        ("a", ChannelAnswer::ok(), "Sent {"),
        ("stop", ChannelAnswer::ok(), "NotSent(Stopped)"),
        ("fail", ChannelAnswer::ok(), "NotSent(Failed("),
        ("swallow", ChannelAnswer::status(403), "Failed(Status { status: 403"),
        ("swallow", ChannelAnswer::cut(), "Failed(Unknown"),
        ("lie", ChannelAnswer::ok(), "Sent {"),
        ("impatient", ChannelAnswer::ok().behind(&gate), "Abandoned"),
    ] {
        channel.behave();
        channel.script("c", [answer]);
        let (adapter, _) = hooked(&[hook], Does(|_| async { unreachable!() }));
        let found = adapter.proactive_turn(turn(), "x".into(), async { Ok(true) }).await;
        assert!(format!("{found:?}").starts_with(end), "{hook}: {found:?}");
        if let ProactiveEnd::Sent { delivered, .. } = found {
            assert_eq!(delivered.status, Some(200), "the status is the channel's");
        }
    }
    let ledger = channel.ledger();
    assert_eq!(ledger.shown("c")[..2], ["x", "x+a"], "one put in the place of the first, one of its own");
    assert!(ledger.iter().skip(2).all(|entry| entry.idempotency_key.as_deref() == Some("n1")));
    gate.open();
}
