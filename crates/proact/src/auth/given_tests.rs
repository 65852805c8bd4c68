use super::*;
use crate::auth::BotFileProblem;

fn environment(variables: &[(&str, &str)]) -> Given {
    Given::from_variables("the environment", variables.iter().copied())
}

fn found(places: &[Given]) -> Credentials {
    Credentials::from_given(places).unwrap().expect("credentials")
}

fn refused(places: &[Given]) -> String {
    let text = Credentials::from_given(places).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    text
}

/// A file with two endpoints; the tests' folder goes with the guard.
fn bot_file_of(development: &str, production: &str) -> (tempfile::TempDir, BotFile, String) {
    let text = format!(
        r#"{{"services": [
            {{"type": "endpoint", "name": "development", "id": "1", {development}}},
            {{"type": "endpoint", "name": "production", "id": "2", {production}}}]}}"#
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.bot");
    let file = BotFile::parse(&text).unwrap();
    file.save(&path).unwrap();
    let path = path.display().to_string();
    (folder, file, path)
}

#[test]
fn nothing_given_is_no_credentials() {
    assert_eq!(Credentials::from_given(&[]).unwrap(), None);
    let blank = [("MicrosoftAppId", ""), ("MicrosoftAppPassword", " "), ("MicrosoftAppType", "MultiTenant")];
    assert_eq!(
        Credentials::from_given(&[environment(&blank)]).unwrap(),
        None,
        "as templates of the field have it"
    );
}

#[test]
fn the_fields_names_are_understood_in_any_case() {
    let multi = found(&[environment(&[("microsoftAppID", "id"), ("MICROSOFTAPPPASSWORD", " hunter2 ")])]);
    assert_eq!(multi, Credentials::new("id", " hunter2 "));
    let upper = [("MicrosoftAppId", "2F510B5E-10FE-4F53-9159-B134539AC594"), ("MicrosoftAppPassword", "p")];
    assert_eq!(
        found(&[environment(&upper)]).app_id,
        "2f510b5e-10fe-4f53-9159-b134539ac594",
        "as tokens have it"
    );
    let exact =
        environment(&[("microsoftappid", "other"), ("MicrosoftAppId", "id"), ("MicrosoftAppPassword", "p")]);
    assert_eq!(found(&[exact]).app_id, "id");

    let single = environment(&[
        ("MicrosoftAppId", "id"),
        ("MicrosoftAppPassword", "hunter2"),
        ("MicrosoftAppType", "singleTenant"),
        ("MicrosoftAppTenantId", "contoso.onmicrosoft.com"),
        ("ChannelService", "https://botframework.azure.us/"),
    ]);
    let single = found(&[single]);
    let wanted =
        Credentials::new("id", "hunter2").in_tenant("contoso.onmicrosoft.com").in_cloud(Cloud::Government);
    assert_eq!(single, wanted);
}

#[test]
fn half_of_it_is_an_error_that_names_the_other_half() {
    let id = ("MicrosoftAppId", "id");
    let password = ("MicrosoftAppPassword", "hunter2");
    let tenant = ("MicrosoftAppTenantId", "t");
    let single = ("MicrosoftAppType", "SingleTenant");
    for (given, missing) in [
        (&[id][..], "MicrosoftAppPassword is not"),
        (&[password], "MicrosoftAppId is not"),
        (&[tenant], "MicrosoftAppId is not"),
        (&[id, password, single], "MicrosoftAppTenantId is not"),
        (&[id, password, tenant], "MicrosoftAppType is not"),
    ] {
        let text = refused(&[environment(given)]);
        assert!(text.contains(missing) && text.contains("the environment"), "{text}");
    }
}

#[test]
fn what_cannot_be_used_is_named_and_not_shown() {
    let whole = [("MicrosoftAppId", "id"), ("MicrosoftAppPassword", "hunter2")];
    for (name, value) in [
        ("MicrosoftAppType", "hunter2"),
        ("MicrosoftAppType", "UserAssignedMSI"),
        ("ChannelService", "https://hunter2.example"),
        ("MicrosoftAppTenantId", "../hunter2"),
        ("MicrosoftAppId", "hunter2 and more"),
    ] {
        let mut given: Vec<_> = whole.to_vec();
        given.retain(|(other, _)| *other != name);
        if name == "MicrosoftAppTenantId" {
            given.push(("MicrosoftAppType", "SingleTenant"));
        }
        given.push((name, value));
        let text = refused(&[environment(&given)]);
        assert!(text.starts_with(name), "{text}");
    }
    assert!(!format!("{:?}", environment(&whole)).contains("hunter2"));
}

#[test]
fn stronger_places_win_name_by_name() {
    let strong = environment(&[("MicrosoftAppPassword", "new"), ("MicrosoftAppType", " ")]);
    let weak = Given::new("the configuration")
        .with(Setting::AppId, "id")
        .with(Setting::AppType, "SingleTenant")
        .with(Setting::AppTenantId, "t");
    assert_eq!(found(&[strong, weak]), Credentials::new("id", "new").in_tenant("t"));
}

#[test]
fn a_password_is_not_paired_with_another_apps_id() {
    let strong = environment(&[("MicrosoftAppId", "other")]);
    let weak =
        Given::new("the configuration").with(Setting::AppId, "id").with(Setting::AppPassword, "hunter2");
    let text = refused(&[strong, weak.clone()]);
    assert!(text.contains("the environment") && text.contains("the configuration"), "{text}");
    assert_eq!(found(&[environment(&[("MicrosoftAppId", "ID")]), weak]).app_id, "ID", "ids are GUIDs");
}

#[test]
fn a_password_can_be_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let named = path.display().to_string();
    let given = || environment(&[("MicrosoftAppId", "id"), ("MicrosoftAppPasswordFile", &named)]);
    assert!(refused(&[given()]).contains(&named));
    fs::write(&path, "\n").unwrap();
    assert!(refused(&[given()]).contains("is empty"));
    fs::write(&path, "hunter2 \r\n").unwrap();
    assert_eq!(found(&[given()]).password.expose(), "hunter2 ");
    let both = given().with(Setting::AppPassword, "hunter2");
    assert!(refused(&[both]).contains("leave one out"));
}

#[test]
fn the_bot_files_endpoint_is_chosen_by_the_environment_and_stands_above_it() {
    let (_folder, _, path) = bot_file_of(
        r#""appId": "dev", "appPassword": "p1""#,
        r#""appId": "prod", "appPassword": "p2", "channelService": "https://botframework.azure.us""#,
    );
    let with = |more: &[(&str, &str)]| {
        let mut all =
            vec![("botFilePath", path.as_str()), ("MicrosoftAppId", "env"), ("MicrosoftAppPassword", "p0")];
        all.extend_from_slice(more);
        environment(&all)
    };
    assert_eq!(found(&[with(&[])]), Credentials::new("dev", "p1"));
    let production = Credentials::new("prod", "p2").in_cloud(Cloud::Government);
    assert_eq!(found(&[with(&[("NODE_ENV", "production")])]), production);
    let text = refused(&[with(&[("NODE_ENV", "staging")])]);
    assert!(text.contains("staging") && text.contains("development, production"), "{text}");
}

#[test]
fn a_blank_app_id_in_the_file_falls_back() {
    let (_folder, _, path) =
        bot_file_of(r#""appId": "", "appPassword": """#, r#""appId": "prod", "appPassword": """#);
    let file = ("botFilePath", path.as_str());
    let variables = [file, ("MicrosoftAppId", "env"), ("MicrosoftAppPassword", "hunter2")];
    assert_eq!(found(&[environment(&variables)]), Credentials::new("env", "hunter2"));
    assert_eq!(Credentials::from_given(&[environment(&[file])]).unwrap(), None, "as in the article's sample");

    let production = ("NODE_ENV", "production");
    let password = ("MicrosoftAppPassword", "hunter2");
    assert_eq!(found(&[environment(&[file, production, password])]).app_id, "prod");
    let other = environment(&[file, production, password, ("MicrosoftAppId", "env")]);
    assert!(refused(&[other]).contains("another app"));
    let text = refused(&[environment(&[file, production])]);
    assert!(text.contains("endpoint `production`") && text.contains("MicrosoftAppPassword is not"), "{text}");
}

#[test]
fn an_encrypted_file_needs_its_secret() {
    let (_folder, mut file, path) =
        bot_file_of(r#""appId": "dev", "appPassword": "hunter2""#, r#""appId": """#);
    let secret = BotFile::new_secret();
    file.encrypt(&secret).unwrap();
    file.save(path.as_ref()).unwrap();
    let named = environment(&[("botFilePath", &path)]);
    assert!(refused(std::slice::from_ref(&named)).contains("botFileSecret"));
    let wrong = named.clone().with(Setting::BotFileSecret, BotFile::new_secret().expose());
    match Credentials::from_given(&[wrong]).unwrap_err() {
        CredentialsError::BotFile(error) => assert!(matches!(error.problem, BotFileProblem::SecretWrong)),
        other => panic!("{other}"),
    }
    // The secret may be in another place than the path.
    let secret = Given::new(".env").with(Setting::BotFileSecret, secret.expose());
    assert_eq!(found(&[named, secret]), Credentials::new("dev", "hunter2"));
}
