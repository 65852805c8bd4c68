//! The adapter where no activity has come: new conversations, and a program of somebody else's around it.

mod create;
mod embed;
