//! `proact keys`, and the command line against a server that takes nobody without a key.

use std::path::Path;

use serde_json::Value;

use crate::support::{Process, answer, client, proact};

fn run(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    let output = proact(folder, &line.split(' ').collect::<Vec<_>>());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_the_data_folder_needs_no_key_and_makes_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("proact.toml"), "[http]\nrequire_key = \"always\"\n").unwrap();
    let server = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    let jobs = format!("{}/v1/jobs", server.url);
    assert_eq!(answer(client().get(&jobs)).await.0, 401);
    assert_eq!(run(folder.path(), "jobs list").1, "The job log is empty.\n");
    assert_eq!(run(folder.path(), "keys list").1, "There are no keys: `proact keys create` makes one.\n");

    let (code, text, error) =
        run(folder.path(), "keys create ci --allow read,complete --kind report --expires-in 90d --json");
    assert_eq!(code, Some(0), "{error}");
    let made: Value = serde_json::from_str(&text).unwrap();
    let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert_eq!(answer(client().get(&jobs).bearer_auth(key)).await.0, 200);
    let (_, text, _) = run(folder.path(), "keys list");
    assert!(text.contains(id) && text.contains("read,complete") && !text.contains(key), "{text}");

    let local = std::fs::read_to_string(folder.path().join("data/local.key")).unwrap();
    assert_eq!(answer(client().get(&jobs).bearer_auth(&local)).await.0, 200);
    // What it opens is everything, and only of this process.
    assert_eq!(answer(client().get(format!("{}/v1/keys", server.url)).bearer_auth(key)).await.0, 403);
    server.kill();
    let server = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    let jobs = format!("{}/v1/jobs", server.url);
    assert_eq!(answer(client().get(&jobs).bearer_auth(&local)).await.0, 401);
    assert_eq!(answer(client().get(&jobs).bearer_auth(key)).await.0, 200);

    let (code, text, _) = run(folder.path(), &format!("keys revoke {id}"));
    assert_eq!((code, text), (Some(0), format!("The key {id} opens nothing any more.\n")));
    assert_eq!(answer(client().get(&jobs).bearer_auth(key)).await.0, 401);
    assert!(run(folder.path(), "keys list").1.contains("revoked"));
    assert_eq!(run(folder.path(), "keys revoke 0123456789abcdef").0, Some(4));
    server.terminate();
    assert!(server.end().0.success());
    assert!(!folder.path().join("data/local.key").exists());
}

#[test]
fn keys_are_made_and_revoked_without_a_server_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--listen", "127.0.0.1:0"]);
    server.terminate();
    assert!(server.end().0.success());
    let (code, text, error) = run(folder.path(), "keys create ci --allow notify --conversation msteams/*");
    assert_eq!(code, Some(0), "{error}");
    let id = &text[7..23];
    assert!(text.starts_with("proact_") && text.contains("until it is revoked"), "{text}");
    assert!(run(folder.path(), "keys list").1.contains("msteams/*"));
    assert_eq!(run(folder.path(), &format!("keys revoke {id}")).0, Some(0));
    for (line, code) in [
        ("keys create ci", 2),
        ("keys create ci --allow write", 1),
        ("keys create ci --allow notify --kind report", 1),
        ("keys create ci --allow read --conversation msteams", 1),
        ("keys create ci --allow read --expires-in soon", 2),
    ] {
        let (got, _, error) = run(folder.path(), line);
        assert_eq!(got, Some(code), "{line}: {error}");
    }
}
