//! `proact bot`, as the real binary; the files themselves are proven in the library, and with `botframework-config` in `interop/`.

use std::{fs, path::Path, process::Stdio};

use proact::auth::BotFile;

use crate::support::command;

const FILE: &str = r#"{
    "name": "my\u001b[2J bot",
    "services": [
        {"type": "endpoint", "name": "production", "id": "1", "appId": "app", "appPassword": "hunter2", "endpoint": "https://bot.example/api/messages"},
        {"type": "luis", "name": "words", "id": "23", "authoringKey": "hunter2"},
        {"type": "of-tomorrow"}
    ]
}"#;

/// Exit code, stdout, stderr.
fn run(folder: &Path, variables: &[(&str, &str)], line: &str) -> (Option<i32>, String, String) {
    let mut command = command(folder, &line.split(' ').collect::<Vec<_>>());
    let output = command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_is_in_a_file_is_shown_without_its_secrets_unless_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("my.bot"), FILE).unwrap();
    let (code, text, _) = run(folder.path(), &[], "bot list --file my.bot");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(code, Some(0));
    assert_eq!(
        lines,
        [
            "my?[2J bot, not encrypted",
            "TYPE         ID  NAME        ENDPOINT",
            "endpoint     1   production  https://bot.example/api/messages as app",
            "luis         23  words",
            "of-tomorrow  -   -",
        ]
    );
    for by in ["production", "1"] {
        let (code, text, _) = run(folder.path(), &[("botFilePath", "my.bot")], &format!("bot show {by}"));
        assert!(
            code == Some(0) && text.contains("\"appPassword\": \"…\"") && text.contains("\"app\""),
            "{text}"
        );
    }
    let (_, text, _) = run(folder.path(), &[("botFilePath", "my.bot")], "bot show production --secrets");
    assert!(text.contains("hunter2"), "{text}");

    let (code, _, error) = run(folder.path(), &[], "bot show staging --file my.bot");
    assert!(code == Some(4) && error.contains("production") && error.lines().count() == 1, "{error}");
    let (code, _, error) = run(folder.path(), &[], "bot list");
    assert!(code == Some(2) && error.contains("botFilePath"), "{error}");
    let (code, _, error) = run(folder.path(), &[], "bot list --file none.bot");
    assert!(code == Some(1) && error.contains("none.bot"), "{error}");
}

#[test]
fn a_file_is_encrypted_and_decrypted_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.bot");
    fs::write(&path, FILE).unwrap();
    let (_, secret, _) = run(folder.path(), &[], "bot new-secret");
    // The path from `.env`, the secret from the environment.
    fs::write(folder.path().join(".env"), "botFilePath=my.bot\n").unwrap();
    let (code, _, error) = run(folder.path(), &[], "bot encrypt");
    assert!(code == Some(2) && error.contains("new-secret"), "{error}");
    let with_secret = [("botFileSecret", secret.trim())];
    let (code, text, error) = run(folder.path(), &with_secret, "bot encrypt");
    assert_eq!((code, text.as_str(), error.as_str()), (Some(0), "my.bot is encrypted.\n", ""));
    let encrypted = fs::read_to_string(&path).unwrap();
    assert!(!encrypted.contains("hunter2"));

    let (code, text, _) = run(folder.path(), &[], "bot show production");
    assert!(code == Some(0) && text.contains("\"…\""), "what is no secret needs none: {text}");
    let (code, text, error) = run(folder.path(), &[], "bot show production --secrets");
    assert!(code == Some(1) && text.is_empty() && error.contains("botFileSecret"), "{error}");
    let (_, text, _) = run(folder.path(), &with_secret, "bot show production --secrets");
    assert!(text.contains("hunter2"), "{text}");

    for (line, says) in [
        ("bot encrypt".to_owned(), "encrypted already"),
        (format!("bot decrypt --secret {}", BotFile::new_secret().expose()), "is wrong"),
        ("bot decrypt --secret hunter3".to_owned(), "32 bytes"),
    ] {
        let (code, _, error) = run(folder.path(), &with_secret, &line);
        assert!(code == Some(1) && error.contains(says) && !error.contains("hunter3"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), encrypted, "{line}");
    }
    let (code, ..) = run(folder.path(), &with_secret, "bot decrypt");
    assert_eq!(code, Some(0));
    let mut before = BotFile::parse(FILE).unwrap();
    before.encrypt(&secret.trim().into()).unwrap();
    before.decrypt(&secret.trim().into()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), before.to_json());
}
