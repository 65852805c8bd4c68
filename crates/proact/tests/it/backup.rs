//! Backups and restores of a real file: one committed point, checked, never over anything by mistake, all or nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use proact::{
    clock::{Clock, SystemClock},
    store::{self, Command, Error, Existing, Migration, Query, Store, Tx},
    testkit::TestClock,
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

fn open(folder: &TempDir) -> Store {
    Store::open(&database(folder), &[], Arc::new(SystemClock)).unwrap()
}

fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("proact.db")
}

/// Puts `n` in two rows at once, with some weight: whoever sees one of them sees both.
struct Pair(u64);

impl Command for Pair {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        for side in ["left", "right"] {
            tx.prepare("INSERT INTO bot_state (key, value, etag) VALUES (?1, hex(randomblob(1500)), ?2)")?
                .execute((format!("{side} {}", self.0), self.0 as i64))?;
        }
        Ok(())
    }
}

/// The numbers whose left, and whose right, row is there.
struct Sides;

impl Query for Sides {
    type Answer = (Vec<u64>, Vec<u64>);

    fn run(self, connection: &Connection) -> Result<Self::Answer, Error> {
        let side = |side: &str| -> Result<Vec<u64>, Error> {
            let mut statement =
                connection.prepare("SELECT etag FROM bot_state WHERE key GLOB ?1 ORDER BY etag")?;
            let rows = statement.query_map([format!("{side} *")], |row| row.get::<_, i64>(0))?;
            Ok(rows.map(|n| n.map(i64::unsigned_abs)).collect::<Result<_, _>>()?)
        };
        Ok((side("left")?, side("right")?))
    }
}

fn sides(file: &Path) -> (Vec<u64>, Vec<u64>) {
    Sides.run(&Connection::open(file).unwrap()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The same of a store that was closed: its readers let go of the file, and take what stands beside it away, a moment later.
async fn names_at_rest(folder: &Path) -> Vec<String> {
    for _ in 0..1000 {
        let names = names(folder);
        if !names.iter().any(|name| name.ends_with("-wal") || name.ends_with("-shm")) {
            return names;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the store is still open: {:?}", names(folder));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_one_committed_point_and_holds_up_no_writer() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    for n in 0..2000 {
        store.commit_later(Pair(n)).unwrap();
    }
    store.commit(()).await.unwrap();
    let (done, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(2000)));
    let load = tokio::spawn({
        let (store, done, acknowledged) = (store.clone(), Arc::clone(&done), Arc::clone(&acknowledged));
        async move {
            while !done.load(Ordering::Relaxed) {
                store.commit(Pair(acknowledged.load(Ordering::Relaxed))).await.unwrap();
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    for round in 0..5 {
        let file = elsewhere.path().join(format!("{round}.db"));
        let before = acknowledged.load(Ordering::Relaxed);
        let backup = store.backup(file.clone(), Existing::Keep).await.unwrap();
        let after = acknowledged.load(Ordering::Relaxed);
        assert!(after > before, "writers wait while a backup is made");
        assert_eq!(backup.bytes, fs::metadata(&file).unwrap().len());
        assert_eq!(backup.versions[0].0, "main");
        let (left, right) = sides(&file);
        assert_eq!(left, right, "half of a commit");
        assert_eq!(left, (0..left.len() as u64).collect::<Vec<_>>(), "a later commit without an earlier one");
        // One more may be on disk than was acknowledged.
        assert!((before..=after + 1).contains(&(left.len() as u64)), "{before} {} {after}", left.len());
    }
    done.store(true, Ordering::Relaxed);
    load.await.unwrap();
    assert_eq!(names(elsewhere.path()), ["0.db", "1.db", "2.db", "3.db", "4.db"], "nothing beside them");
    store.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn it_is_its_owners_alone_and_needs_nothing_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    store.commit(Pair(0)).await.unwrap();
    let file = elsewhere.path().join("backup.db");
    store.backup(file.clone(), Existing::Keep).await.unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // As from a medium that cannot be written.
    let from = fs::read(&file).unwrap();
    assert_eq!((from[18], from[19]), (1, 1), "it says that it has a log");
    assert_eq!(sides(&file).0, [0]);
}

#[tokio::test]
async fn nothing_is_lost_by_a_backup_that_goes_to_the_wrong_place() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    store.commit(Pair(0)).await.unwrap();
    let make = async |name: &Path, existing| store.backup(name.to_owned(), existing).await;
    let file = elsewhere.path().join("backup.db");
    make(&file, Existing::Keep).await.unwrap();
    store.commit(Pair(1)).await.unwrap();
    let refused = make(&file, Existing::Keep).await.unwrap_err();
    assert!(matches!(refused, Error::BackupExists { .. }), "{refused}");
    assert_eq!(sides(&file).0, [0]);
    make(&file, Existing::Replace).await.unwrap();
    assert_eq!(sides(&file).0, [0, 1]);

    let text = elsewhere.path().join("letter.txt");
    fs::write(&text, "not a backup").unwrap();
    let link = elsewhere.path().join("link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(database(&folder), &link).unwrap();
    let nowhere = elsewhere.path().join("no folder").join("backup.db");
    for (wrong, says) in [
        (text.as_path(), "no backup"),
        (&link, "no file"),
        (&database(&folder), "the data itself"),
        (elsewhere.path(), "no file"),
        (&nowhere, "a folder that there is"),
        (Path::new("/"), "a folder that there is"),
    ] {
        let refused = make(wrong, Existing::Replace).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{says}: {refused}");
        assert!(refused.contains(&*wrong.display().to_string()), "{refused}");
    }
    assert_eq!(fs::read_to_string(&text).unwrap(), "not a backup");
    assert_eq!(names(elsewhere.path()), ["backup.db", "letter.txt", "link"]);
    assert_eq!(store.read(Sides).await.unwrap().0, [0, 1]);
    store.close().await;
}

#[tokio::test]
async fn it_can_be_made_beside_the_process_that_works_on_the_data_and_without_one() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    store.commit(Pair(0)).await.unwrap();
    let file = |name: &str| elsewhere.path().join(name);
    // What is only in the log, too.
    store::backup(&database(&folder), &file("beside"), Existing::Keep).unwrap();
    store.commit(Pair(1)).await.unwrap();
    store.close().await;
    drop(store);
    store::backup(&database(&folder), &file("without"), Existing::Keep).unwrap();
    assert_eq!((sides(&file("beside")).0, sides(&file("without")).0), (vec![0], vec![0, 1]));
    let store = open(&folder);
    assert_eq!(store.read(Sides).await.unwrap().0, [0, 1], "a start after it goes as ever");
    let none = store::backup(&file("nothing.db"), &file("of nothing"), Existing::Keep).unwrap_err();
    assert!(none.to_string().contains("nothing.db"), "{none}");
    assert_eq!(names(elsewhere.path()), ["beside", "without"]);
}

const ONE: Migration = Migration { set: "extra", steps: &["CREATE TABLE extra (n INTEGER) STRICT"] };
const TWO: Migration =
    Migration { set: "extra", steps: &[ONE.steps[0], "ALTER TABLE extra ADD COLUMN m TEXT"] };
const BROKEN: Migration = Migration { set: "extra", steps: &[ONE.steps[0], "CREATE NONSENSE"] };

#[tokio::test]
async fn an_upgrade_that_migrates_makes_a_backup_first_and_a_fresh_file_needs_none() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::at("2026-11-24T10:15:00Z");
    let open = |extra| Store::open(&database(&folder), &[extra], Arc::new(clock.clone()));
    let backups =
        || -> Vec<_> { names(folder.path()).into_iter().filter(|name| name.contains(".backup-")).collect() };
    let store = open(ONE).unwrap();
    assert!(backups().is_empty(), "a fresh file");
    store.commit(Pair(0)).await.unwrap();
    store.close().await;
    open(ONE).unwrap().close().await;
    assert!(backups().is_empty(), "nothing to migrate");

    // Where it cannot be made, nothing is migrated and nothing starts.
    let main = version(&database(&folder), "main");
    let name = format!("proact.db.backup-extra1-main{main}-20261124T101500.000Z");
    fs::create_dir(folder.path().join(&name)).unwrap();
    let refused = open(TWO).unwrap_err();
    assert!(matches!(refused, Error::BackupBeforeUpgrade { .. }), "{refused}");
    assert!(refused.to_string().contains("make room"), "{refused}");
    assert_eq!(version(&database(&folder), "extra"), 1);
    fs::remove_dir(folder.path().join(&name)).unwrap();

    // One that fails leaves the data as it was.
    open(BROKEN).unwrap_err();
    assert_eq!(version(&database(&folder), "extra"), 1);
    assert_eq!(backups(), [&*name]);

    open(TWO).unwrap().close().await;
    assert_eq!(version(&database(&folder), "extra"), 2);
    assert_eq!(backups(), [&*name]);
    let backup = folder.path().join(&name);
    assert_eq!((version(&backup, "extra"), sides(&backup).0), (1, vec![0]));
}

#[tokio::test]
async fn the_newest_three_backups_of_upgrades_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::at("2026-11-24T10:15:00Z");
    let steps: Vec<&'static str> = (1..=6)
        .map(|n| &*Box::leak(format!("CREATE TABLE extra{n} (n INTEGER) STRICT").into_boxed_str()))
        .collect();
    for n in 1..=6 {
        let extra = Migration { set: "extra", steps: &Vec::leak(steps.clone())[..n] };
        Store::open(&database(&folder), &[extra], Arc::new(clock.clone())).unwrap().close().await;
        clock.advance(std::time::Duration::from_secs(60));
    }
    let kept: Vec<_> = names(folder.path())
        .into_iter()
        .filter_map(|name| name.strip_prefix("proact.db.backup-extra")?.chars().next())
        .collect();
    assert_eq!(kept, ['3', '4', '5']);
}

fn version(file: &Path, set: &str) -> u32 {
    let database = Connection::open(file).unwrap();
    database.query_row("SELECT version FROM schema_version WHERE name = ?1", [set], |row| row.get(0)).unwrap()
}

fn restore(file: &Path, folder: &TempDir) -> Result<store::Restored<()>, Error> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    store::restore(file, &database(folder), &[], &clock, |_| Pair(1000))
}

#[tokio::test]
async fn a_restore_puts_the_backup_in_place_and_keeps_what_was_there() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("backup.db");
    let store = open(&folder);
    store.commit(Pair(0)).await.unwrap();
    store.backup(file.clone(), Existing::Keep).await.unwrap();
    store.commit(Pair(1)).await.unwrap();
    let refused = restore(&file, &folder).unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    // As a process leaves it that is killed: the newest is in the log.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["proact.db", "proact.db-wal"] {
        fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let restored = restore(&file, &crashed).unwrap();
    assert_eq!(sides(restored.replaced.as_ref().unwrap()).0, [0, 1]);
    let reopened = open(&crashed);
    assert_eq!(reopened.read(Sides).await.unwrap().0, [0, 1000], "the backup, and the command with it");
    reopened.close().await;
    assert_eq!(sides(&file).0, [0], "the backup itself is as it was");

    // Where nothing was.
    let fresh = tempfile::tempdir().unwrap();
    assert_eq!(restore(&file, &fresh).unwrap().replaced, None);
    assert_eq!(names(fresh.path()), ["proact.db", "proact.db.lock"]);
    assert_eq!(open(&fresh).read(Sides).await.unwrap().0, [0, 1000]);
}

#[tokio::test]
async fn what_cannot_take_the_place_of_the_data_is_named_and_changes_nothing() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let good = elsewhere.path().join("good.db");
    let store = open(&folder);
    for n in 0..200 {
        store.commit(Pair(n)).await.unwrap();
    }
    store.backup(good.clone(), Existing::Keep).await.unwrap();
    store.close().await;
    drop(store);
    let bytes = fs::read(&good).unwrap();
    let file = |name: &str, content: &[u8]| {
        fs::write(elsewhere.path().join(name), content).unwrap();
        elsewhere.path().join(name)
    };
    let mut flipped = bytes.clone();
    // The middle of a page in the middle of the file.
    let at = bytes.len() / 2 / 4096 * 4096;
    flipped[at..at + 64].fill(0xa5);
    let other = elsewhere.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (n)").unwrap();
    let newer = file("newer.db", &bytes);
    Connection::open(&newer).unwrap().execute("UPDATE schema_version SET version = 99", []).unwrap();
    for (wrong, says) in [
        (file("short.db", &bytes[..bytes.len() / 2]), "cannot be restored"),
        (file("flipped.db", &flipped), "damaged"),
        (file("text.db", "not a database at all ".repeat(500).as_bytes()), "not a database"),
        (file("empty.db", b""), "not a database of this program"),
        (other, "not a database of this program"),
        (newer, "newer version"),
        (elsewhere.path().join("missing.db"), "no such file"),
        (elsewhere.path().to_owned(), "no such file"),
        (database(&folder), "the data itself"),
    ] {
        let refused = restore(&wrong, &folder).unwrap_err().to_string();
        assert!(refused.contains(says), "{}: {refused}", wrong.display());
        assert!(says == "newer version" || refused.contains(&*wrong.display().to_string()), "{refused}");
    }
    assert_eq!(names_at_rest(folder.path()).await, ["proact.db", "proact.db.lock"]);
    assert_eq!(open(&folder).read(Sides).await.unwrap().0.len(), 200);
}

#[tokio::test]
async fn a_restore_that_stopped_on_its_way_lets_nothing_start_and_goes_on_when_it_is_run_again() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("backup.db");
    let store = open(&folder);
    store.commit(Pair(0)).await.unwrap();
    store.backup(file.clone(), Existing::Keep).await.unwrap();
    store.commit(Pair(1)).await.unwrap();
    // Stopped after the log was put aside, and before the data was.
    let stopped = tempfile::tempdir().unwrap();
    let aside = "proact.db.replaced-20261124T101500.000Z";
    fs::copy(database(&folder), database(&stopped)).unwrap();
    fs::copy(folder.path().join("proact.db-wal"), stopped.path().join(format!("{aside}-wal"))).unwrap();
    fs::write(stopped.path().join("proact.db.restoring"), aside.strip_prefix("proact.db").unwrap()).unwrap();
    let refused = Store::open(&database(&stopped), &[], Arc::new(SystemClock)).unwrap_err();
    assert!(matches!(refused, Error::HalfRestored { .. }), "{refused}");
    let refused =
        store::backup(&database(&stopped), &elsewhere.path().join("half"), Existing::Keep).unwrap_err();
    assert!(matches!(refused, Error::HalfRestored { .. }), "{refused}");

    let restored = restore(&file, &stopped).unwrap();
    assert_eq!(restored.replaced.as_deref(), Some(&*stopped.path().join(aside)));
    assert_eq!(sides(&stopped.path().join(aside)).0, [0, 1], "with its log again");
    assert_eq!(open(&stopped).read(Sides).await.unwrap().0, [0, 1000]);

    // Stopped after all was in place: what is there now is what that restore brought.
    fs::write(stopped.path().join("proact.db.restoring"), aside.strip_prefix("proact.db").unwrap()).unwrap();
    let again = restore(&file, &stopped).unwrap().replaced.unwrap();
    assert_ne!(again, stopped.path().join(aside));
    assert_eq!((sides(&again).0, sides(&stopped.path().join(aside)).0), (vec![0, 1000], vec![0, 1]));
    assert!(!stopped.path().join("proact.db.restoring").exists());
}

/// A file as the first version of the program left it: one message that waits, for a job.
fn of_the_first_version(file: &Path) {
    let main = include_str!("../../src/store/migrations/sqlite/0001_main.sql");
    let database = Connection::open(file).unwrap();
    database.execute_batch(main).unwrap();
    database
        .execute_batch(
            r#"CREATE TABLE schema_version (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
            INSERT INTO schema_version VALUES ('main', 1);
            INSERT INTO conversation VALUES (7, 'test', 'c1', '{"serviceUrl":"http://127.0.0.1:1/"}', 0, 1, 1);
            INSERT INTO job VALUES (41, 7, 'test', 'c1', 'job', 'succeeded', 1, 2, x'00112233445566778899aabbccddeeff');
            INSERT INTO notification VALUES (5, x'00112233445566778899aabbccddeeff', 7, 'test', 'c1', 'sending', NULL, 'normal',
                'at_least_once', 'after_turn', '{"type":"job","job":41}', '{"type":"message","text":"old"}', 2, 2, 2, NULL);
            INSERT INTO attempt VALUES (5, 1, 2, 3, 'retry', 429, 'slow down'), (5, 2, 4, NULL, NULL, NULL, NULL);"#,
        )
        .unwrap();
}

#[tokio::test]
async fn data_of_the_first_version_is_backed_up_and_upgraded_and_a_backup_of_it_is_restored_held() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    of_the_first_version(&database(&folder));
    open(&folder).close().await;
    let name = names(folder.path()).into_iter().find(|name| name.contains(".backup-main1-")).unwrap();
    let backup = elsewhere.path().join("first.db");
    fs::rename(folder.path().join(name), &backup).unwrap();
    assert_eq!(version(&backup, "main"), 1);

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let restored = proact::app::restore(&backup, folder.path(), 10, &clock).unwrap();
    assert_eq!((restored.held.engine.notifications, &*restored.held.engine.sample[0].text), (1, "old"));
    assert_eq!((restored.counters.jobs, restored.counters.notifications), (51, 15));
    assert_eq!(version(&backup, "main"), 1, "the backup itself is as it was");
    let tallies: Vec<(String, i64)> = {
        let database = Connection::open(database(&folder)).unwrap();
        let mut statement = database.prepare("SELECT name, value FROM tally WHERE value <> 0").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(tallies, [("notification.waiting".to_owned(), 1)], "what was under way waits now");
    assert_eq!(version(&restored.store.replaced.unwrap(), "main"), version(&database(&folder), "main"));
}

#[tokio::test]
async fn every_state_and_every_attempt_of_the_first_version_is_there_after_the_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    of_the_first_version(&database(&folder));
    {
        let old = Connection::open(database(&folder)).unwrap();
        let mut row = old
            .prepare(
                "INSERT INTO notification VALUES (?1, randomblob(16), 7, 'test', ?2, ?3, ?4, 'normal', 'at_most_once', 'after_turn',
                    '{\"type\":\"api\"}', '{\"type\":\"message\"}', ?5, 100, 300, ?6)",
            )
            .unwrap();
        let mut add = |seq: i64, conversation: &str, state: &str, reason: Option<&str>, tries: i64| {
            let settled = (!["waiting", "sending"].contains(&state)).then_some(400);
            row.execute(params![seq, conversation, state, reason, tries, settled]).unwrap();
        };
        add(6, "c1", "waiting", None, 0);
        add(7, "nobody met", "waiting", Some("slow down"), 2);
        add(8, "c1", "delivered", None, 1);
        add(9, "c1", "delivered", None, 2);
        add(10, "c1", "cancelled", Some("cancelled"), 0);
        add(11, "c1", "expired", Some("too late"), 1);
        add(12, "c1", "suppressed", None, 0);
        add(13, "c1", "failed", Some("refused"), 1);
        add(14, "c1", "unknown", Some("lost"), 1);
        add(15, "c1", "delivered", None, 1);
        old.execute_batch(
            "INSERT INTO attempt VALUES (7, 1, 210, 220, 'retry', 429, 'slow'), (7, 2, 230, 240, 'not_sent', NULL, 'down'),
                (8, 1, 210, 400, 'delivered', 201, NULL), (9, 1, 210, 220, 'unknown', NULL, 'cut'),
                (9, 2, 230, 400, 'delivered', 200, NULL), (11, 1, 210, 220, 'retry', 503, 'busy'),
                (13, 1, 210, 400, 'failed', 400, 'refused'), (14, 1, 210, 400, 'unknown', NULL, 'lost');
             -- The last number that was given is of a row that is gone.
             INSERT INTO attempt VALUES (15, 1, 210, 400, 'delivered', 201, NULL);
             PRAGMA foreign_keys = ON;
             DELETE FROM notification WHERE seq = 15;",
        )
        .unwrap();
    }
    let history = |table: &str| {
        let database = Connection::open(database(&folder)).unwrap();
        let sql = format!(
            "SELECT seq, number, begun_at, ended_at, outcome, status, error FROM {table} ORDER BY seq, number"
        );
        let mut statement = database.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| {
            (0..7).map(|n| row.get::<_, rusqlite::types::Value>(n)).collect::<Result<Vec<_>, _>>()
        });
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let before = history("attempt");
    assert_eq!(before.len(), 10);
    open(&folder).close().await;
    assert_eq!(history("attempt_history"), before, "each attempt as it was");

    let new = Connection::open(database(&folder)).unwrap();
    let mut statement = new
        .prepare("SELECT seq, state, begun, tries, retrying, target FROM notification ORDER BY seq")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    });
    let rows: Vec<(i64, String, i64, i64, i64, i64)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    let expected = [
        (5, "sending", 2, 1, 0, 1),
        (6, "waiting", 0, 0, 0, 1),
        (7, "waiting", 2, 2, 1, 0),
        (8, "delivered", 1, 1, 0, 1),
        (9, "delivered", 2, 2, 0, 1),
        (10, "cancelled", 0, 0, 0, 1),
        (11, "expired", 1, 1, 0, 1),
        (12, "suppressed", 0, 0, 0, 1),
        (13, "failed", 1, 1, 0, 1),
        (14, "unknown", 1, 1, 0, 1),
    ];
    assert_eq!(rows, expected.map(|(seq, state, a, b, c, d)| (seq, state.to_owned(), a, b, c, d)));
    let mut statement = new.prepare("SELECT name, value FROM tally ORDER BY name").unwrap();
    let tallies = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let tallies: Vec<(String, i64)> = tallies.unwrap().collect::<Result<_, _>>().unwrap();
    let counted = [
        ("cancelled", 1),
        ("delivered", 2),
        ("expired", 1),
        ("failed", 1),
        ("sending", 1),
        ("suppressed", 1),
        ("unknown", 1),
        ("waiting", 2),
    ];
    assert_eq!(tallies, counted.map(|(state, n)| (format!("notification.{state}"), n)));
    let next: i64 = new
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'notification'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(next, 15, "no number is given twice");
    let left: i64 = new
        .query_row("SELECT count(*) FROM sqlite_master WHERE name LIKE '%!_1' ESCAPE '!' AND name NOT LIKE 'sqlite%'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(left, 0, "nothing of the old tables is left");
    let problems: i64 =
        new.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(problems, 0);
}
