//! A bot of cards and buttons: a menu to leaf through, an order whose message changes as it goes on, and a rating by a typed invoke.
//!
//! `cargo run --example cards --features directline`, then say `menu` to it.

use proact::{
    activity::{
        ChannelAccount, SuggestedActions,
        card::{CardAction, HeroCard},
    },
    middleware::ShowTyping,
    prelude::*,
    turn::{Invoke, Invokes},
};
use serde::{Deserialize, Serialize};

struct Kitchen;

/// What a button of the menu sends.
#[derive(Serialize, Deserialize)]
struct Order {
    dish: String,
}

impl Order {
    fn button(dish: &str) -> Result<CardAction, BotError> {
        let order = Self { dish: dish.to_owned() };
        Ok(CardAction::post_back("Order", serde_json::Value::Null).with_value_of(&order)?)
    }
}

impl ActivityHandler for Kitchen {
    async fn on_members_added(&self, ctx: &TurnContext, members: &[ChannelAccount]) -> Result<(), BotError> {
        for member in members {
            let name = member.name.as_deref().unwrap_or("friend");
            let hello = Activity::message(format!("Hello, {name}."));
            ctx.send(hello.with_suggested_actions(SuggestedActions::replies(["menu"]))).await?;
        }
        Ok(())
    }

    async fn on_message(&self, ctx: &TurnContext) -> Result<(), BotError> {
        // A button's value is no text; whatever else is in it, it is not an order.
        if let Ok(Order { dish }) = ctx.activity().value_as() {
            return cook(ctx, &dish).await;
        }
        if ctx.activity().text_without_mention_of_recipient() == "menu" {
            let mut menu = Vec::new();
            for (dish, price) in [("Soup", "CHF 8"), ("Rösti", "CHF 18")] {
                menu.push(HeroCard::new(dish).with_subtitle(price).with_button(Order::button(dish)?));
            }
            ctx.send(Activity::carousel(menu)).await?;
        }
        Ok(())
    }
}

/// One message that tells how it goes, instead of many.
async fn cook(ctx: &TurnContext, dish: &str) -> Result<(), BotError> {
    let told = ctx.send(format!("{dish}: in the pan …")).await?;
    let ready = Activity::message(format!("{dish}: ready."));
    match told.id {
        Some(id) => ctx.update(ready.with_id(id)).await?,
        // Some channels name nothing that they take.
        None => ctx.send(ready).await?,
    };
    Ok(())
}

/// A call of a client's own, that waits for its answer.
#[derive(Deserialize)]
struct Rate {
    stars: u8,
}

#[derive(Serialize)]
struct Thanks {
    stars: u8,
}

impl Invoke for Rate {
    const NAME: &'static str = "kitchen/rate";
    type Answer = Thanks;
}

#[tokio::main]
async fn main() -> Result<(), proact::app::Error> {
    let rate = |_, Rate { stars }| async move { Ok(Thanks { stars: stars.min(5) }) };
    App::new(Kitchen)
        .data("./data")
        .listen("127.0.0.1:3978")
        .adapter(move |builder| builder.middleware(ShowTyping::new()).middleware(Invokes::new().on(rate)))
        .run()
        .await
}
