//! The bot's identity, as the real binary takes it up: where it comes from, and that its secrets stay where they are.

use std::fs;

use proact::auth::BotFile;

use crate::support::{Process, command, proact};

const RUNNING: &[&str] = &["--listen", "127.0.0.1:0"];
const SECRET: &str = "never-to-be-seen-hunter2";

#[tokio::test(flavor = "multi_thread")]
async fn the_first_line_says_who_it_is_and_nothing_says_how_it_proves_it() {
    let folder = tempfile::tempdir().unwrap();
    let dotenv = format!(
        "MicrosoftAppId=the-app\nMicrosoftAppPassword={SECRET}\nMicrosoftAppType=SingleTenant\n\
         MicrosoftAppTenantId=contoso.example\nPROACT_LOG_FILTER=trace\n"
    );
    fs::write(folder.path().join(".env"), dotenv).unwrap();
    let server = Process::start(folder.path(), RUNNING);
    assert!(server.line.contains(" as bot the-app (single tenant contoso.example),"), "{}", server.line);

    let mut said = server.line.clone();
    for path in
        ["/", "/healthz", "/readyz", "/metrics", "/v1/status", "/v1/jobs", "/v1/conversations", "/v1/none"]
    {
        said += &reqwest::get(format!("{}{path}", server.url)).await.unwrap().text().await.unwrap();
    }
    for file in fs::read_dir(folder.path().join("data")).unwrap() {
        said += &String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap_or_default());
    }
    let status = proact(folder.path(), &["status"]);
    said += &String::from_utf8_lossy(&status.stdout);
    server.terminate();
    let (_, logged) = server.end();
    assert!(logged.contains("the-app"), "the log says who it is, too");
    assert!(!said.contains(SECRET) && !logged.contains(SECRET));
}

#[test]
fn half_an_identity_is_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = BotFile::parse(
        r#"{"services": [{"type": "endpoint", "name": "production", "id": "1", "appId": "the-app", "appPassword": "never-to-be-seen-hunter2"}]}"#,
    )
    .unwrap();
    file.encrypt(&BotFile::new_secret()).unwrap();
    file.save(&folder.path().join("my.bot")).unwrap();
    let other = BotFile::new_secret();
    for (variables, says) in [
        (&[("MicrosoftAppId", "the-app")][..], "MicrosoftAppPassword is not"),
        (&[("MicrosoftAppPassword", SECRET)], "MicrosoftAppId is not"),
        (
            &[("MicrosoftAppPassword", SECRET), ("MicrosoftAppId", "a"), ("MicrosoftAppType", SECRET)],
            "MicrosoftAppType",
        ),
        (&[("botFilePath", "none.bot")], "none.bot"),
        (&[("botFilePath", "my.bot")], "set botFileSecret"),
        (&[("botFilePath", "my.bot"), ("botFileSecret", SECRET)], "32 bytes"),
        (&[("botFilePath", "my.bot"), ("botFileSecret", other.expose())], "botFileSecret) is wrong"),
    ] {
        let output = command(folder.path(), RUNNING).envs(variables.iter().copied()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.contains(says) && !error.contains(SECRET) && output.stdout.is_empty(), "{error}");
    }
    assert!(!folder.path().join("data").exists(), "nothing was opened");
}
