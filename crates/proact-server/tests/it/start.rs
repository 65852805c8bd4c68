//! What a start says: one line, whether it works or not.

use std::{fs, net::TcpListener, path::Path};

use crate::support::{Process, answer, client, proact};

/// Runs it; it must fail with exit code 1 and one line on stderr that contains these.
fn refused(folder: &Path, arguments: &[&str], contains: &[&str]) {
    let output = proact(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty());
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(text.starts_with("proact: "), "{text}");
    for part in contains {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[tokio::test]
async fn one_line_says_where_it_listens_where_its_data_is_and_what_to_open() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    assert!(server.line.contains(&format!("listens on {}", server.url)), "{}", server.line);
    assert!(server.line.contains("./data"), "{}", server.line);
    assert!(server.line.contains(&format!("open {}/", server.url)), "{}", server.line);
    assert!(folder.path().join("data/proact.db").is_file());
    // What it announces is there: it takes work.
    assert_eq!(answer(client().get(format!("{}/readyz", server.url))).await.0, 200);
    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("data/server.json")).unwrap()).unwrap();
    assert_eq!(
        (file["pid"].as_u64(), server.url.ends_with(file["address"].as_str().unwrap())),
        (Some(server.id().into()), true)
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("data"), 0o700);
        let files: Vec<_> = fs::read_dir(folder.path().join("data")).unwrap().flatten().collect();
        for file in &files {
            let name = file.file_name().into_string().unwrap();
            assert_eq!(mode(&format!("data/{name}")), 0o600, "{name}");
        }
        for name in
            ["proact.db", "proact.db-wal", "proact.db.lock", "server.json", "local.key", "directline.secret"]
        {
            assert!(files.iter().any(|file| file.file_name() == *name), "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn data_that_others_could_read_is_closed_to_them_and_a_folder_that_is_open_is_told_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        let server = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
        server.terminate();
        let (status, log) = server.end();
        assert!(status.success());
        log
    };
    assert!(!run().contains("chmod"), "a folder that was made here is closed");
    let data = folder.path().join("data");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (name, open) in [("", 0o755), ("proact.db", 0o644), ("proact.db.lock", 0o664)] {
        fs::set_permissions(data.join(name), fs::Permissions::from_mode(open)).unwrap();
    }
    let log = run();
    let told: Vec<_> = log.lines().filter(|line| line.contains("chmod 700 ./data")).collect();
    assert_eq!(told.len(), 1, "{log}");
    assert!(told[0].contains("WARN") && told[0].contains("755"), "{log}");
    assert_eq!((mode(&data.join("proact.db")), mode(&data.join("proact.db.lock"))), (0o600, 0o600));
    assert_eq!(mode(&data), 0o755, "it is its owner's to close");
}

#[test]
fn a_port_in_use_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(folder.path(), &["--listen", &address], &[&address, "another port"]);
    // And the data is free again.
    Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
}

#[test]
fn a_second_process_on_the_same_data_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    refused(folder.path(), &["--listen", "127.0.0.1:0"], &["in use", "another data folder"]);
}

#[test]
fn a_folder_that_cannot_be_used_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    refused(folder.path(), &["--data", "file"], &["file", "another one"]);
    refused(folder.path(), &["--data", "file/below"], &["file/below", "another one"]);
    refused(folder.path(), &["--data", "/proc/proact"], &["/proc/proact", "another one"]);
}

#[test]
fn data_of_a_newer_version_is_one_line_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    server.terminate();
    assert!(server.end().0.success());
    let database = rusqlite::Connection::open(data.join("proact.db")).unwrap();
    database.execute("UPDATE schema_version SET version = 99 WHERE name = 'main'", []).unwrap();
    drop(database);
    refused(folder.path(), &[], &["newer version", "99"]);
    let database = rusqlite::Connection::open(data.join("proact.db")).unwrap();
    let version: u32 = database
        .query_row("SELECT version FROM schema_version WHERE name = 'main'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 99);
}

#[test]
fn what_is_not_a_database_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(
        folder.path().join("data/proact.db"),
        "this is not a database, and long enough to show it".repeat(100),
    )
    .unwrap();
    refused(folder.path(), &[], &["proact"]);
}

#[test]
fn other_addresses_than_loopback_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:3978", "[::]:3978", "192.168.0.1:3978"] {
        refused(folder.path(), &["--listen", address], &[address, "loopback", "127.0.0.1:3978"]);
    }
    refused(folder.path(), &["--listen", "nonsense"], &["nonsense", "127.0.0.1:3978"]);
    refused(folder.path(), &["--bot-url", "https://example.org/"], &["bot_url", "example.org"]);
}

#[test]
fn a_misspelt_key_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("proact.toml"), "[jobs]\nvisibilty = \"own\"\n").unwrap();
    refused(folder.path(), &[], &["jobs.visibilty", "proact.toml"]);
    refused(folder.path(), &["--config", "other.toml"], &["other.toml"]);
}
