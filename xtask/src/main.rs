//! Tasks of the project: `cargo xtask test | bench | web`.
fn main() {}
