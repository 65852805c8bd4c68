use std::fs;

use proact::auth::Cloud;

use super::*;

fn with_file(text: &str) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.toml");
    fs::write(&file, text).unwrap();
    Config::load(Sources { file: Some(file), ..Sources::default() })
}

fn with_environment(variables: &[(&str, &str)]) -> Result<Config, Error> {
    let environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Config::load(Sources { environment, ..Sources::default() })
}

#[test]
fn the_defaults_are_those_of_the_library() {
    let config = with_environment(&[]).unwrap();
    assert_eq!(config.listen, "127.0.0.1:3978");
    assert_eq!(config.data, Path::new("./data"));
    assert_eq!(config.bot_url, None);
    assert_eq!(config.visibility(None), Visibility::All);
    assert_eq!(config.credentials().unwrap(), None);
    assert!(config.secret.is_none());
    assert_eq!(config.delivery, DeliveryOptions::default());
    assert_eq!(config.channel, proact::directline::Limits::default());
    assert!(!config.one_stream);
    let gate = proact::app::GateOptions::default();
    assert_eq!(config.body_within, gate.body_within);
}

#[test]
fn flags_beat_the_environment_which_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.toml");
    fs::write(
        &file,
        "listen = \"127.0.0.1:1\"\ndata = \"file\"\n[delivery]\nmax_tries = 3\n[stop]\ngrace = \"1s\"\n",
    )
    .unwrap();
    let environment = vec![
        ("PROACT_DATA".to_owned(), "env".to_owned()),
        ("PROACT_LISTEN".to_owned(), "127.0.0.1:2".to_owned()),
    ];
    let listen = Some("127.0.0.1:3".to_owned());
    let config =
        Config::load(Sources { file: Some(file), environment, listen, ..Sources::default() }).unwrap();
    assert_eq!(config.listen, "127.0.0.1:3");
    assert_eq!(config.data, Path::new("env"));
    assert_eq!(config.delivery.backoff.max_tries, 3);
    assert_eq!(config.grace, Duration::from_secs(1));
}

#[test]
fn a_key_that_is_not_there_is_named() {
    for (text, key) in [
        ("lisen = \"x\"", "lisen: no such key"),
        ("[jobs]\nvisible = \"own\"", "jobs.visible: no such key"),
        ("[job]\nvisibility = \"own\"", "job: no such key"),
    ] {
        let error = with_file(text).unwrap_err().to_string();
        assert!(error.starts_with(key) && error.contains("p.toml"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}

#[test]
fn a_value_that_cannot_be_used_is_named() {
    for (text, key) in [
        ("[jobs]\nvisibility = \"mine\"", "jobs.visibility"),
        ("[delivery]\nmax_tries = \"many\"", "delivery.max_tries"),
        ("[delivery]\nmax_tries = 0", "delivery.max_tries"),
        ("[delivery]\nconcurrency = -1", "delivery.concurrency"),
        ("[stop]\ngrace = \"soon\"", "stop.grace"),
        ("[stop]\ngrace = \"-5s\"", "stop.grace"),
        ("[stop]\ngrace = 5", "stop.grace"),
        ("[http]\nbody_within = \"0s\"", "http.body_within"),
        ("[directline]\nupload_bytes = 0", "directline.upload_bytes"),
        ("[directline]\nupload_bytes = 268435457", "directline.upload_bytes"),
        ("[directline]\nupload_files = 0", "directline.upload_files"),
        ("[directline]\nmembers = 0", "directline.members"),
        ("[directline]\nmembers = 10001", "directline.members"),
        ("[directline]\nbytes_per_hour = -1", "directline.bytes_per_hour"),
        ("[directline]\nfiles_kept_for = \"0s\"", "directline.files_kept_for"),
        ("[directline]\nconversations_kept_for = \"59m\"", "directline.conversations_kept_for"),
        ("[directline]\nids_kept_for = \"743h\"", "directline.ids_kept_for"),
        ("[delivery]\nmax_age = \"1500h\"", "directline.ids_kept_for"),
        ("[directline]\none_stream = 1", "directline.one_stream"),
        ("[log]\nfilter = \"a=b=c\"", "log.filter"),
        ("bot_url = \"http://example.org/\"", "bot_url"),
        ("bot_url = \"no\"", "bot_url"),
        ("not toml", ""),
    ] {
        let error = with_file(text).unwrap_err().to_string();
        assert!(error.starts_with(key), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    assert!(Config::load(Sources { file: Some("/nowhere.toml".into()), ..Sources::default() }).is_err());
}

#[test]
fn every_key_has_its_variable_and_others_are_left_alone() {
    let config = with_environment(&[
        ("PROACT_JOBS_VISIBILITY", "own"),
        ("PROACT_DELIVERY_MAX_TRIES", "7"),
        ("PROACT_DIRECTLINE_SECRET", "1234567890123456"),
        ("PROACT_TURNS_EARLY_ANSWER_AFTER", "3s"),
        ("PROACT_PORT", "tcp://10.0.0.1:80"),
    ])
    .unwrap();
    assert_eq!(config.visibility(None), Visibility::Own);
    assert_eq!(config.delivery.backoff.max_tries, 7);
    assert_eq!(config.early_answer_after, Duration::from_secs(3));
    assert_eq!(config.secret.unwrap().expose(), "1234567890123456");
    let error = with_environment(&[("PROACT_DELIVERY_MAX_TRIES", "many")]).unwrap_err().to_string();
    assert!(error.starts_with("delivery.max_tries") && error.contains("the environment"), "{error}");
}

#[test]
fn what_people_may_add_in_an_hour_is_as_it_says_and_nothing_at_all_is_any_number() {
    let usual = with_file("").unwrap().channel;
    assert_eq!(usual, Limits::default());
    let text = "[directline]\nbytes_per_hour = 1000\nfiles_per_hour = 0\nmembers = 5";
    let Limits { bytes_per_hour, files_per_hour, members, .. } = with_file(text).unwrap().channel;
    assert_eq!((bytes_per_hour, files_per_hour, members), (Some(1000), None, 5));
}

#[test]
fn nothing_at_all_keeps_the_channels_history_for_ever() {
    let text = "[directline]\nhistory_kept_for = \"0s\"\nhistory_length = 0\nconversations_kept_for = \"0s\"\none_stream = true";
    let config = with_file(text).unwrap();
    let Limits { history_kept_for, history_length, conversations_kept_for, .. } = config.channel;
    assert_eq!((history_kept_for, history_length, conversations_kept_for), (None, None, None));
    assert!(config.one_stream);
    assert_eq!(
        with_file("[directline]\nids_kept_for = \"744h\"").unwrap().channel.ids_kept_for.as_secs(),
        744 * 3600
    );
}

#[test]
fn a_secret_never_shows() {
    let config = with_environment(&[("PROACT_DIRECTLINE_SECRET", "correct-horse-battery")]).unwrap();
    assert!(!format!("{config:?}").contains("horse"));
    for wrong in ["short", "sixteen chars with blanks"] {
        let error = with_environment(&[("PROACT_DIRECTLINE_SECRET", wrong)]).unwrap_err().to_string();
        assert!(error.starts_with("directline.secret") && !error.contains(wrong), "{error}");
    }
}

#[test]
fn a_dotenv_file_stands_between_the_file_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    assert!(dotenv(&file).unwrap().is_empty(), "none is no error");
    fs::write(&file, "# mine\nPROACT_DATA=dotenv\nexport PROACT_LISTEN='127.0.0.1:1'\nMicrosoftAppId=id\n")
        .unwrap();
    let sources = Sources {
        dotenv: dotenv(&file).unwrap(),
        environment: vec![
            ("PROACT_LISTEN".to_owned(), "127.0.0.1:2".to_owned()),
            ("MicrosoftAppPassword".to_owned(), "hunter2".to_owned()),
        ],
        ..Sources::default()
    };
    assert!(!format!("{sources:?}").contains("hunter2"));
    let config = Config::load(sources).unwrap();
    assert_eq!((config.data.as_path(), config.listen.as_str()), (Path::new("dotenv"), "127.0.0.1:2"));
    assert_eq!(config.credentials().unwrap(), Some(Credentials::new("id", "hunter2")));
    assert!(std::env::var_os("PROACT_DATA").is_none(), "the process' environment is left alone");

    fs::write(&file, "FINE=1\nhunter2 and more\n").unwrap();
    let error = dotenv(&file).unwrap_err().to_string();
    assert!(
        error.contains("after FINE") && !error.contains("hunter2") && error.lines().count() == 1,
        "{error}"
    );
}

#[test]
fn the_configurations_own_keys_are_weaker_than_the_fields_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.toml");
    let table = "[credentials]\napp_id = \"id\"\napp_password = \"old hunter2\"\napp_type = \"SingleTenant\"\n\
                 app_tenant_id = \"t\"\nchannel_service = \"https://botframework.azure.us\"\n";
    fs::write(&file, table).unwrap();
    let with = |variables: &[(&str, &str)]| {
        let environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::load(Sources { file: Some(file.clone()), environment, ..Sources::default() }).unwrap()
    };
    let government = || Credentials::new("id", "old hunter2").in_tenant("t").in_cloud(Cloud::Government);
    assert_eq!(with(&[]).credentials().unwrap(), Some(government()));
    let mut newer = government();
    for name in ["MicrosoftAppPassword", "PROACT_CREDENTIALS_APP_PASSWORD"] {
        newer.password = name.into();
        assert_eq!(with(&[(name, name)]).credentials().unwrap(), Some(newer.clone()));
    }
    assert!(!format!("{:?}", with(&[])).contains("hunter2"));
    let half = with_file("[credentials]\napp_id = \"id\"").unwrap().credentials().unwrap_err().to_string();
    assert!(half.contains("the configuration") && half.contains("MicrosoftAppPassword is not"), "{half}");
}

#[test]
fn people_reach_their_own_jobs_once_there_are_credentials_unless_it_is_said_otherwise() {
    let bot = Credentials::new("id", "p");
    let of = |text: &str| {
        let config = with_file(text).unwrap();
        (config.visibility(None), config.visibility(Some(&bot)))
    };
    assert_eq!(of(""), (Visibility::All, Visibility::Own));
    assert_eq!(of("[jobs]\nvisibility = \"auto\""), (Visibility::All, Visibility::Own));
    assert_eq!(of("[jobs]\nvisibility = \"all\""), (Visibility::All, Visibility::All));
    assert_eq!(of("[jobs]\nvisibility = \"own\""), (Visibility::Own, Visibility::Own));
}

#[test]
fn a_sender_of_events_is_read_and_what_is_wrong_with_it_is_named() {
    let good = "[events.senders.ci]\nsecrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\nkinds = [\"report\"]\nconversations = [\"msteams/*\"]";
    let config = with_file(good).unwrap();
    assert!(config.senders.contains_key("ci") && !format!("{config:?}").contains("MfKQ"));
    for (table, key) in [
        ("secrets = []", "events.senders.ci.secrets"),
        ("kinds = [\"report\"]", "events.senders.ci"),
        ("secrets = [\"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]", "events.senders.ci.secrets"),
        ("secrets = [\"env:PROACT_NO_SUCH_VARIABLE\"]", "events.senders.ci.secrets"),
        (
            "secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\nconversations = [\"msteams\"]",
            "events.senders.ci.conversations",
        ),
        (
            "secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\nkind = \"report\"",
            "events.senders.ci.kind",
        ),
    ] {
        let error = with_file(&format!("[events.senders.ci]\n{table}")).unwrap_err().to_string();
        assert!(error.starts_with(key) && !error.contains("MfKQ"), "{table}: {error}");
    }
}

#[test]
fn what_is_no_network_and_a_file_without_certificates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let no_pem = folder.path().join("root.der");
    fs::write(&no_pem, [0x30, 0x82]).unwrap();
    for (variable, value, says) in [
        (
            "PROACT_TRUST_ROOT_CERTIFICATES",
            "/nowhere/root.pem",
            "trust.root_certificates: /nowhere/root.pem: ",
        ),
        (
            "PROACT_TRUST_ROOT_CERTIFICATES",
            no_pem.to_str().unwrap(),
            "root.der: the root certificate cannot be used",
        ),
        ("PROACT_TRUST_NETWORKS", "10.4.0.0/16,0.0.0.0/0", "trust.networks: `0.0.0.0/0` is not a network"),
    ] {
        let config = with_environment(&[(variable, value)]).unwrap();
        let said = config.trust.of(Credentials::new("app", "hunter2")).unwrap_err().to_string();
        assert!(said.contains(says), "{said}");
        assert_eq!(config.trust.check().unwrap_err().to_string(), said, "without credentials too");
    }
}
