//! The page: its types, its build, the proof that the committed build is current, and its tests in a browser.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::machine::{self, Machine};
use crate::shell::{command, release_binary, run, step, target, timed, top};

const PACKAGES: &str = "the page's packages";

fn folder() -> PathBuf {
    top().join("web")
}

/// `cargo xtask web`: rebuilds `web/dist`.
pub(crate) fn rebuild() -> Result<()> {
    let machine = machine::for_the_page()?;
    install(&machine, PACKAGES, &folder())?;
    step("build the page", machine.with_node(command("npm", ["run", "build"]).current_dir(folder())))
}

/// Everything about the page that needs no server.
pub(crate) fn check(machine: &Machine) -> Result<()> {
    install(machine, PACKAGES, &folder())?;
    step("the page's types", machine.with_node(command("npm", ["run", "check"]).current_dir(folder())))?;
    timed("the committed page is what its sources build", || is_current(machine))
}

/// The shipped page in a real browser, against the release binary.
pub(crate) fn browser_tests(machine: &Machine) -> Result<()> {
    let mut tests = command("npm", ["test"]);
    tests.current_dir(folder()).env("PROACT_BIN", release_binary()).env("PROACT_CHROMIUM", &machine.chromium);
    step("the page in a browser", machine.with_node(&mut tests))
}

/// Exactly what a folder's lock file names.
pub(crate) fn install(machine: &Machine, heading: &str, folder: &Path) -> Result<()> {
    let npm = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    step(heading, machine.with_node(command("npm", npm).current_dir(folder)))
}

/// Builds beside the committed page and compares byte by byte.
fn is_current(machine: &Machine) -> Result<()> {
    let fresh = target().join("web-dist");
    run(machine.with_node(command("node", ["build.mjs"]).arg(&fresh).current_dir(folder())))?;
    let (fresh, committed) = (files(&fresh)?, files(&folder().join("dist"))?);
    if fresh.is_empty() {
        bail!("the build left no files");
    }
    let names = fresh.keys().chain(committed.keys().filter(|name| !fresh.contains_key(*name)));
    let stale: Vec<_> = names.filter(|name| fresh.get(*name) != committed.get(*name)).cloned().collect();
    if !stale.is_empty() {
        bail!("web/dist is not current ({}); run `cargo xtask web` and commit it", stale.join(", "));
    }
    println!("{} files, all equal", fresh.len());
    Ok(())
}

/// All files below a folder, by their path in it.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                found.insert(name, std::fs::read(&path)?);
            }
        }
    }
    Ok(found)
}
