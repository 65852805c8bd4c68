//! Before an upgrade changes anything, the data as it is has a checked backup beside it.
//!
//! A migration that fails changes nothing, but one that succeeds cannot be taken back, and an older version of the program refuses
//! what it left. So the backup comes first, and where it cannot be made the data stays as it is and the program does not start.
//! It is named by the versions in it and the time: `proact.db.backup-directline1-main1-20261124T101500.000Z`. The newest
//! three are kept.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use jiff::Timestamp;

use super::backup::{self, Existing, folder_of, stamp};
use crate::store::Error;

/// Backups that are kept.
const KEPT: usize = 3;
/// What the folder of an unfinished one is called.
const UNFINISHED: &str = ".proact-upgrade-";

/// Backs up `database`, which has the sets of tables `versions`.
pub(super) fn back_up(database: &Path, versions: &[(String, u32)], now: Timestamp) -> Result<(), Error> {
    let prefix = prefix_of(database);
    let sets: String = versions.iter().map(|(set, version)| format!("{set}{version}-")).collect();
    let target = PathBuf::from(format!("{prefix}{sets}{}", stamp(now)));
    sweep(database, UNFINISHED);
    // Of the same versions and the same moment: it is this one, of a start that came no further.
    let made = backup::make(database, &target, Existing::Replace, UNFINISHED, &AtomicBool::new(false));
    let backup = made.map_err(|why| Error::BackupBeforeUpgrade {
        path: database.to_owned(),
        reason: match why {
            Error::Backup { reason, .. } => reason,
            other => other.to_string(),
        },
    })?;
    tracing::info!(backup = %backup.path.display(), bytes = backup.bytes, "backed up before an upgrade of the data");
    forget_old(&prefix);
    Ok(())
}

fn prefix_of(database: &Path) -> String {
    format!("{}.backup-", database.display())
}

/// Removes all but the newest backups. What is not named as they are is not one of them.
fn forget_old(prefix: &str) {
    let Some(folder) = folder_of(Path::new(prefix)) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut backups: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let time = path.display().to_string().strip_prefix(prefix)?.rsplit('-').next()?.to_owned();
            is_stamp(&time).then_some((time, path))
        })
        .collect();
    backups.sort();
    let old = backups.len().saturating_sub(KEPT);
    for (_, path) in &backups[..old] {
        match fs::remove_file(path) {
            Ok(()) => tracing::info!(backup = %path.display(), "removed an old backup"),
            Err(error) => {
                tracing::warn!(backup = %path.display(), %error, "cannot remove an old backup");
            }
        }
    }
}

fn is_stamp(text: &str) -> bool {
    let like = stamp(Timestamp::UNIX_EPOCH);
    text.len() == like.len()
        && text.bytes().zip(like.bytes()).all(|(b, l)| b == l || (b.is_ascii_digit() && l.is_ascii_digit()))
}

/// Removes what a process that died left unfinished. Only for who has the lock of the data.
pub(super) fn sweep(database: &Path, unfinished: &str) {
    let Some(entries) = folder_of(database).and_then(|folder| fs::read_dir(folder).ok()) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(unfinished) {
            // Should it stay, it is only in the way of its own size.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_backups_are_kept_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("proact.db");
        let others = ["proact.db", "proact.db.backup-mine", "proact.db.backup-main1-2026", "other"];
        let second = |n| Timestamp::from_second(n).unwrap();
        let names: Vec<_> = (1..=5)
            .map(|n| format!("proact.db.backup-main{}-directline1-{}", 9 - n, stamp(second(n))))
            .collect();
        for name in others.iter().copied().chain(names.iter().map(String::as_str)) {
            fs::write(folder.path().join(name), name).unwrap();
        }
        forget_old(&prefix_of(&database));
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected: Vec<_> = others.iter().map(|name| (*name).to_owned()).collect();
        expected.extend(names[2..].iter().cloned());
        expected.sort();
        assert_eq!(left, expected);
    }
}
