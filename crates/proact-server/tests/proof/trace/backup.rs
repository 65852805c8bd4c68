//! Backup and restore, call by call: nothing has a name before it is synced, what fails leaves nothing, and a restore that is killed
//! anywhere leaves the old data, the new data, or a word that says to restore again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use proact_proof::disk::{SYNCS, full, strace};
use proact_proof::program::without_settings;
use serde_json::Value;

use super::Bench;

const RENAMES: &str = "rename,renameat,renameat2,link,linkat,unlink,unlinkat";

/// A killed server's data with two jobs, one of them only in the log, and beside it a backup that has but the first.
struct Data {
    bench: Bench,
}

impl Data {
    async fn new() -> Self {
        let bench = Bench::new();
        let mut program = bench.place.start_and_wait(&[]).await;
        assert_eq!(bench.run("one").await.1, Some(1));
        let data = Self { bench };
        data.done(&[], &["backup", "old.db"], "data");
        assert_eq!(data.bench.run("two").await.1, Some(2));
        program.kill();
        data
    }

    fn file(&self, name: &str) -> PathBuf {
        self.bench.place.file(name)
    }

    /// Runs the program on the data in `folder`, with something in front of it.
    fn run(&self, under: &[String], words: &[&str], folder: &str) -> Output {
        let binary = crate::binary();
        let binary = binary.display().to_string();
        let own = [binary.as_str()].into_iter().chain(words.iter().copied()).chain(["--data", folder]);
        let mut all = under.iter().map(String::as_str).chain(own);
        let mut command = Command::new(all.next().unwrap_or_default());
        without_settings(&mut command);
        let at = self.file("old.db");
        command.args(all).current_dir(at.parent().unwrap_or(Path::new("."))).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
    }

    fn done(&self, under: &[String], words: &[&str], folder: &str) {
        let output = self.run(under, words, folder);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The jobs in a folder, or what was said instead.
    fn jobs(&self, folder: &str) -> Result<Vec<u64>, String> {
        let output = self.run(&[], &["jobs", "list", "--json"], folder);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let items = list["items"].as_array().expect("a list");
        Ok(items.iter().filter_map(|job| job["number"].as_u64()).collect())
    }

    /// The data in a folder of its own, as the killed server left it.
    fn copy(&self, name: &str) {
        let (from, to) = (self.bench.place.data(), self.file(name));
        fs::create_dir(&to).expect("a folder");
        for entry in fs::read_dir(from).expect("the data").flatten() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_synced_before_it_has_its_name_and_its_name_is_synced_too() {
    let _alone = crate::alone().await;
    let data = Data::new().await;
    let trace = data.file("backup-trace");
    data.done(&strace(&trace, &format!("{SYNCS},pwrite64,{RENAMES}"), &[]), &["backup", "new.db"], "data");
    let text = fs::read_to_string(&trace).expect("a trace");
    let lines: Vec<&str> = text.lines().collect();
    let position = |what: &str, found: &dyn Fn(&str) -> bool| {
        lines
            .iter()
            .rposition(|line| found(line))
            .unwrap_or_else(|| panic!("{what} is not in the trace:\n{text}"))
    };
    let synced = |line: &str| line.contains("sync(") && line.ends_with("= 0");
    let written = position("a write", &|line| line.contains("pwrite64(") && line.contains(".proact-backup-"));
    let whole = position("the sync of the copy", &|line| synced(line) && line.contains(".proact-backup-"));
    let named = position("the name", &|line| {
        (line.contains("rename") || line.contains("link"))
            && line.contains("\"new.db\"")
            && line.ends_with("= 0")
    });
    let kept = position("the sync of the folder", &|line| synced(line) && !line.contains(".proact-backup-"));
    assert!(written < whole && whole < named && named < kept, "{written} {whole} {named} {kept}:\n{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_finds_no_room_or_cannot_be_synced_leaves_nothing() {
    let _alone = crate::alone().await;
    let data = Data::new().await;
    let before = names(&data.file("."));
    let failed = |under: &[String]| {
        let output = data.run(under, &["backup", "new.db"], "data");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            return None;
        }
        assert!(output.status.code() == Some(1) && error.contains("new.db"), "{error}");
        assert_eq!(names(&data.file(".")), before, "{error}");
        Some(error)
    };
    // One write that fails, wherever it is: to the copy, or to what SQLite needs to read a killed server's log.
    let mut full_disks = 0;
    for write in 1.. {
        match failed(&full(write, 1)) {
            Some(error) => full_disks += usize::from(error.contains("full")),
            None => break,
        }
    }
    assert!(full_disks > 2, "the copy was not made to fail: {full_disks}");
    fs::remove_file(data.file("new.db")).expect("the backup that found room");
    let failing = strace(Path::new("/dev/null"), "fsync", &["fsync:error=EIO:when=1+".to_owned()]);
    let error = failed(&failing).expect("a failed sync is claimed");
    assert!(error.contains("Input/output error"), "{error}");
    assert_eq!(data.jobs("data"), Ok(vec![2, 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_killed_anywhere_loses_neither_data_nor_backup() {
    let _alone = crate::alone().await;
    let data = Data::new().await;
    let (mut old, mut half, mut new) = (0, 0, 0);
    for call in 1.. {
        let folder = format!("data-{call}");
        data.copy(&folder);
        let calls = format!("{SYNCS},{RENAMES}");
        let kill = [format!("{calls}:signal=KILL:when={call}")];
        let output =
            data.run(&strace(Path::new("/dev/null"), &calls, &kill), &["restore", "old.db"], &folder);
        if output.status.success() {
            assert_eq!(data.jobs(&folder), Ok(vec![1]));
            break;
        }
        match data.jobs(&folder) {
            Ok(jobs) if jobs == [2, 1] => old += 1,
            Ok(jobs) if jobs == [1] => new += 1,
            Err(why) if why.contains("restore again") => half += 1,
            other => panic!("killed at call {call}: {other:?}"),
        }
        data.done(&[], &["restore", "old.db"], &folder);
        assert_eq!(data.jobs(&folder), Ok(vec![1]), "killed at call {call} and restored again");
        // What was there is kept, whole.
        let kept = names(&data.file(&folder)).into_iter().filter(|name| name.contains(".replaced-"));
        let whole = kept.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).any(|name| {
            let file = rusqlite::Connection::open(data.file(&folder).join(name)).expect("it opens");
            let jobs: u32 =
                file.query_row("SELECT count(*) FROM job", [], |row| row.get(0)).expect("a count");
            jobs == 2
        });
        assert!(whole, "killed at call {call}: what was there is lost");
    }
    assert!(old > 0 && half > 0 && new > 0, "it was not killed everywhere: {old} {half} {new}");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
