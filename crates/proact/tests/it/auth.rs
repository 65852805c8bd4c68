//! Who may speak to the bot.

mod http;
mod keys;
mod provider;
mod settings;
mod tokens;
mod world;
