//! The Proact server.
fn main() {}
