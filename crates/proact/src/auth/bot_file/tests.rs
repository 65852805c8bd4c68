use super::*;

/// One of each type, each secret beginning with `plain-`, and things that nobody knows.
const WHOLE: &str = r#"{
    "name": "whole",
    "zebra": {"b": 1, "a": [null, 2.5, "x"]},
    "description": "ö 🔑",
    "services": [
        {"type": "endpoint", "name": "development", "id": "1", "appId": "", "appPassword": "", "endpoint": "http://localhost:3978/api/messages"},
        {"type": "endpoint", "name": "production", "id": "2", "appId": " app-2 ", "appPassword": "plain-password", "endpoint": "https://bot.example/api/messages", "channelService": "https://botframework.azure.us", "mine": true},
        {"type": "appInsights", "name": "insights", "id": "3", "instrumentationKey": "plain-instrumentation", "applicationId": "kept", "apiKeys": {"one": "plain-one", "two": "plain-two", "none": ""}},
        {"type": "blob", "name": "blob", "id": "4", "connectionString": "plain-connection", "container": "kept"},
        {"type": "cosmosdb", "name": "cosmos", "id": "5", "key": "plain-key", "endpoint": "kept"},
        {"type": "luis", "name": "luis", "id": "6", "authoringKey": "plain-authoring", "subscriptionKey": "plain-subscription", "appId": "kept"},
        {"type": "dispatch", "name": "dispatch", "id": "7", "authoringKey": "plain-authoring", "subscriptionKey": null, "serviceIds": ["6"]},
        {"type": "qna", "name": "qna", "id": "8", "endpointKey": "plain-endpoint", "subscriptionKey": "plain-subscription", "hostname": "kept", "kbId": "kept"},
        {"type": "generic", "name": "generic", "id": "9", "url": "kept", "configuration": {"user": "plain-user", "token": "plain-token"}},
        {"type": "abs", "name": "abs", "id": "10", "appId": "kept"},
        {"type": "file", "name": "file", "id": "11", "path": "kept"},
        {"type": "of-tomorrow", "name": "2", "id": "12", "appPassword": "kept", "key": "kept"}
    ],
    "padlock": "",
    "version": "2.0"
}"#;

const SECRETS: [&str; 14] = [
    "plain-password",
    "plain-instrumentation",
    "plain-one",
    "plain-two",
    "plain-connection",
    "plain-key",
    "plain-authoring",
    "plain-subscription",
    "plain-endpoint",
    "plain-user",
    "plain-token",
    "plain-",
    "app-none",
    "\"plain",
];

fn whole() -> BotFile {
    BotFile::parse(WHOLE).unwrap()
}

fn compact(file: &BotFile) -> String {
    serde_json::to_string(&file.root).unwrap()
}

#[test]
fn what_is_not_changed_is_written_as_it_was_read() {
    let text = whole().to_json();
    assert_eq!(BotFile::parse(&text).unwrap().to_json(), text);
    let parsed: Json = serde_json::from_str(WHOLE).unwrap();
    assert_eq!(compact(&whole()), serde_json::to_string(&parsed).unwrap());
    assert!(text.starts_with("{\n    \"name\": \"whole\",\n    \"zebra\": {\n        \"b\": 1,\n"), "{text}");
    assert!(text.ends_with("}\n"));
    assert!(text.contains(r#""description": "\u00f6 \ud83d\udd11""#) && text.is_ascii(), "{text}");
}

#[test]
fn every_secret_is_encrypted_and_nothing_else_and_comes_back() {
    let (mut file, secret) = (whole(), BotFile::new_secret());
    file.encrypt(&secret).unwrap();
    assert!(file.is_encrypted());
    let encrypted = file.to_json();
    for plain in SECRETS {
        assert!(!encrypted.contains(plain), "{plain} is in {encrypted}");
    }
    assert_eq!(encrypted.matches("\"kept\"").count(), WHOLE.matches("\"kept\"").count());
    let values = encrypted.matches('!').count();
    assert_eq!(values, WHOLE.matches("plain-").count() + 1, "each once, and the padlock");

    let mut again = BotFile::parse(&encrypted).unwrap();
    again.decrypt(&secret).unwrap();
    assert_eq!(compact(&again), compact(&whole()));
}

#[test]
fn a_wrong_secret_is_noticed_whatever_the_padding_says() {
    let mut file = whole();
    file.encrypt(&BotFile::new_secret()).unwrap();
    let before = compact(&file);
    // One in 256 of these has a padding that is right by chance.
    for _ in 0..2000 {
        let error = file.decrypt(&BotFile::new_secret()).unwrap_err();
        assert!(matches!(error.problem, BotFileProblem::SecretWrong), "{error}");
    }
    assert_eq!(compact(&file), before, "what fails changes nothing");
}

#[test]
fn each_misuse_has_its_own_error() {
    let (mut file, secret) = (whole(), BotFile::new_secret());
    let problem = |result: Result<(), BotFileError>| result.unwrap_err().problem;
    assert!(matches!(problem(file.decrypt(&secret)), BotFileProblem::NotEncrypted));
    assert!(matches!(problem(file.encrypt(&"".into())), BotFileProblem::SecretMissing));
    assert!(matches!(problem(file.encrypt(&"hunter2".into())), BotFileProblem::SecretFormat));
    file.encrypt(&secret).unwrap();
    assert!(matches!(problem(file.encrypt(&secret)), BotFileProblem::EncryptedAlready));
    assert!(matches!(problem(file.decrypt(&"".into())), BotFileProblem::SecretMissing));
    assert!(matches!(problem(file.decrypt(&"hunter2".into())), BotFileProblem::SecretFormat));

    let damaged = BotFile::parse(r#"{"padlock": "hello"}"#).unwrap().decrypt(&secret);
    assert!(matches!(problem(damaged), BotFileProblem::Padlock));

    let mut numbered = BotFile::parse(
        r#"{"services": [{"type": "endpoint"}, {"type": "generic", "configuration": {"pin": 42}}]}"#,
    )
    .unwrap();
    let error = numbered.encrypt(&secret).unwrap_err().to_string();
    assert!(error.contains("services[1].configuration.pin") && !error.contains("42"), "{error}");
}

#[test]
fn a_value_that_does_not_decrypt_is_named_and_not_shown() {
    let (mut file, secret) = (whole(), BotFile::new_secret());
    file.encrypt(&secret).unwrap();
    let Some(Json::List(services)) = file.root.get_mut("services") else { panic!() };
    let Json::Object(endpoint) = &mut services[1] else { panic!() };
    endpoint.set("appPassword", Json::Text("typed-in-by-hand".to_owned()));
    let error = file.decrypt(&secret).unwrap_err().to_string();
    assert!(error.contains("services[1].appPassword") && !error.contains("typed"), "{error}");
}

#[test]
fn a_service_is_found_by_its_id_before_another_by_its_name() {
    let file = whole();
    assert_eq!(file.service("2").unwrap().name(), "production");
    assert_eq!(file.service("blob").unwrap().id(), "4");
    assert_eq!(file.endpoint("production").unwrap().service().id(), "2");
    assert_eq!(file.endpoint("1").unwrap().url(), Some("http://localhost:3978/api/messages"));
    let error = file.endpoint("staging").unwrap_err().to_string();
    for word in ["staging", "development, production", "NODE_ENV"] {
        assert!(error.contains(word), "{error}");
    }
    assert!(file.endpoint("blob").is_err(), "no endpoint");
    assert!(file.service("nothing").is_err() && file.service("").is_err());
}

#[test]
fn an_endpoint_says_what_it_has() {
    let file = whole();
    let endpoint = file.endpoint("production").unwrap();
    assert_eq!(endpoint.app_id(), Some("app-2"));
    assert_eq!(endpoint.app_password().unwrap().expose(), "plain-password");
    assert_eq!(endpoint.channel_service(), Some("https://botframework.azure.us"));
    let blank = file.endpoint("development").unwrap();
    assert_eq!((blank.app_id(), blank.app_password()), (None, None));
}

#[test]
fn secrets_show_only_when_they_are_asked_for() {
    let file = whole();
    let shown = format!("{file:?} {:?}", file.endpoint("production").unwrap());
    for plain in SECRETS {
        assert!(!shown.contains(plain), "{shown}");
        for service in file.services() {
            assert!(!service.without_secrets().contains(plain), "{plain}");
        }
    }
    let production = file.service("production").unwrap();
    assert!(
        production.without_secrets().contains("\"appPassword\": \"…\""),
        "{}",
        production.without_secrets()
    );
    assert!(production.with_secrets().contains("plain-password"));
}

/// `tests/legacy.bot` of `botframework-config` as a file: no version, `secretKey`, and a service without an id beside it.
#[test]
fn the_oldest_files_are_read() {
    let text = r#"{
        "name": "legacy",
        "secretKey": "2ac2fe5ce979090c401f319fd9c0eb3aca023e4dbbdf3671b079abfce0db95a8cf4b48307f4bad2352f7ebbe809704f2",
        "services": [
            {"type": "endpoint", "name": "legacy", "appPassword": "e3d812f210b1044fcb5e71d0f083c2db"},
            {"type": "qna", "name": "q", "id": "6", "subscriptionKey": "", "endpointKey": "never encrypted then"}
        ]
    }"#;
    let mut file = BotFile::parse(text).unwrap();
    assert!(file.is_encrypted());
    let wrong = file.clone().decrypt(&"passw0rd".into()).unwrap_err();
    assert!(matches!(wrong.problem, BotFileProblem::SecretWrong), "{wrong}");
    file.decrypt(&"password".into()).unwrap();
    let endpoint = file.endpoint("legacy").unwrap();
    assert_eq!(endpoint.app_password().unwrap().expose(), "xyzpdq");
    assert_eq!(endpoint.service().id(), "7");
    let json = file.to_json();
    assert!(json.contains("\"version\": \"2.0\"") && json.contains("\"padlock\": \"\""), "{json}");
    assert!(!json.contains("secretKey") && json.contains("never encrypted then"), "{json}");
}

/// .NET writes the padlock's GUID without dashes.
#[test]
fn a_padlock_of_dotnet_opens() {
    let secret = BotFile::new_secret();
    let padlock = Key::of(&secret).unwrap().encrypt("0f8fad5bd9cb469fa16570867728950e");
    let mut file = BotFile::parse(&format!("{{\"padlock\": \"{padlock}\"}}")).unwrap();
    file.decrypt(&secret).unwrap();
    let padlock = Key::of(&secret).unwrap().encrypt("any text");
    let mut file = BotFile::parse(&format!("{{\"padlock\": \"{padlock}\"}}")).unwrap();
    assert!(matches!(file.decrypt(&secret).unwrap_err().problem, BotFileProblem::SecretWrong));
}

#[test]
fn what_is_no_bot_file_is_refused_by_name() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (text, says) in [
        ("", "line 1"),
        ("{\n\"a\": }", "line 2"),
        ("[]", "an object"),
        (deep.as_str(), "not JSON"),
        (r#"{"services": {}}"#, "`services` must be a list"),
        (r#"{"services": [1]}"#, "`services[0]` must be"),
        (r#"{"services": [{"type": "file"}, {"name": "x"}]}"#, "`services[1].type` must be"),
        (r#"{"padlock": 1}"#, "`padlock` must be"),
    ] {
        let error = BotFile::parse(text).unwrap_err().to_string();
        assert!(error.contains(says) && error.lines().count() == 1, "{error}");
    }
    assert_eq!(BotFile::parse("\u{feff}{\"name\": \"marked\"}").unwrap().name(), "marked");
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("wrong.bot");
    std::fs::write(&there, b"\xff\xfe{").unwrap();
    let error = BotFile::load(&there).unwrap_err().to_string();
    assert!(error.starts_with(&there.display().to_string()) && error.contains("UTF-8"), "{error}");
    let error = BotFile::load(folder.path().join("none.bot")).unwrap_err().to_string();
    assert!(error.contains("none.bot") && error.contains("botFilePath"), "{error}");
    std::fs::write(&there, vec![b' '; LARGEST as usize + 1]).unwrap();
    assert!(matches!(BotFile::load(&there).unwrap_err().problem, BotFileProblem::TooLarge));
}

#[cfg(unix)]
#[test]
fn a_file_is_replaced_whole_and_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.bot");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    whole().save(&path).unwrap();
    assert_eq!(mode(&path), 0o600, "a new one is its owner's alone");

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link.bot");
    std::os::unix::fs::symlink("my.bot", &link).unwrap();
    let mut file = BotFile::load(&link).unwrap();
    file.encrypt(&BotFile::new_secret()).unwrap();
    file.save(&link).unwrap();
    assert_eq!(mode(&path), 0o640);
    assert!(link.is_symlink(), "what a link leads to is replaced, not the link");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), file.to_json());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");

    let nowhere = folder.path().join("none").join("my.bot");
    let error = file.save(&nowhere).unwrap_err().to_string();
    assert!(error.starts_with(&nowhere.display().to_string()), "{error}");
}
