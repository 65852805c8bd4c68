//! For tests of bots and of Proact itself: a channel with a ledger, and a clock that is moved by hand.
//!
//! * [`FakeChannel`] is a real server on loopback behind the connector's routes. It writes everything that reaches it into
//!   a [`Ledger`], in order, *before* it answers, and answers as scripted: wrongly, late, in pieces, or not at all
//!   ([`ChannelAnswer`]). It runs on a thread of its own, so neither a blocked test nor a paused test clock stops it, and
//!   its ledger lives with the test, whatever becomes of the bot.
//! * [`Fault`] names the ways in which channels misbehave; [`FakeChannel`] plays them per conversation
//!   ([`script`](FakeChannel::script)), for whoever comes next ([`script_next`](FakeChannel::script_next)), by a rule
//!   ([`answer_with`](FakeChannel::answer_with)), or at random by a seed ([`RandomFaults`]).
//! * [`IdentityProvider`] is what `login.botframework.com` and the login service are to a bot: keys, metadata, tokens, right and wrong
//!   ones ([`TestToken`]).
//! * [`FakeUser`] posts activities to a bot as a channel does.
//! * [`TestClock`] stands still until it is moved.
//! * [`TestAdapter`] is for the tests of a bot: scripts of what people say and see, without a network.
//!
//! Whatever cannot be set up panics: there is no test to go on with. Waiting never polls; it ends with a panic that shows
//! the ledger after a time that only a test that is stuck reaches.
//!
//! ```
//! use proact::connector::{ConnectorClient, Target};
//! use proact::egress::{Guard, Options};
//! use proact::testkit::{ChannelAnswer, FakeChannel};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let channel = FakeChannel::start();
//! channel.script("c1", [ChannelAnswer::throttled(Some("2"))]);
//!
//! let connector = ConnectorClient::new(Guard::loopback_only(Options::default()));
//! let target = Target { service_url: &channel.service_url(), conversation_id: "c1" };
//! let first = connector.send_to_conversation(&target, &"hello".into(), None).await;
//! assert!(first.unwrap_err().is_retryable());
//! connector.send_to_conversation(&target, &"hello".into(), None).await.unwrap();
//!
//! let ledger = channel.wait_for(|ledger| ledger.len() == 2).await;
//! assert_eq!(ledger.accepted("c1").count(), 1);
//! # });
//! ```

mod answer;
mod channel;
mod clock;
mod fault;
mod identity;
mod ledger;
mod random;
mod script;
mod serve;
mod user;
mod wire;

pub use answer::{ChannelAnswer, Gate, Way};
pub use channel::FakeChannel;
pub use clock::TestClock;
pub use fault::{Fault, Forbidden, Wait};
pub use identity::{Asked, IdentityProvider, PUBLIC_TENANT, TestKey, TestToken};
pub use ledger::{Answered, Entry, Ledger, Post};
pub use random::RandomFaults;
pub use script::{Script, TestAdapter, TestAdapterBuilder, TestUser};
pub use user::{FakeUser, NoAnswer, Posted};
