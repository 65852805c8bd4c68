//! The Direct Line channel over real HTTP and `WebSocket`s, with a tiny bot behind it.

mod again;
mod bot;
mod changes;
mod connector;
mod ends;
mod forged;
mod forget;
mod hand_over;
mod hostile;
mod members;
mod once;
mod origins;
mod quota;
mod restored;
mod start;
mod stream;
mod tokens;
mod upload;
mod world;
