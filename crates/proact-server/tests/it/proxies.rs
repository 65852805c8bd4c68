//! A proxy on this machine, which the configuration implies, and who only says that they are one.

use reqwest::header::ORIGIN;

use crate::support::TestServer;

const KEY: &str = "the-key-of-the-page";
/// Reached by others, and listening on loopback.
const BEYOND: [(&str, &str); 4] = [
    ("PROACT_PUBLIC_URL", "https://bot.example.com"),
    ("PROACT_PAGE_KEY", KEY),
    ("MicrosoftAppId", "8a1e5f0c-0000-4000-8000-000000000001"),
    ("MicrosoftAppPassword", "a secret"),
];

#[tokio::test]
async fn behind_a_proxy_on_this_machine_each_client_has_its_own_tries_and_nobody_else_is_believed() {
    let turned_off = [&BEYOND[..], &[("PROACT_HTTP_TRUSTED_PROXIES", "")]].concat();
    let named = [&BEYOND[..], &[("PROACT_HTTP_TRUSTED_PROXIES", "127.0.0.3")]].concat();
    for (environment, from, believed) in [
        (&BEYOND[..], "127.0.0.1", true),
        (&BEYOND, "127.0.0.2", false),
        (&turned_off, "127.0.0.1", false),
        (&named, "127.0.0.3", true),
        (&named, "127.0.0.1", false),
    ] {
        let server = TestServer::with(environment).await;
        let http = reqwest::Client::builder().no_proxy().local_address(Some(from.parse().unwrap()));
        let http = http.redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let show = async |client: &str, key: &str| {
            let form = http.post(format!("{}/sign-in", server.url)).header("host", "bot.example.com");
            let form = form.header("x-forwarded-for", client).header(ORIGIN, "https://bot.example.com");
            let form = form.header("content-type", "application/x-www-form-urlencoded");
            form.body(format!("key={key}")).send().await.unwrap().status().as_u16()
        };
        for _ in 0..10 {
            assert_eq!(show("203.0.113.7", "wrong").await, 403);
        }
        assert_eq!(show("203.0.113.7", KEY).await, 429);
        // What the client itself put there stands before what the proxy adds, and counts for nothing.
        assert_eq!(show("203.0.113.8, 203.0.113.7", KEY).await, 429);
        let other = if believed { 303 } else { 429 };
        assert_eq!(show("203.0.113.8", KEY).await, other, "{from} {believed}");
        server.stop().await;
    }
}
