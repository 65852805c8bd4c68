//! The server's parsers of what comes from outside, each as a function of any bytes, as in `proact::fuzzing`.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proact::fuzzing::Target;
use sha2::Sha256;

use crate::{
    config::{Config, Sources},
    http,
};

/// All of them by the names of their corpora.
pub const TARGETS: &[(&str, Target)] = &[
    ("config", config),
    ("new_notification", new_notification),
    ("signature", signature),
    ("cloud_events", cloud_events),
];

/// A configuration file: it is read, or refused by an error that fits on one line.
///
/// # Panics
/// When it is neither, or no file can be written for it.
pub fn config(bytes: &[u8]) {
    let name = format!("proact-fuzz-{}-{:?}.toml", std::process::id(), std::thread::current().id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, bytes).expect("a file to be read");
    let read = Config::load(Sources { file: Some(file.clone()), ..Sources::default() });
    std::fs::remove_file(file).expect("the file that was written");
    if let Err(error) = read {
        assert!(!error.to_string().is_empty());
    }
}

/// A signed delivery: a line each for the three headers, then the body. In the signature's line, `SIGN` stands for the good one.
///
/// # Panics
/// When a delivery is believed without its whole signature, or not believed with it.
pub fn signature(bytes: &[u8]) {
    const SECRET: [u8; 32] = [7; 32];
    let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let (id, at, given, body) = (next(), next(), String::from_utf8_lossy(next()), next());
    let mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("a key of any length");
    let mac = mac.chain_update(id).chain_update(b".").chain_update(at).chain_update(b".").chain_update(body);
    let good = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    let given = given.replace("SIGN", &good);
    let secrets = [http::SigningSecret::Shared(SECRET.to_vec())];
    let believed = http::events_fuzzing::signature(id, at, given.as_bytes(), body, &secrets);
    assert!(!believed || given.split(' ').any(|one| one == good), "believed: {given}");
    let now = at == b"1800000000" && (1..=255).contains(&id.len());
    if now && given == good && id.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'.') {
        assert!(believed, "not believed: {given}");
    }
}

/// CloudEvents in each mode: headers, a line each, an empty line, and the body. They are read, or refused with a problem.
pub fn cloud_events(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&line[colon + 1..])) {
            headers.append(name, value);
        }
    }
    http::events_fuzzing::cloud_events(&headers, rest);
}

/// The body of `POST /v1/notifications`: it is read, or refused with a problem.
pub fn new_notification(bytes: &[u8]) {
    http::read_new_notification(bytes);
}
