//! Bots and clients that others wrote, against the shipped binary (`interop/`).

use std::path::PathBuf;

use anyhow::Result;

use crate::machine::Machine;
use crate::shell::{command, release_binary, step, top};
use crate::web;

fn folder() -> PathBuf {
    top().join("interop")
}

/// Their packages, which the tests of the page use too.
pub(crate) fn install(machine: &Machine) -> Result<()> {
    web::install(machine, "the packages of other bots and clients", &folder())
}

/// What they do with this server.
pub(crate) fn tests(machine: &Machine) -> Result<()> {
    let mut tests = command("npm", ["test"]);
    tests.current_dir(folder()).env("PROACT_BIN", release_binary());
    step("other bots and clients", machine.with_node(&mut tests))
}
