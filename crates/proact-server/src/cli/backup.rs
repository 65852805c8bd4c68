//! `proact backup` and `proact restore`.
//!
//! A backup is read from the file itself, also while a server works on it: SQLite lets a second process read one committed point
//! without holding the writer up. So who may make one is who may read the data, and where it may go is where that person may write;
//! a server that wrote files to paths it is told over HTTP would have to decide both for strangers.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use proact::{
    app::{self, DATABASE, Restored},
    clock::{Clock, SystemClock},
    proactive::GAP,
    store::{self, Existing},
};

use super::{Failed, held, print};
use crate::config::Config;

/// A gap that no data needs, and that leaves numbers that programs can count with.
const LARGEST_GAP: u64 = 1_000_000_000_000;

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Where to: a file that is not there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace an older backup of that name
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many job numbers are left out, so that none that was given after the backup is given again
    #[arg(long, value_name = "N", default_value_t = GAP, value_parser = clap::value_parser!(u64).range(1..=LARGEST_GAP))]
    job_gap: u64,
}

pub(super) fn backup(args: &Backup, config: &Config) -> Result<(), Failed> {
    let database = config.data.join(DATABASE);
    if !database.is_file() && !store::is_half_restored(&database) {
        let line = format!("there is no data in {}: name its folder with --data", config.data.display());
        return Err(Failed::because(&line));
    }
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let backup = store::backup(&database, &args.file, existing).map_err(|error| match error {
        store::Error::BackupExists { path } => {
            Failed::because(&format!("{} exists already: choose another name, or --force", path.display()))
        }
        other => Failed::because(&other),
    })?;
    print(&format!(
        "Backed up {} to {}: {} bytes, read back and checked ({}).\n",
        database.display(),
        backup.path.display(),
        backup.bytes,
        versions(&backup.versions)
    ));
    Ok(())
}

pub(super) fn restore(args: &Restore, config: &Config) -> Result<(), Failed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let restored = app::restore(&args.file, &config.data, args.job_gap, &clock)
        .map_err(|error| Failed::because(&error))?;
    print(&told(args, config, &restored, clock.now()));
    Ok(())
}

fn told(args: &Restore, config: &Config, restored: &Restored, now: jiff::Timestamp) -> String {
    let data = config.data.join(DATABASE);
    let mut text = format!(
        "Restored {} to {} ({}).\n",
        args.file.display(),
        data.display(),
        versions(&restored.store.versions)
    );
    if let Some(replaced) = &restored.store.replaced {
        text += &format!("The data that was there is kept as {}.\n", replaced.display());
    }
    text += &format!("Job numbers go on from {}", restored.counters.jobs + 1);
    text += match (restored.counters_read, &restored.store.replaced) {
        (true, _) => ", beyond every number of the data that was there.\n",
        (false, Some(_)) => {
            ".\nThe numbers of the data that was there cannot be read: if more jobs than the gap were started since \
             the backup, restore again with a larger --job-gap.\n"
        }
        (false, None) => {
            ".\nIf more jobs than the gap were started since the backup, restore again with a larger --job-gap.\n"
        }
    };
    text += &held::told(&restored.held, now);
    text
}

fn versions(versions: &[(String, u32)]) -> String {
    let each: Vec<_> = versions.iter().map(|(set, version)| format!("{set} {version}")).collect();
    format!("schema {}", each.join(", "))
}
