//! Scripts: what people say to a bot and what they are to see, checked step by step, with everything real but the network.
//!
//! A [`TestAdapter`] runs a bot on the real engine, on a store in a temporary folder, with a channel within the process. What it
//! promises, in the order in which it happens:
//!
//! 1. A [`Script`] takes its steps one after the other. A step that sends is over when its turn is, state saved and all; a turn that
//!    fails ends the test with the handler's own error.
//! 2. What people see in a conversation, replies and proactive messages alike, is expected in the order in which it came, and each
//!    is expected once. What comes instead ends the test with both, and with the whole talk so far.
//! 3. Nothing depends on how fast the machine is: who waits is woken by what he waits for. A time limit of real time
//!    ([`patience`](TestAdapterBuilder::patience)) is there for the test that would never end.
//! 4. The bot's clock stands still until it is [moved](Script::advance).
//!
//! A step's place in the test is in the message of its failure.
//!
//! ```
//! use proact::{prelude::*, testkit::TestAdapter};
//!
//! struct Reports;
//!
//! impl Bot for Reports {
//!     async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
//!         let text = ctx.activity().text();
//!         if text == "report" {
//!             let job = ctx.jobs().start("report").await?;
//!             ctx.send(format!("Report {job} is on its way.")).await?;
//!         } else if let Some(Ok(job)) = text.strip_prefix("done ").map(str::parse) {
//!             ctx.jobs().complete(job, "Your report is there.", None).await?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let test = TestAdapter::new(Reports).await;
//! let (eva, bob) = (test.user("eva"), test.user("bob"));
//! eva.send("report").expect("Report 1 is on its way.").await;
//! bob.send("done 1").expect_nothing().await;
//! eva.expect("Your report is there.").expect_nothing().await; // a proactive message
//! # }
//! ```

mod builder;
mod describe;
mod expectation;
mod patience;
mod room;
mod run;
mod steps;
mod test_adapter;
mod user;
mod watch;

pub use builder::TestAdapterBuilder;
pub use steps::Script;
pub use test_adapter::TestAdapter;
pub use user::TestUser;
