//! What must never be called, whatever it is dressed as: a canary stands where each of these would lead, and a token waits for the
//! hosts that are trusted. The ones that may be called stand beside them.

use std::sync::{Arc, Mutex, atomic::Ordering};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use proact::{
    connector::{self, ConnectorClient},
    egress::{Credential, Error, Guard, Refused, Request, TrustedHosts},
    testkit::ChannelAnswer,
};
use url::Url;

use super::world::{Canary, Names, SecureChannel, Tokens, tls_before};

/// Sends without asking [`Guard::check`] first, as somebody who got a URL past it would.
async fn send(guard: &Guard, url: Url) -> Result<u16, Error> {
    let request = Request { method: Method::POST, url, headers: HeaderMap::new(), body: "{}".into() };
    guard.send(request).await.map(|response| response.status)
}

/// A guard for both clouds, for `*.channel.example` at the canary's port, and with everything there is to be configured.
fn guard(canary: &Canary, names: &Arc<Names>, tokens: &Arc<Tokens>) -> Guard {
    let credential = |scope| Some(Credential::new(Arc::clone(tokens) as _, scope));
    let own = TrustedHosts::none().allow(&format!("*.channel.example:{}", canary.port)).unwrap();
    Guard::builder()
        .trusted(TrustedHosts::public_cloud(), credential("public"))
        .trusted(TrustedHosts::government_cloud(), credential("government"))
        .trusted(own, credential("own"))
        .configured("http://10.255.255.1:3978/", credential("configured"))
        .resolver(Arc::clone(names) as _)
        .build()
        .unwrap()
}

/// What no rule names. `{p}` is the canary's port.
const REFUSED: &[&str] = &[
    // This machine and others, however their addresses are written.
    "http://127.0.0.1:{p}/",
    "https://127.0.0.1:{p}/",
    "https://localhost:{p}/",
    "https://localhost.:{p}/",
    "https://LOCALHOST:{p}/",
    "https://2130706433:{p}/",
    "https://0x7f000001:{p}/",
    "https://0x7f.1:{p}/",
    "https://0177.0.0.1:{p}/",
    "https://017700000001:{p}/",
    "https://127.1:{p}/",
    "https://127.0.0.1.:{p}/",
    "https://①②⑦.⓪.⓪.①:{p}/",
    "https://0.0.0.0:{p}/",
    "https://0:{p}/",
    "https://[::1]:{p}/",
    "https://[::]:{p}/",
    "https://[::ffff:127.0.0.1]:{p}/",
    "https://[::ffff:7f00:1]:{p}/",
    "https://[::127.0.0.1]:{p}/",
    "https://[0:0:0:0:0:0:0:1]:{p}/",
    "https://[64:ff9b::7f00:1]:{p}/",
    "https://[2002:7f00:1::]:{p}/",
    "https://10.0.0.1/",
    "https://169.254.169.254/metadata/identity/oauth2/token",
    "http://169.254.169.254/latest/meta-data/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    // A public address is no host either.
    "https://52.112.0.1/",
    // What is configured, but not so.
    "https://10.255.255.1:3978/",
    "http://10.255.255.1:{p}/",
    "http://10.255.255.1/",
    // Names that look like trusted ones.
    "https://smba.trafficmanager.net.evil.example/",
    "https://evil-smba.trafficmanager.net/",
    "https://evil.smba.trafficmanager.net/",
    "https://trafficmanager.net/",
    "https://evil.trafficmanager.net/",
    "https://smba.trafficmanager.net./",
    "https://smba.trafficmanager.net../",
    "https://smba.trafficmanager.com/",
    "https://smba-trafficmanager.net/",
    "https://smba.trafficmanager.net.127.0.0.1.nip.io/",
    "https://botframework.com/",
    "https://evilbotframework.com/",
    "https://botframework.com.evil.example/",
    "https://directline.botframework.com./",
    "https://botframework.azure.us/",
    "https://evil.azure.us/",
    "https://teams.microsoft.com/",
    "https://xn--smba-trafficmanager-net.example/",
    // Letters of other alphabets that look the same (a Cyrillic a).
    "https://smbа.trafficmanager.net/",
    "https://directline.botfrаmework.com/",
    // The port is part of it.
    "https://smba.trafficmanager.net:8443/",
    "https://smba.trafficmanager.net:{p}/",
    "https://a.channel.example/",
    // What stands before an @ is not the host.
    "https://smba.trafficmanager.net@evil.example/",
    "https://smba.trafficmanager.net:443@127.0.0.1:{p}/",
    "https://smba.trafficmanager.net%40evil.example/",
    "https://evil.example#@smba.trafficmanager.net/",
    "https://evil.example?@smba.trafficmanager.net/",
    "https://evil.example\\@smba.trafficmanager.net/",
    "https:\\\\evil.example\\smba.trafficmanager.net/",
    "https://user:password@smba.trafficmanager.net/",
    "https://:@smba.trafficmanager.net:1/",
    // Not by https.
    "http://smba.trafficmanager.net/",
    "http://smba.trafficmanager.net:443/",
    "http://a.channel.example:{p}/",
    "ws://smba.trafficmanager.net/",
    "ftp://smba.trafficmanager.net/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{p}/_",
    "data:text/plain,x",
    "jar:https://smba.trafficmanager.net!/",
];

#[tokio::test]
async fn no_spelling_leads_to_the_canary() {
    let canary = Canary::start(0).await;
    let (names, tokens) = (Arc::new(Names::default()), Arc::new(Tokens::default()));
    // Whatever name gets through would be here.
    for name in ["localhost", "localhost.", "evil.example", "smba.trafficmanager.net.", "botframework.com"] {
        names.are(name, &[&["127.0.0.1"]]);
    }
    let guard = guard(&canary, &names, &tokens);
    for row in REFUSED {
        let text = row.replace("{p}", &canary.port.to_string());
        let refused = guard.check(&text).expect_err(&text);
        assert!(!refused.to_string().contains("password@"), "{refused}");
        // Some are no URLs at all: those cannot be sent.
        let Ok(url) = Url::parse(&text) else { continue };
        let error = send(&guard, url).await.expect_err(&text);
        assert!(
            matches!(&error, Error::Refused(told) if *told == refused),
            "{text}: {error} is not {refused}"
        );
        assert!(!error.bytes_may_have_left());
    }
    assert_eq!(canary.reached().await, 0);
    assert_eq!(names.asked.load(Ordering::SeqCst), 0, "no name is even looked up");
    assert_eq!(tokens.asked.load(Ordering::SeqCst), 0, "no token is even asked for");
}

#[test]
fn the_hosts_of_the_channels_are_let_out() {
    let clouds = |hosts| Guard::builder().trusted(hosts, None).build().unwrap();
    let public = clouds(TrustedHosts::public_cloud());
    for (channel, url) in [
        ("msteams", "https://smba.trafficmanager.net/emea/"),
        ("msteams", "https://smba.trafficmanager.net:443/amer/"),
        ("msteams", "HTTPS://SMBA.TrafficManager.NET/teams"),
        ("msteams", "https://smba%2Etrafficmanager%2Enet/teams"),
        ("msteams", "https://smba。trafficmanager。net/teams"),
        ("msteams", "https://smba.infra.gcc.teams.microsoft.com/gcc/"),
        ("skype", "https://smba.trafficmanager.net/apis/"),
        ("directline", "https://directline.botframework.com/"),
        ("directline", "https://europe.directline.botframework.com/"),
        ("webchat", "https://webchat.botframework.com/"),
        ("slack", "https://slack.botframework.com/"),
        ("telegram", "https://telegram.botframework.com/"),
    ] {
        assert!(public.check_for(channel, url).is_ok(), "{url}");
        assert!(public.check(url).is_ok(), "{url}");
    }
    let government = clouds(TrustedHosts::government_cloud());
    for (channel, url) in [
        ("msteams", "https://smba.infra.gov.teams.microsoft.us/gcch"),
        ("msteams", "https://smba.infra.dod.teams.microsoft.us/dod"),
        ("directline", "https://directline.botframework.azure.us/"),
    ] {
        assert!(government.check_for(channel, url).is_ok(), "{url}");
        assert!(public.check(url).is_err(), "{url}: the other cloud's");
    }
}

/// What a trusted name may not resolve to.
const ANSWERS: &[&[&str]] = &[
    &["127.0.0.1"],
    &["127.9.9.9"],
    &["::1"],
    &["::ffff:127.0.0.1"],
    &["::127.0.0.1"],
    &["64:ff9b::7f00:1"],
    &["64:ff9b:1::7f00:1"],
    &["2002:7f00:1::"],
    &["2001:0:7f00:1::"],
    &["0.0.0.0"],
    &["::"],
    &["10.0.0.1"],
    &["172.20.0.1"],
    &["192.168.1.1"],
    &["100.64.0.1"],
    &["169.254.169.254"],
    &["::ffff:169.254.169.254"],
    &["64:ff9b::a9fe:a9fe"],
    &["fd00:ec2::254"],
    &["fe80::1"],
    &["192.0.2.1"],
    &["198.18.0.1"],
    &["224.0.0.1"],
    &["255.255.255.255"],
    &["240.0.0.1"],
    &["2001:db8::1"],
    &["ff02::1"],
    // One of several is enough, wherever it stands.
    &["52.112.0.1", "127.0.0.1"],
    &["127.0.0.1", "52.112.0.1"],
    &["2603:1030::1", "52.112.0.1", "::1"],
];

#[tokio::test]
async fn no_answer_of_a_name_server_leads_to_the_canary() {
    let canary = Canary::start(0).await;
    let (names, tokens) = (Arc::new(Names::default()), Arc::new(Tokens::default()));
    let guard = guard(&canary, &names, &tokens);
    for (row, answer) in ANSWERS.iter().enumerate() {
        let name = format!("n{row}.channel.example");
        names.are(&name, &[answer]);
        let url = guard.check(&format!("https://{name}:{}/v3/", canary.port)).unwrap();
        let error = send(&guard, url).await.expect_err(&name);
        assert!(matches!(error, Error::Refused(Refused::Address { .. })), "{answer:?}: {error}");
        assert!(!error.bytes_may_have_left());
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), ANSWERS.len(), "each was asked about once");
    // Configured names have no private ones to be kept from, but the keepers of a cloud's keys.
    names.are("intranet", &[&["169.254.169.254"]]);
    let url = format!("http://intranet:{}/", canary.port);
    let configured = Guard::builder().configured(&url, None).resolver(names).build().unwrap();
    let error = send(&configured, url.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refused::Address { .. })), "{error}");
    assert_eq!(canary.reached().await, 0);
}

/// A channel at 127.0.0.2, which stands for the world outside; the canary has its port at 127.0.0.1.
struct Outside {
    secure: SecureChannel,
    canary: Canary,
    names: Arc<Names>,
    tokens: Arc<Tokens>,
    guard: Guard,
}

impl Outside {
    const NAME: &'static str = "smba.channel.example";

    async fn start() -> Self {
        let secure = SecureChannel::start("127.0.0.2", &[Self::NAME]).await;
        let canary = Canary::start(secure.port).await;
        let (names, tokens) = (Arc::new(Names::default()), Arc::new(Tokens::default()));
        let hosts = TrustedHosts::none().allow(&format!("*.channel.example:{}", secure.port)).unwrap();
        let guard = Guard::builder()
            // Each request resolves anew.
            .options(proact::egress::Options { max_idle_per_host: 0, ..Default::default() })
            .trusted(hosts, Some(Credential::new(Arc::clone(&tokens) as _, "channels")))
            .network("127.0.0.2")
            .resolver(Arc::clone(&names) as _)
            .root_certificate(secure.root.as_bytes())
            .build()
            .unwrap();
        Self { secure, canary, names, tokens, guard }
    }

    fn url(&self, name: &str) -> String {
        format!("https://{name}:{}/", self.secure.port)
    }

    fn shown(&self) -> Vec<bool> {
        self.secure.channel.ledger().iter().map(|it| it.headers.contains_key("authorization")).collect()
    }
}

#[tokio::test]
async fn a_name_that_means_something_else_the_second_time_is_refused_then() {
    let outside = Outside::start().await;
    outside.names.are(Outside::NAME, &[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.2"]]);
    let url: Url = format!("{}v3/conversations/c/activities", outside.url(Outside::NAME)).parse().unwrap();
    assert_eq!(send(&outside.guard, url.clone()).await.unwrap(), 200);
    assert_eq!(outside.names.asked.load(Ordering::SeqCst), 1, "checked and connected to is one answer");
    let error = send(&outside.guard, url.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refused::Address { .. })), "{error}");
    assert_eq!(outside.canary.reached().await, 0);
    assert_eq!(send(&outside.guard, url).await.unwrap(), 200);
    assert_eq!(outside.shown(), [true, true]);
}

#[tokio::test]
async fn a_new_token_is_not_shown_to_another_address() {
    let outside = Outside::start().await;
    outside.names.are(Outside::NAME, &[&["127.0.0.2"], &["127.0.0.1"]]);
    outside.secure.channel.script("c", [ChannelAnswer::status(401)]);
    let url = format!("{}v3/conversations/c/activities", outside.url(Outside::NAME)).parse().unwrap();
    let error = send(&outside.guard, url).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refused::Address { .. })), "{error}");
    assert_eq!((outside.canary.reached().await, outside.tokens.asked.load(Ordering::SeqCst)), (0, 2));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let outside = Outside::start().await;
    outside.names.are(Outside::NAME, &[&["127.0.0.2"]]);
    let (channel, port) = (&outside.secure.channel, outside.secure.port);
    for to in [format!("http://127.0.0.1:{port}/"), outside.url("other.channel.example")] {
        channel.script("c", [ChannelAnswer::redirect(&to)]);
        let url = format!("{}v3/conversations/c/activities", outside.url(Outside::NAME)).parse().unwrap();
        assert_eq!(send(&outside.guard, url).await.unwrap(), 307);
    }
    assert_eq!(outside.shown(), [true, true], "and nothing beside them");

    assert_eq!(outside.canary.reached().await, 0);
}

#[tokio::test]
async fn a_file_is_fetched_where_the_channel_says_but_only_at_trusted_hosts_and_as_nobody() {
    /// Who was asked for, and whether with a token.
    type Came = Arc<Mutex<Vec<(String, bool)>>>;
    /// Redirects to what the first segment of the path says in hexadecimal digits, if it says something.
    async fn files(State(came): State<Came>, headers: HeaderMap, uri: Uri) -> Response {
        let host = headers["host"].to_str().unwrap().split(':').next().unwrap().to_owned();
        came.lock().unwrap().push((host, headers.contains_key("authorization")));
        match uri.path().strip_prefix("/to/").map(|rest| rest.split('/').next().unwrap()) {
            Some(to) => {
                let to = percent_encoding::percent_decode_str(to).decode_utf8().unwrap().into_owned();
                (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
            }
            None => "a file".into_response(),
        }
    }
    let came = Came::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let behind = listener.local_addr().unwrap().port();
    let router = Router::new().fallback(files).with_state(Arc::clone(&came));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let (port, root) = tls_before(behind, "127.0.0.2", &["a.channel.example", "b.channel.example"]).await;
    let canary = Canary::start(port).await;
    let (names, tokens) = (Arc::new(Names::default()), Arc::new(Tokens::default()));
    names.are("a.channel.example", &[&["127.0.0.2"]]);
    names.are("b.channel.example", &[&["127.0.0.2"]]);
    names.are("c.channel.example", &[&["127.0.0.1"]]);
    let hosts = TrustedHosts::none().allow(&format!("*.channel.example:{port}")).unwrap();
    let guard = Guard::builder()
        .trusted(hosts, Some(Credential::new(tokens, "channels")))
        .network("127.0.0.2")
        .resolver(names)
        .root_certificate(root.as_bytes())
        .build()
        .unwrap();
    let client = ConnectorClient::new(guard);
    let fetch = async |to: &str| {
        let to = to.replace("{p}", &port.to_string());
        let to = percent_encoding::utf8_percent_encode(&to, percent_encoding::NON_ALPHANUMERIC);
        let service_url = format!("https://a.channel.example:{port}/to/{to}");
        client.attachment_content(&service_url, "f", "original", 100).await
    };
    for to in [
        "https://127.0.0.1:{p}/",
        "https://evil.example/",
        "https://a.channel.example:{p}@evil.example/",
        "https://a.channel.example.evil.example:{p}/",
        "//169.254.169.254/",
        "https://c.channel.example:{p}/",
    ] {
        let error = fetch(to).await.unwrap_err();
        assert!(matches!(error, connector::Error::Refused(_)), "{to}: {error}");
    }
    let error = fetch("http://a.channel.example:{p}/").await.unwrap_err();
    assert!(matches!(error, connector::Error::Unexpected { .. }), "from https to http: {error}");
    came.lock().unwrap().clear();
    for to in ["https://b.channel.example:{p}/file", "https://a.channel.example:{p}/file", "/file"] {
        assert_eq!(fetch(to).await.unwrap().bytes, "a file");
    }
    let (a, b) = (|token| ("a.channel.example".to_owned(), token), ("b.channel.example".to_owned(), false));
    assert_eq!(*came.lock().unwrap(), [a(true), b, a(true), a(false), a(true), a(false)]);
    assert_eq!(canary.reached().await, 0);
}
