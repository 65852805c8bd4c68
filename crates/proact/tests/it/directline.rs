//! The Direct Line channel over real HTTP and `WebSocket`s, with a tiny bot behind it.

mod bot;
mod connector;
mod hand_over;
mod hostile;
mod once;
mod start;
mod stream;
mod tokens;
mod world;
