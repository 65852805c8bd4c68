//! The smallest bot: it says what it hears.
//!
//! `cargo run --example echo --features directline`, then talk to it over Direct Line, or post an activity to
//! <http://127.0.0.1:3978/api/messages>.

use proact::prelude::*;

struct Echo;

impl Bot for Echo {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        if ctx.activity().is_message() {
            ctx.send(format!("You said: {}", ctx.activity().text())).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), proact::app::Error> {
    App::new(Echo).data("./data-echo").run().await
}
