//! The sign-in to the page, and what listening beyond this machine takes.

use std::{fs, path::Path, sync::Arc};

use proact::clock::SystemClock;
use proact_server::{
    config::{Config, Sources},
    server::Server,
};
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use serde_json::json;

use crate::support::{TestServer, answer, client, command, raw};

const KEY: &str = "the-key-of-the-page";
const SIGNED_IN: &[(&str, &str)] = &[("PROACT_PAGE_SIGN_IN", "on"), ("PROACT_PAGE_KEY", KEY)];
const REQUIRED: &[(&str, &str)] = &[("PROACT_HTTP_REQUIRE_KEY", "always"), ("PROACT_PAGE_KEY", KEY)];

/// Shows `key` in the form; the answer.
async fn show(server: &TestServer, key: &str) -> reqwest::Response {
    let form = client().post(format!("{}/sign-in", server.url)).header(ORIGIN, &server.url);
    form.header("content-type", "application/x-www-form-urlencoded")
        .body(format!("key={key}"))
        .send()
        .await
        .unwrap()
}

/// The session's cookie, as a browser sends it back.
async fn session(server: &TestServer) -> String {
    let answer = show(server, KEY).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()[LOCATION]), (303, &"/".parse().unwrap()));
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains("Secure"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn without_a_session_the_page_shows_nothing_and_with_one_everything() {
    for environment in [SIGNED_IN, REQUIRED] {
        let server = TestServer::with(environment).await;
        let shown = client().get(&server.url).send().await.unwrap();
        assert_eq!(
            (shown.status().as_u16(), &shown.headers()[LOCATION]),
            (303, &"/sign-in".parse().unwrap())
        );
        let by_name = client().get(format!("{}/index.html", server.url)).send().await.unwrap();
        assert_eq!(by_name.status(), 303);
        let form = client().get(format!("{}/sign-in", server.url)).send().await.unwrap();
        let policy = form.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
        assert_eq!(
            form.headers()["referrer-policy"],
            "same-origin",
            "or the browser would not say whose form it is"
        );
        assert!(!form.text().await.unwrap().contains("<script"));
        assert_eq!(client().get(format!("{}/sign-in.css", server.url)).send().await.unwrap().status(), 200);

        let token = || {
            client().post(format!("{}/page/tokens", server.url)).header(ORIGIN, &server.url).json(&json!({}))
        };
        for path in
            ["/v1/jobs", "/v1/notifications", "/v1/conversations", "/v1/changes", "/v1/keys", "/metrics"]
        {
            assert_eq!(server.get(path).await.0, 401, "{path}");
        }
        assert_eq!(answer(token()).await.0, 401);
        for path in ["/healthz", "/readyz"] {
            assert_eq!(server.get(path).await.0, 200, "{path}");
        }

        // A page is led to the form.
        let fetched = client().get(format!("{}/v1/jobs", server.url)).header("sec-fetch-site", "same-origin");
        assert_eq!(answer(fetched).await.1["type"], "urn:proact:problem:sign-in-required");
        let back = client()
            .post(format!("{}/sign-in?next=%2F%2Fevil.example", server.url))
            .header(ORIGIN, &server.url);
        let back =
            back.header("content-type", "application/x-www-form-urlencoded").body(format!("key={KEY}"));
        assert_eq!(back.send().await.unwrap().headers()[LOCATION], "/");

        let cookie = session(&server).await;
        let with = |path: &str| client().get(format!("{}{path}", server.url)).header(COOKIE, &cookie).send();
        for path in ["/", "/v1/jobs", "/v1/keys", "/metrics"] {
            assert_eq!(with(path).await.unwrap().status(), 200, "{path}");
        }
        assert_eq!(answer(token().header(COOKIE, format!("a=b; {cookie}; c=d"))).await.0, 200);
        // Nothing but the whole value is a session.
        for wrong in [
            cookie.replace('=', "=x"),
            format!("{cookie}x"),
            cookie.split_inclusive('=').next().unwrap().to_owned(),
            cookie.replace("proact-page", "other"),
            // A server at another port of the same host.
            cookie.replace("proact-page-", "proact-page-1"),
        ] {
            let refused =
                client().get(format!("{}/v1/jobs", server.url)).header(COOKIE, &wrong).send().await.unwrap();
            assert_eq!(refused.status(), 401, "{wrong}");
        }
        // A wrong key beside it is refused all the same.
        let both = client()
            .get(format!("{}/v1/jobs", server.url))
            .header(COOKIE, &cookie)
            .bearer_auth("proact_wrong");
        assert_eq!(both.send().await.unwrap().status(), 401);

        let other = session(&server).await;
        let out = client().post(format!("{}/sign-out", server.url)).header(COOKIE, &cookie);
        assert_eq!(out.send().await.unwrap().status(), 403, "not without an Origin");
        assert_eq!(with("/v1/jobs").await.unwrap().status(), 200);
        let out = client()
            .post(format!("{}/sign-out", server.url))
            .header(ORIGIN, &server.url)
            .header(COOKIE, &cookie);
        let out = out.send().await.unwrap();
        assert_eq!(out.status(), 303);
        let (name, _) = cookie.split_once('=').unwrap();
        let gone = out.headers()[SET_COOKIE].to_str().unwrap();
        assert!(gone.starts_with(&format!("{name}=; Path=/; Max-Age=0;")), "{gone}");
        // Who has kept the cookie has nothing, and the session of another browser goes on.
        assert_eq!(with("/v1/jobs").await.unwrap().status(), 401);
        let goes_on = client().get(format!("{}/v1/jobs", server.url)).header(COOKIE, &other).send();
        assert_eq!(goes_on.await.unwrap().status(), 200);
        server.stop().await;
    }
}

#[tokio::test]
async fn only_our_own_form_signs_in_and_not_too_often() {
    let server = TestServer::with(SIGNED_IN).await;
    let post = |origin: Option<String>, kind: &str| {
        let post = client().post(format!("{}/sign-in", server.url)).header("content-type", kind.to_owned());
        let post = post.body(format!("key={KEY}"));
        match origin {
            Some(origin) => post.header(ORIGIN, origin),
            None => post,
        }
    };
    let form = "application/x-www-form-urlencoded";
    for origin in [None, Some("http://evil.example".to_owned()), Some("null".to_owned())] {
        let refused = post(origin.clone(), form).send().await.unwrap();
        assert_eq!((refused.status().as_u16(), refused.headers().get(SET_COOKIE)), (403, None), "{origin:?}");
    }
    for wrong in ["", "x", "the-key-of-the-pag", "%00", "the-key-of-the-page%20x"] {
        let refused = show(&server, wrong).await;
        assert_eq!((refused.status().as_u16(), refused.headers().get(SET_COOKIE)), (403, None), "{wrong}");
        assert!(refused.text().await.unwrap().contains("That is not the key"));
    }
    for _ in 5..10 {
        assert_eq!(show(&server, "x").await.status(), 403);
    }
    let refused = show(&server, KEY).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"60".parse().unwrap()));
    let large = format!("key={}", "x".repeat(5000));
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: {}\r\n\r\n{large}",
        large.len()
    );
    assert_eq!(raw(&server.url, &request).await.0, 413);
}

#[tokio::test]
async fn under_a_public_https_url_the_cookie_is_held_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on(
        folder,
        &[
            ("PROACT_PUBLIC_URL", "https://bot.example.com"),
            ("PROACT_PAGE_KEY", KEY),
            ("MicrosoftAppId", "8a1e5f0c-0000-4000-8000-000000000001"),
            ("MicrosoftAppPassword", "a secret"),
        ],
    )
    .await;
    let form = |origin: &str| {
        client()
            .post(format!("{}/sign-in", server.url))
            .header("host", "bot.example.com")
            .header("x-forwarded-for", "203.0.113.7")
            .header(ORIGIN, origin.to_owned())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("key={KEY}"))
            .send()
    };
    let signed_in = form("https://bot.example.com").await.unwrap();
    let cookie = signed_in.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-proact-page-") && cookie.ends_with("; Secure"), "{cookie}");
    assert_eq!(form("http://bot.example.com").await.unwrap().status(), 403);
    assert_eq!(server.get("/v1/jobs").await.0, 401, "with credentials this machine is asked too");
}

/// Why a server does not start.
async fn refused(data: &Path, listen: &str, environment: &[(&str, &str)]) -> String {
    let config = Config::load(Sources {
        listen: Some(listen.to_owned()),
        data: Some(data.to_owned()),
        environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..Sources::default()
    });
    Server::start(config.unwrap(), Arc::new(SystemClock)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn beyond_this_machine_everything_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let id = ("MicrosoftAppId", "8a1e5f0c-0000-4000-8000-000000000001");
    let (password, url) =
        (("MicrosoftAppPassword", "a secret"), ("PROACT_PUBLIC_URL", "https://bot.example.com"));
    for (environment, says) in [
        (&[][..], "MicrosoftAppId"),
        (&[url], "MicrosoftAppId"),
        (&[id, password, url, ("PROACT_PAGE_SIGN_IN", "off")], "page.sign_in"),
        (&[id, password], "public_url"),
        (&[id, password, ("PROACT_PUBLIC_URL", "http://bot.example.com")], "https"),
        (
            &[
                id,
                password,
                url,
                ("PROACT_TLS_CERT", "/nowhere/cert.pem"),
                ("PROACT_TLS_KEY", "/nowhere/key.pem"),
            ],
            "/nowhere/cert.pem",
        ),
    ] {
        let error = refused(&data, "0.0.0.0:0", environment).await;
        assert!(error.contains(says) && !error.contains('\n') && !error.contains("a secret"), "{error}");
    }
    assert!(!data.exists(), "nothing was opened");
}

#[test]
fn keys_are_rotated_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| command(folder.path(), arguments).output().unwrap();
    let missing = run(&["rotate", "page"]);
    assert_eq!(missing.status.code(), Some(1));
    fs::create_dir(folder.path().join("data")).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join("data").join(name)).unwrap();
    for (what, file) in [("page", "page.key"), ("channel", "directline.keys")] {
        assert!(run(&["rotate", what]).status.success());
        let first = read(file);
        let output = run(&["rotate", what]);
        assert!(output.status.success() && read(file) != first);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("new key") && !said.contains(first.trim()), "{said}");
    }
    assert!(read("directline.keys").contains("\"until\""), "the old one verifies for a while");
    assert!(run(&["rotate", "channel", "--revoke"]).status.success());
    assert!(!read("directline.keys").contains("\"until\""));
    let given = command(folder.path(), &["rotate", "page"]).env("PROACT_PAGE_KEY", KEY).output().unwrap();
    assert_eq!(given.status.code(), Some(1));
}
