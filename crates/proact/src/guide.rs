//! The guide's pages (`docs/guide/`), as documentation tests: every example in them compiles, and those that can run do.

#[doc = include_str!("../../../docs/guide/first-bot.md")]
struct FirstBot;

#[doc = include_str!("../../../docs/guide/state.md")]
struct State;

#[doc = include_str!("../../../docs/guide/proactive-messages.md")]
struct ProactiveMessages;

#[doc = include_str!("../../../docs/guide/testing.md")]
struct Testing;

#[doc = include_str!("../../../docs/guide/from-bot-framework.md")]
struct FromBotFramework;
