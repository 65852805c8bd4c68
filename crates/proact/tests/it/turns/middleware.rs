//! Middleware that stops a turn, wraps it, holds its replies back, and keeps values with it.

use std::sync::{Arc, Mutex};

use proact::{
    activity::{Activity, ResourceResponse},
    adapter::Adapter,
    testkit::FakeChannel,
    turn::{BotError, Middleware, Next, NextHook, OutgoingHook, SendError, TurnContext},
};

use super::book::{Does, post};

/// Lets nobody through who does not say the word, and says so.
struct Doorkeeper;

impl Middleware for Doorkeeper {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        if ctx.activity().text().starts_with("please") {
            return next.run(ctx).await;
        }
        ctx.send("say please").await?;
        Ok(())
    }
}

/// Says something before and after, and turns a failure into an apology.
struct Frame;

impl Middleware for Frame {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        ctx.send("before").await?;
        if let Err(error) = next.run(ctx).await {
            ctx.send(format!("sorry: {error}")).await?;
        }
        ctx.send("after").await?;
        Ok(())
    }
}

/// Holds a turn's replies back and sends them as one, or none if the turn fails.
struct AsOne;

#[derive(Clone, Default)]
struct Held(Arc<Mutex<Vec<String>>>);

impl OutgoingHook for Held {
    async fn on_send(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> Result<ResourceResponse, SendError> {
        if !activity.is_message() {
            return next.send(ctx, activity).await;
        }
        self.0.lock().unwrap().push(activity.text().to_owned());
        Ok(ResourceResponse::default())
    }
}

impl Middleware for AsOne {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        let held = Held::default();
        {
            let _holding = ctx.hook_scoped(held.clone());
            next.run(ctx).await?;
        }
        let texts = std::mem::take(&mut *held.0.lock().unwrap());
        if !texts.is_empty() {
            ctx.send(texts.join("\n")).await?;
        }
        Ok(())
    }
}

fn talkative() -> impl proact::turn::Bot {
    Does(|ctx: TurnContext| async move {
        ctx.send("one").await?;
        ctx.send(Activity::typing()).await?;
        ctx.send("two").await?;
        if ctx.activity().text().ends_with("fail") { Err("asked to".into()) } else { Ok(()) }
    })
}

#[tokio::test]
async fn a_turn_is_stopped_wrapped_and_held_back() {
    let channel = FakeChannel::start();
    let adapter =
        Adapter::builder(talkative()).middleware(Doorkeeper).middleware(Frame).middleware(AsOne).build();
    let said = async |text: &str| {
        assert_eq!(post(&adapter, &channel.user(text).message(text)).await.unwrap().status, 200);
        let ledger = channel.ledger();
        ledger.texts(text).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(said("hello").await, ["say please"]);
    assert_eq!(said("please").await, ["before", "one\ntwo", "after"]);
    assert_eq!(said("please fail").await, ["before", "sorry: asked to", "after"]);
    let types: Vec<_> = channel
        .ledger()
        .of("please")
        .map(|entry| entry.activity()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(types, ["message", "typing", "message", "message"], "typing is not held back");
}

/// Counts words; the bot asks for the count by its type.
struct Counter;

#[derive(Debug, PartialEq)]
struct Words(usize);

impl Middleware for Counter {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        assert_eq!(ctx.value::<Words>(), None, "another turn's value");
        ctx.insert_value(Words(ctx.activity().text().split(' ').count()));
        next.run(ctx).await?;
        assert_eq!(ctx.remove_value::<Words>(), None, "the bot took it");
        Ok(())
    }
}

#[tokio::test]
async fn values_are_the_turns_own() {
    let channel = FakeChannel::start();
    let adapter = Adapter::builder(Does(|ctx: TurnContext| async move {
        let words = ctx.remove_value::<Words>().unwrap();
        assert_eq!(ctx.value::<Words>(), None);
        ctx.send(format!("{} words", words.0)).await?;
        Ok(())
    }))
    .middleware(Counter)
    .build();
    for text in ["one", "one two"] {
        assert_eq!(post(&adapter, &channel.user("c").message(text)).await.unwrap().status, 200);
    }
    assert_eq!(channel.ledger().texts("c"), ["1 words", "2 words"]);
}
