//! The page and its files, out of the program itself.
//!
//! `index.html` carries a nonce that is new in every answer, so it is never stored. The other files keep their names when they
//! change: they are asked for each time, with their hash as ETag, and mostly answered 304. Scripts come from here alone (`csp.txt`).

use std::borrow::Cow;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};

use super::problem::Problem;

/// The built page.
#[derive(Embed)]
#[folder = "../../web/dist"]
struct Files;

/// The page's policy; `{nonce}` stands for the nonce of the answer.
const POLICY: &str = include_str!("../../../../web/csp.txt");
/// What stands in `index.html` for the nonce.
const NONCE: &str = "__CSP_NONCE__";
/// What stands there for whether somebody has signed in.
const SIGNED_IN: &str = "__SIGNED_IN__";
const INDEX: &str = "index.html";

/// Whether this is the page itself, by either of its names.
pub(super) fn is_index(uri: &Uri) -> bool {
    name(uri) == INDEX
}

fn name(uri: &Uri) -> &str {
    match uri.path() {
        "/" => INDEX,
        path => path.trim_start_matches('/'),
    }
}

/// Answers with a file of the page; everything else is no route. `signed_in`: who asks is here by a session, which they can end.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap, signed_in: bool) -> Response {
    let name = name(&uri);
    let Some(file) = Files::get(name) else { return Problem::no_such_route(uri.path()).into_response() };
    if !matches!(method, Method::GET | Method::HEAD) {
        let mut response = Problem::no_such_method().into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        return response;
    }
    if name == INDEX { index(&file, signed_in) } else { other(name, file, &headers) }
}

fn index(file: &EmbeddedFile, signed_in: bool) -> Response {
    let Ok(nonce) = nonce() else { return Problem::internal(&"there are no random bytes").into_response() };
    let text = String::from_utf8_lossy(&file.data).replace(NONCE, &nonce);
    let text = text.replace(SIGNED_IN, if signed_in { "yes" } else { "no" });
    let policy = POLICY.trim().replace("{nonce}", &nonce);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, &policy),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (headers, text).into_response()
}

/// 128 random bits, in characters that HTML and the policy both take.
fn nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn other(name: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let tag: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let headers = [
        (header::CONTENT_TYPE, kind(name)),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, &tag),
    ];
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| {
        known == "*" || known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
    }) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let body = match file.data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    };
    (headers, Body::from(body)).into_response()
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("html") => "text/html; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_page_is_in_the_program_and_has_a_place_for_the_nonce() {
        let index = Files::get(INDEX).unwrap();
        assert!(String::from_utf8_lossy(&index.data).contains(NONCE));
        assert!(POLICY.contains("{nonce}") && !POLICY.trim().contains('\n'));
        assert_ne!(nonce().unwrap(), nonce().unwrap());
        for name in Files::iter() {
            assert_ne!(kind(&name), "application/octet-stream", "{name} needs a content type");
        }
    }
}
