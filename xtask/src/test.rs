//! `cargo xtask test`: every test there is.
//!
//! The release binary is built first and handed to the tests that kill, torture, trace and browse it (`PROACT_BIN`), so that they
//! prove what is shipped, and so that everything is built once for tests and once for release, no more.

use std::time::Instant;

use anyhow::Result;

use crate::interop;
use crate::machine::Machine;
use crate::shell::{build_release, cargo, release_binary, step};
use crate::{torture, web};

/// Minutes; a longer torture is a task of its own.
const TORTURED: &str = "1";

/// All of them; the first failure ends it.
pub(crate) fn run() -> Result<()> {
    let started = Instant::now();
    let machine = Machine::prepare()?;
    build_release()?;
    let mut tests = cargo(["test", "--workspace", "--all-features"]);
    tests.env("PROACT_BIN", release_binary());
    step("unit, property, integration and black-box tests", &mut tests)?;
    torture::torture(&["--minutes", TORTURED])?;
    web::check(&machine)?;
    interop::install(&machine)?;
    interop::tests(&machine)?;
    web::browser_tests(&machine)?;
    println!("\nall tests passed in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
