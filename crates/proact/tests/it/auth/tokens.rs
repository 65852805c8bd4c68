//! Tokens that are forged, expired, confused or cut short, each refused for its own reason; and beside them those that are let in.
//!
//! Everything is signed for real. A row says what is wrong with a token that is right in everything else, and the one check that must
//! refuse it: a token that fell at an earlier check would make its row fail.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proact::{
    activity::Activity,
    auth::{Authenticator, Caller, CallerKind, Cloud, Credentials, Denied, inbound::MAX_HEADER},
    testkit::{PUBLIC_TENANT, TestKey, TestToken},
};
use serde_json::json;

use super::world::{
    APP, CALLER, DIRECT_LINE_AUDIENCE, OTHER_TENANT, SERVICE_URL, STRANGER, World, builder, endorsed_key,
    foreign_key, guard, judge, rs512_key, said_on, shown,
};

/// A row: what is wrong, the header, the activity, the refusal.
type Row = (&'static str, Option<Vec<u8>>, Activity, Denied);

/// Holds the rows against the bot that lets everybody in.
async fn refused(world: &World, rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for (what, header, activity, expected) in rows {
        let judged = world.judge(header.as_deref(), &activity).await;
        if judged != Err(expected.clone()) {
            wrong.push(format!("{what}: {judged:?} instead of {expected:?}"));
        }
        let denied = judged.err().map(|denied| denied.to_string()).unwrap_or_default();
        let token = header.as_deref().and_then(|header| header.rsplit(|byte| *byte == b' ').next());
        let token = token.filter(|token| token.len() > 50).map(String::from_utf8_lossy);
        assert!(token.is_none_or(|token| !denied.contains(&*token)), "{what}: the refusal repeats the token");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn row(what: &'static str, header: impl Into<Vec<u8>>, expected: Denied) -> Row {
    (what, Some(header.into()), said_on("msteams"), expected)
}

fn of(what: &'static str, token: &TestToken, expected: Denied) -> Row {
    row(what, token.bearer(), expected)
}

fn on(channel: &str, what: &'static str, token: &TestToken, expected: Denied) -> Row {
    (what, Some(token.bearer().into()), said_on(channel), expected)
}

fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn the_header_is_bearer_one_space_and_a_token() {
    let world = World::new();
    let good = world.channel().sign();
    let padded = world.channel().claim("padding", "x".repeat(MAX_HEADER)).bearer();
    let rows = vec![
        ("no header", None, said_on("msteams"), Denied::Missing),
        row("empty", "", Denied::NotBearer),
        row("the scheme alone", "Bearer", Denied::NotBearer),
        row("no token", "Bearer ", Denied::NotBearer),
        row("another case", format!("bearer {good}"), Denied::NotBearer),
        row("two spaces", format!("Bearer  {good}"), Denied::NotBearer),
        row("a tab", format!("Bearer\t{good}"), Denied::NotBearer),
        row("a space before", format!(" Bearer {good}"), Denied::NotBearer),
        row("a space after", format!("Bearer {good} "), Denied::NotBearer),
        row("a third part", format!("Bearer {good} {good}"), Denied::NotBearer),
        row("no scheme", good.clone(), Denied::NotBearer),
        row("another scheme", "Basic dXNlcjpwYXNzd29yZA==", Denied::NotBearer),
        row("not ASCII", format!("Bearer {good}\u{a0}"), Denied::NotBearer),
        row("not a text", [b"Bearer ".as_slice(), &[0xff, 0xfe]].concat(), Denied::NotBearer),
        row("too large, though right", padded, Denied::TooLarge),
    ];
    refused(&world, rows).await;
}

#[tokio::test]
async fn the_token_is_three_parts_of_base64url_with_json_objects() {
    let world = World::new();
    let good = world.channel();
    let [header, claims, signature] = parts(&good.sign());
    let no_jwt = Denied::NotAJwt;
    let (three, more) = (no_jwt("it has no three parts"), no_jwt("it has more than three parts"));
    let (empty, not_base64) = (no_jwt("a part is empty"), no_jwt("a part is not base64url"));
    let bad_header = no_jwt("its header is not a JSON object as it should be");
    let bad_claims = no_jwt("its claims are not a JSON object");
    let join = |parts: &[&str]| format!("Bearer {}", parts.join("."));
    // 256 bytes leave four bits of the last character unused: they must be zero, or one signature could be written in 16 ways.
    let mut loose = signature.clone().into_bytes();
    let last = loose.last_mut().unwrap();
    *last = if *last == b'A' { b'B' } else { *last + 1 };
    let loose = String::from_utf8(loose).unwrap();
    let standard = good.clone().signature([0xfb; 256]).sign();
    let standard = format!("Bearer {}", standard.replace('-', "+").replace('_', "/"));
    let deep = format!("{{\"aud\":{}{}}}", "[".repeat(400), "]".repeat(400));
    let rows = vec![
        row("one part", "Bearer abc", three.clone()),
        row("cut before the signature", join(&[&header, &claims]), three),
        row("four parts", join(&[&header, &claims, &signature, &signature]), more.clone()),
        row("five, as if encrypted", join(&[&header, "", &claims, &signature, &signature]), more),
        row("points alone", "Bearer ..", empty.clone()),
        row("no signature", join(&[&header, &claims, ""]), empty.clone()),
        row("no claims", join(&[&header, "", &signature]), empty),
        row("a header that is no base64", join(&["!!!", &claims, &signature]), not_base64.clone()),
        row("padded", join(&[&header, &claims, &format!("{signature}==")]), not_base64.clone()),
        row("the other base64", standard, not_base64.clone()),
        row("loose last bits", join(&[&header, &claims, &loose]), not_base64.clone()),
        row("cut by one character", join(&[&header, &claims, &signature[..signature.len() - 1]]), not_base64),
        of("a header that is no JSON", &good.clone().raw_header("alg: RS256"), bad_header.clone()),
        of("a header that is a list", &good.clone().raw_header(r#"["RS256","key-0"]"#), bad_header.clone()),
        of(
            "an algorithm twice",
            &good.clone().raw_header(r#"{"alg":"none","alg":"RS256","kid":"key-0"}"#),
            bad_header.clone(),
        ),
        of("a key id that is a number", &good.clone().header("kid", 0), bad_header.clone()),
        of("an algorithm that is a list", &good.clone().header("alg", json!(["RS256"])), bad_header),
        of("claims that are no JSON", &good.clone().raw_claims("iss=me"), bad_claims.clone()),
        of(
            "claims cut short",
            &good.clone().raw_claims(&good.claims_json().into_bytes()[..40]),
            bad_claims.clone(),
        ),
        of("claims that are a list", &good.clone().raw_claims("[1,2,3]"), bad_claims.clone()),
        of("claims that are a text", &good.clone().raw_claims("\"iss\""), bad_claims.clone()),
        of("claims that are deep", &good.clone().raw_claims(deep), bad_claims.clone()),
        of("a number beyond numbers", &good.clone().raw_claims(r#"{"exp":1e999}"#), bad_claims),
    ];
    refused(&world, rows).await;
}

#[tokio::test]
async fn the_algorithm_is_one_of_three_and_no_extension_is_understood() {
    let world = World::new();
    let good = world.channel();
    let key = TestKey::numbered(0);
    let unsigned = |name: &str| good.clone().header("alg", name).signature([]);
    let said = |name: &str| good.clone().header("alg", name);
    let rows = vec![
        of("none", &unsigned("none"), Denied::Algorithm),
        of("None", &unsigned("None"), Denied::Algorithm),
        of("nOnE", &unsigned("nOnE"), Denied::Algorithm),
        of("none, over a right signature", &said("none"), Denied::Algorithm),
        of("no algorithm", &good.clone().without_header("alg"), Denied::Algorithm),
        of("an empty one", &said(""), Denied::Algorithm),
        of("another case", &said("rs256"), Denied::Algorithm),
        of("HS256 by the public key's bytes", &good.clone().hmac(key.public_der()), Denied::Algorithm),
        of(
            "HS256 by the public key's text",
            &good.clone().hmac(key.jwk()["n"].as_str().unwrap()),
            Denied::Algorithm,
        ),
        of("HS256 by nothing", &good.clone().hmac([]), Denied::Algorithm),
        of("PS256, signed so", &good.clone().algorithm("PS256"), Denied::Algorithm),
        of("ES256", &said("ES256"), Denied::Algorithm),
        of("EdDSA", &said("EdDSA"), Denied::Algorithm),
        of("critical", &good.clone().header("crit", json!(["exp"])), Denied::Critical),
        of(
            "critical, unencoded",
            &good.clone().header("crit", json!(["b64"])).header("b64", false),
            Denied::Critical,
        ),
        of("critical, but null", &good.clone().header("crit", json!(null)), Denied::Critical),
    ];
    refused(&world, rows).await;
}

#[tokio::test]
async fn claims_are_of_their_types_and_there_once() {
    let world = World::new();
    let good = world.channel();
    let claims = good.claims_json();
    let twice = format!("{{\"aud\":\"{APP}\",{}", &claims[1..]);
    let rows = vec![
        of("a time that is a text", &good.clone().claim("exp", "4102444800"), Denied::Claims),
        of(
            "an issuer that is a list",
            &good.clone().claim("iss", json!([good.claims_json()])),
            Denied::Claims,
        ),
        of("a version that is a number", &good.clone().claim("ver", 1.0), Denied::Claims),
        of("a service URL that is an object", &good.clone().claim("serviceurl", json!({})), Denied::Claims),
        of("an audience twice", &good.clone().raw_claims(twice), Denied::Claims),
    ];
    refused(&world, rows).await;
}

#[tokio::test]
async fn the_issuer_is_one_of_the_configured_to_the_character() {
    let world = World::new();
    let good = world.channel();
    let from = |iss: &str| (good.clone().claim("iss", iss), Denied::Issuer { found: shown(iss) });
    let mut rows = Vec::new();
    for (what, iss) in [
        ("somebody else", "https://login.example.com/"),
        ("with a slash", "https://api.botframework.com/"),
        ("another case", "https://API.botframework.com"),
        ("without its scheme", "api.botframework.com"),
        ("by http", "http://api.botframework.com"),
        ("the government's channels", "https://api.botframework.us"),
        ("ours with something behind", "https://api.botframework.com.example.com"),
        ("empty", ""),
    ] {
        let (token, mut denied) = from(iss);
        if iss.is_empty() {
            denied = Denied::Issuer { found: shown("none") };
        }
        rows.push(of(what, &token, denied));
    }
    // A tenant that the token names for itself is no tenant of ours, whatever `tid` says beside it.
    for (what, iss) in [
        ("another tenant, v1", format!("https://sts.windows.net/{OTHER_TENANT}/")),
        ("another tenant, v2", format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0")),
        ("all tenants", "https://login.microsoftonline.com/common/v2.0".to_owned()),
        ("our tenant without its slash", format!("https://sts.windows.net/{PUBLIC_TENANT}")),
        ("our tenant in the other cloud", format!("https://login.microsoftonline.us/{PUBLIC_TENANT}/v2.0")),
    ] {
        let token = world.emulator().claim("iss", iss.as_str()).claim("tid", OTHER_TENANT);
        rows.push(of(what, &token, Denied::Issuer { found: shown(&iss) }));
    }
    rows.push(of("none", &good.without_claim("iss"), Denied::Issuer { found: shown("none") }));
    refused(&world, rows).await;
    // And it is the same after all of them: nothing was added.
    let again = world.emulator().claim("iss", format!("https://sts.windows.net/{OTHER_TENANT}/"));
    assert!(world.judge(Some(again.bearer().as_bytes()), &said_on("emulator")).await.is_err());
}

#[tokio::test]
async fn the_key_is_one_of_that_issuers() {
    let world = World::new();
    let good = world.channel();
    let foreign = foreign_key();
    let forged = good.clone().signed_by(&foreign).header("kid", foreign.id());
    let canary = proact::testkit::IdentityProvider::start();
    let rows = vec![
        of("no key id", &good.clone().without_header("kid"), Denied::NoKeyId),
        of("an empty one", &good.clone().header("kid", ""), Denied::NoKeyId),
        of("an unknown one", &good.clone().header("kid", "key-9"), Denied::UnknownKey),
        of("a path for one", &good.clone().header("kid", "../../dev/null"), Denied::UnknownKey),
        of("a foreign key", &forged, Denied::UnknownKey),
        of(
            "a foreign key that is sent along",
            &forged.clone().header("jwk", foreign.jwk()),
            Denied::UnknownKey,
        ),
        of(
            "a foreign key to be fetched",
            &forged.clone().header("jku", format!("{}/v1/.well-known/keys", canary.origin())),
            Denied::UnknownKey,
        ),
        of(
            "a foreign certificate to be fetched",
            &forged.clone().header("x5u", canary.channel_metadata()),
            Denied::UnknownKey,
        ),
        of(
            "a key for encryption",
            &good.clone().header("kid", "encrypts").signed_by(&TestKey::numbered(1)),
            Denied::UnknownKey,
        ),
        of("a symmetric key", &good.clone().header("kid", "oct"), Denied::UnknownKey),
        of("an elliptic one", &good.clone().header("kid", "ec"), Denied::UnknownKey),
        of(
            "the built-in channel's key",
            &good.clone().header("kid", "own").signed_by(&super::world::own_key()),
            Denied::UnknownKey,
        ),
        on(
            "directline",
            "a cloud's key for the built-in channel",
            &world.direct_line().header("kid", "key-0").signed_by(&TestKey::numbered(0)),
            Denied::UnknownKey,
        ),
        of(
            "a key for another algorithm",
            &good.header("kid", "rs512").signed_by(&rs512_key()),
            Denied::KeyAlgorithm,
        ),
    ];
    refused(&world, rows).await;
    assert_eq!(canary.asked(), [], "what a token names is not fetched");
}

#[tokio::test]
async fn the_signature_is_that_keys_over_these_bytes() {
    let world = World::new();
    let good = world.channel();
    let [header, claims, signature] = parts(&good.sign());
    let [_, other_claims, other_signature] = parts(&good.clone().claim("aud", STRANGER).sign());
    let [other_header, ..] = parts(&good.clone().header("typ", "jwt").sign());
    let bytes = URL_SAFE_NO_PAD.decode(&signature).unwrap();
    let join = |header: &str, claims: &str, signature: &str| format!("Bearer {header}.{claims}.{signature}");
    let more = b64([bytes.as_slice(), &[0]].concat());
    let said_rs256 = good.clone().algorithm("RS512").raw_header(r#"{"alg":"RS256","kid":"key-0"}"#);
    let rows = vec![
        row("claims put in its place", join(&header, &other_claims, &signature), Denied::Signature),
        row("a header put in its place", join(&other_header, &claims, &signature), Denied::Signature),
        row("another token's signature", join(&header, &claims, &other_signature), Denied::Signature),
        row("a byte more", join(&header, &claims, &more), Denied::Signature),
        of("zeros", &good.clone().signature([0; 256]), Denied::Signature),
        of("one byte", &good.clone().signature([1]), Denied::Signature),
        of("another key under this id", &good.clone().signed_by(&foreign_key()), Denied::Signature),
        of("keys swapped, both listed", &good.clone().header("kid", "key-1"), Denied::Signature),
        of("RS512 that says RS256", &said_rs256, Denied::Signature),
    ];
    refused(&world, rows).await;
    // A compare that stops where the shorter one ends would take one of these.
    for length in 1..bytes.len() {
        let cut = good.clone().signature(&bytes[..length]).bearer();
        let judged = world.judge(Some(cut.as_bytes()), &said_on("msteams")).await;
        assert_eq!(judged, Err(Denied::Signature), "the first {length} bytes");
    }
}

#[tokio::test]
async fn the_times_hold_give_or_take_five_minutes() {
    let world = World::new();
    let (good, now) = (world.channel(), world.now());
    let ended = |at: i64| good.clone().claim("exp", at).without_claim("nbf");
    let rows = vec![
        of("no end", &good.clone().without_claim("exp"), Denied::NoExpiry),
        of("an end that is null", &good.clone().claim("exp", json!(null)), Denied::NoExpiry),
        of("ended five minutes ago", &ended(now - 300), Denied::Expired),
        of("ended a year ago", &ended(now - 31_536_000), Denied::Expired),
        of("ended in 1970", &ended(0), Denied::Expired),
        of("ended before time", &ended(i64::MIN), Denied::Expired),
        of("begins in more than five minutes", &good.clone().claim("nbf", now + 301), Denied::NotYetValid),
        of("never begins", &good.clone().claim("nbf", 1e300), Denied::NotYetValid),
    ];
    refused(&world, rows).await;
    for right in [
        ended(now - 299),
        good.clone().claim("nbf", now + 300),
        good.clone().without_claim("nbf"),
        good.clone().claim("exp", now as f64 + 0.5),
    ] {
        assert!(world.judge(Some(right.bearer().as_bytes()), &said_on("msteams")).await.is_ok(), "{right:?}");
    }
}

#[tokio::test]
async fn the_audience_is_the_bot_and_nobody_else() {
    let world = World::new();
    let for_whom = |token: &TestToken, aud: &str| token.clone().claim("aud", aud);
    let denied = |found: &str| Denied::Audience { found: shown(found) };
    let good = world.channel();
    let channel_audience = Cloud::Public.channel_issuer();
    let rows = vec![
        of("nobody", &good.clone().without_claim("aud"), denied("none")),
        of("an empty one", &for_whom(&good, ""), denied("none")),
        of("another app", &for_whom(&good, STRANGER), denied(STRANGER)),
        of("ours in capitals", &for_whom(&good, &APP.to_uppercase()), denied(&APP.to_uppercase())),
        of("ours as a URI", &for_whom(&good, &format!("api://{APP}")), denied(&format!("api://{APP}"))),
        of("ours among others", &good.clone().claim("aud", json!([APP, STRANGER])), denied("not one text")),
        of("ours in a list", &good.clone().claim("aud", json!([APP])), denied("not one text")),
        of(
            "our own token for channels, sent back",
            &for_whom(&world.emulator(), channel_audience),
            denied(channel_audience),
        ),
        of("the Emulator's, for another app", &for_whom(&world.emulator(), STRANGER), denied(STRANGER)),
        of("a skill's caller's, for another app", &for_whom(&world.skill(), STRANGER), denied(STRANGER)),
        of(
            "a cloud's, for the built-in channel's bot",
            &for_whom(&good, DIRECT_LINE_AUDIENCE),
            denied(DIRECT_LINE_AUDIENCE),
        ),
        on(
            "directline",
            "the built-in channel's, for the app id",
            &for_whom(&world.direct_line(), APP),
            denied(APP),
        ),
    ];
    refused(&world, rows).await;
}

#[tokio::test]
async fn the_app_is_named_by_the_tokens_version_and_is_an_app() {
    let world = World::new();
    let (v1, v2) = (world.emulator(), world.skill());
    let rows = vec![
        of("a version of its own", &v1.clone().claim("ver", "3.0"), Denied::Version),
        of("an empty version", &v1.clone().claim("ver", ""), Denied::Version),
        of(
            "1.0 that names it as 2.0 does",
            &v1.clone().without_claim("appid").claim("azp", APP),
            Denied::NoAppId,
        ),
        of(
            "2.0 that names it as 1.0 does",
            &v2.clone().without_claim("azp").claim("appid", CALLER),
            Denied::NoAppId,
        ),
        of("an empty app id", &v1.clone().claim("appid", ""), Denied::NoAppId),
        of("an ID token of a person", &v2.clone().without_claim("azp").claim("nonce", "n"), Denied::NoAppId),
        of(
            "a person's, by the bot's own app",
            &v1.clone().claim("scp", "user_impersonation"),
            Denied::Delegated,
        ),
        of("a person's, by a skill's caller", &v2.clone().claim("scp", "access_as_user"), Denied::Delegated),
        of(
            "a stranger",
            &v2.clone().claim("azp", STRANGER),
            Denied::SkillNotListed { app_id: shown(STRANGER) },
        ),
        of(
            "a listed one in capitals",
            &v2.claim("azp", CALLER.to_uppercase()),
            Denied::SkillNotListed { app_id: shown(&CALLER.to_uppercase()) },
        ),
    ];
    refused(&world, rows).await;
}

#[tokio::test]
async fn the_token_speaks_for_this_activity() {
    let world = World::new();
    let good = world.channel();
    let for_url = |url: &str| good.clone().claim("serviceurl", url);
    let endorsed = good.clone().header("kid", "endorsed").signed_by(&endorsed_key());
    let skill_by_channel =
        good.clone().without_claim("serviceurl").claim("ver", "1.0").claim("appid", CALLER);
    let rows = vec![
        of("no service URL", &good.clone().without_claim("serviceurl"), Denied::NoServiceUrl),
        of("one that is null", &good.clone().claim("serviceurl", json!(null)), Denied::NoServiceUrl),
        // Which rules hold is the issuer's matter: a channel's token with a skill's claims is a channel's (CVE-2021-1725).
        of("a channel's, with the claims of a skill's caller", &skill_by_channel, Denied::NoServiceUrl),
        of(
            "its claim under another name",
            &good.clone().without_claim("serviceurl").claim("serviceUrl", SERVICE_URL),
            Denied::NoServiceUrl,
        ),
        of("without the slash", &for_url(SERVICE_URL.trim_end_matches('/')), Denied::ServiceUrl),
        of("another case", &for_url(&SERVICE_URL.to_uppercase()), Denied::ServiceUrl),
        of("another host", &for_url("https://smba.example.com/teams/"), Denied::ServiceUrl),
        of("its beginning", &for_url("https://smba.trafficmanager.net/"), Denied::ServiceUrl),
        of("an empty one", &for_url(""), Denied::ServiceUrl),
        on("msteams", "a key of other channels", &endorsed, Denied::Endorsement),
        on("WebChat", "its channel in another case", &endorsed, Denied::Endorsement),
        on("", "no channel", &endorsed, Denied::Endorsement),
        on("msteams", "the built-in channel for another", &world.direct_line(), Denied::Endorsement),
        on(
            "directline",
            "the built-in channel without a service URL",
            &world.direct_line().without_claim("serviceurl"),
            Denied::NoServiceUrl,
        ),
    ];
    refused(&world, rows).await;
}

#[tokio::test]
async fn what_is_not_configured_is_off() {
    let world = World::new();
    let judged = async |authenticator: &Authenticator, token: &TestToken| {
        judge(authenticator, Some(token.bearer().as_bytes()), &said_on("msteams"))
            .await
            .map(|caller| caller.kind)
    };
    let build = |change: fn(proact::auth::AuthenticatorBuilder) -> proact::auth::AuthenticatorBuilder| {
        change(builder(&world.provider, &world.clock)).build(&guard()).unwrap()
    };
    // Neither the Emulator nor skills: the login service is nobody, and its keys are not even fetched.
    let usual = build(|builder| builder);
    let nobody = Denied::Issuer { found: shown(&format!("https://sts.windows.net/{PUBLIC_TENANT}/")) };
    assert_eq!(judged(&usual, &world.channel()).await, Ok(CallerKind::Channel));
    assert_eq!(judged(&usual, &world.emulator()).await, Err(nobody));
    assert_eq!(world.provider.count("/discovery/v2.0/keys"), 0);

    let emulator = build(|builder| builder.emulator(true));
    assert_eq!(judged(&emulator, &world.emulator()).await, Ok(CallerKind::Emulator));
    // The crafted claim of CVE-2021-1725: a bot that is nobody's skill.
    assert_eq!(judged(&emulator, &world.skill()).await, Err(Denied::SkillsOff));

    let skill = build(|builder| builder.skills([CALLER]).channels(false));
    assert_eq!(judged(&skill, &world.skill()).await, Ok(CallerKind::Skill));
    assert_eq!(judged(&skill, &world.emulator()).await, Err(Denied::EmulatorOff));
    let channels = Denied::Issuer { found: shown("https://api.botframework.com") };
    assert_eq!(judged(&skill, &world.channel()).await, Err(channels));
}

#[tokio::test]
async fn each_kind_of_caller_is_let_in_as_what_it_is() {
    let world = World::new();
    let azure = Some("urn:botframework:azure");
    let own = format!("urn:botframework:aadappid:{APP}");
    let parent = format!("urn:botframework:aadappid:{CALLER}");
    let good = world.channel();
    let endorsed = good.clone().header("kid", "endorsed").signed_by(&endorsed_key());
    let other_tenant = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
    let by = |token: TestToken, kind, caller_id: Option<&str>, verified| {
        (token, kind, caller_id.map(str::to_owned), verified)
    };
    let rows = vec![
        ("msteams", by(good.clone(), CallerKind::Channel, azure, true)),
        ("msteams", by(good.clone().algorithm("RS384"), CallerKind::Channel, azure, true)),
        ("msteams", by(good.clone().algorithm("RS512"), CallerKind::Channel, azure, true)),
        (
            "msteams",
            by(good.clone().claim("more", json!({"than": ["is", "read"]})), CallerKind::Channel, azure, true),
        ),
        ("webchat", by(endorsed.clone(), CallerKind::Channel, azure, true)),
        ("directline", by(endorsed, CallerKind::Channel, azure, true)),
        (
            "msteams",
            by(
                good.clone().algorithm("RS512").header("kid", "rs512").signed_by(&rs512_key()),
                CallerKind::Channel,
                azure,
                true,
            ),
        ),
        ("emulator", by(world.emulator(), CallerKind::Emulator, Some(&own), false)),
        ("emulator", by(world.emulator().without_claim("ver"), CallerKind::Emulator, Some(&own), false)),
        (
            "emulator",
            by(world.provider.app_token_v2(PUBLIC_TENANT, APP, APP), CallerKind::Emulator, Some(&own), false),
        ),
        (
            "emulator",
            by(world.provider.app_token(other_tenant, APP, APP), CallerKind::Emulator, Some(&own), false),
        ),
        ("msteams", by(world.skill(), CallerKind::Skill, Some(&parent), false)),
        (
            "msteams",
            by(world.provider.app_token(PUBLIC_TENANT, CALLER, APP), CallerKind::Skill, Some(&parent), false),
        ),
        ("directline", by(world.direct_line(), CallerKind::DirectLine, None, true)),
    ];
    for (channel, (token, kind, caller_id, verified)) in rows {
        let caller = world.judge(Some(token.bearer().as_bytes()), &said_on(channel)).await;
        let caller = caller.unwrap_or_else(|denied| panic!("{channel}: {denied} ({token:?})"));
        assert_eq!((caller.kind, &caller.caller_id), (kind, &caller_id));
        assert_eq!(caller.service_url_verified, verified);
        let app_id = caller_id.as_deref().and_then(|id| id.strip_prefix("urn:botframework:aadappid:"));
        assert_eq!(caller.app_id.as_deref(), app_id);
    }
    // As large as is looked at.
    let fill = MAX_HEADER - good.clone().claim("padding", "").bearer().len();
    let full = good.claim("padding", "x".repeat(fill * 3 / 4)).bearer();
    assert!((MAX_HEADER - 8..=MAX_HEADER).contains(&full.len()), "{}", full.len());
    assert!(world.judge(Some(full.as_bytes()), &said_on("msteams")).await.is_ok());
}

#[tokio::test]
async fn a_tenant_of_its_own_and_the_other_cloud_have_their_own_issuers() {
    let world = World::new();
    let tenant = "55555555-eeee-4eee-8eee-555555555555";
    let build = |credentials: Credentials| {
        Authenticator::builder(&credentials)
            .channel_metadata(world.provider.channel_metadata())
            .login_metadata(world.provider.login_metadata(tenant))
            .clock(std::sync::Arc::new(world.clock.clone()))
            .emulator(true)
            .build(&guard())
            .unwrap()
    };
    let judged = async |authenticator: &Authenticator, token: TestToken| -> Result<Caller, Denied> {
        judge(authenticator, Some(token.bearer().as_bytes()), &said_on("msteams")).await
    };
    let single = build(Credentials::new(APP, "a secret").in_tenant(tenant));
    let from = |tenant: &str| world.provider.app_token(tenant, APP, APP);
    assert_eq!(judged(&single, from(tenant)).await.unwrap().kind, CallerKind::Emulator);
    let multi = format!("https://sts.windows.net/{PUBLIC_TENANT}/");
    assert_eq!(judged(&single, from(PUBLIC_TENANT)).await, Err(Denied::Issuer { found: shown(&multi) }));

    let government = build(Credentials::new(APP, "a secret").in_cloud(Cloud::Government));
    let channel = |issuer: &str| world.channel().claim("iss", issuer);
    let caller = judged(&government, channel("https://api.botframework.us")).await.unwrap();
    assert_eq!(caller.caller_id.as_deref(), Some("urn:botframework:azureusgov"));
    let public = "https://api.botframework.com";
    assert_eq!(judged(&government, channel(public)).await, Err(Denied::Issuer { found: shown(public) }));
    let gov_tenant = "cab8a31a-1906-4287-a0d8-4eef66b95f6e";
    let v2 = from(gov_tenant)
        .claim("iss", format!("https://login.microsoftonline.us/{gov_tenant}/v2.0"))
        .claim("ver", "2.0")
        .claim("azp", APP);
    assert_eq!(judged(&government, v2).await.unwrap().kind, CallerKind::Emulator);
}
