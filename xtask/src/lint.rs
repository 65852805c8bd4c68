//! Format, clippy and documentation. Warnings are errors here, and only here: a build in the middle of work may warn.

use anyhow::Result;

use crate::shell::{cargo, step};

/// All of them, cheapest first.
pub(crate) fn run() -> Result<()> {
    step("format", &mut cargo(["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"];
    step("clippy", &mut cargo(clippy))?;
    let doc = ["doc", "--workspace", "--all-features", "--no-deps"];
    step("documentation", cargo(doc).env("RUSTDOCFLAGS", "--deny warnings"))
}
