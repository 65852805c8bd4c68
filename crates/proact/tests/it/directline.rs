//! The Direct Line channel over real HTTP and `WebSocket`s, with a tiny bot behind it.

mod bot;
mod changes;
mod connector;
mod hand_over;
mod hostile;
mod members;
mod once;
mod start;
mod stream;
mod tokens;
mod upload;
mod world;
