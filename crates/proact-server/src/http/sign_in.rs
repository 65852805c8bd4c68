//! `/sign-in` and `/sign-out`: a form without a script, and the cookie that it gives.
//!
//! A form posts what no JSON is, so these two routes are let through the gate with it; they take a form from a page of this very server
//! only, which its Origin says.

use std::{io, net::IpAddr};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::Scheme},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use proact::app::ClientAddress;

use super::{Api, problem::Problem};
use crate::sign_in::{LIFETIME_SECONDS, SignIn, Tried};

/// Where the form is.
pub(super) const PATH: &str = "/sign-in";

const HTML: &str = include_str!("../../../../web/sign-in/sign-in.html");
const CSS: &str = concat!(
    include_str!("../../../../web/src/styles/colours.css"),
    include_str!("../../../../web/sign-in/sign-in.css")
);
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What stands where the form is.
enum Form {
    Empty,
    Refused(&'static str),
    SignedIn,
}

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route(PATH, get(show).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/sign-in.css", get(style))
}

/// Whether the headers carry a session that is good.
pub(super) fn is_signed_in(sign_in: &SignIn, headers: &HeaderMap) -> bool {
    shown(sign_in, headers).any(|value| sign_in.is_session(value))
}

/// What names the session that the headers carry in what it opens.
pub(super) fn session_named(sign_in: &SignIn, headers: &HeaderMap) -> Option<String> {
    shown(sign_in, headers).find_map(|value| sign_in.named(value))
}

/// What the headers show as sessions.
fn shown<'h>(sign_in: &'h SignIn, headers: &'h HeaderMap) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.filter(|(name, _)| sign_in.cookie().is_called(name)).map(|(_, value)| value)
}

/// The way to the form.
pub(super) fn to_the_form() -> Response {
    see_other(PATH)
}

/// Where to after the sign-in: what `next` says, if it is a place of this very server; else the page.
fn next(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let next = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    // As a browser reads it: what looks like a path can be another host (`//`, `/\\`).
    let here = url::Url::parse("http://here.invalid/").expect("a URL");
    let there =
        next.and_then(|(_, next)| here.join(&next).ok()).filter(|there| there.origin() == here.origin());
    there.map_or_else(|| "/".to_owned(), |there| there[url::Position::BeforePath..].to_owned())
}

async fn show(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Response {
    let next = next(&uri);
    match &api.access.sign_in {
        Some(sign_in) if is_signed_in(sign_in, &headers) => form(StatusCode::OK, &Form::SignedIn, &next),
        Some(_) => form(StatusCode::OK, &Form::Empty, &next),
        None => see_other(&next),
    }
}

async fn sign_in(
    State(api): State<Api>,
    address: Option<Extension<ClientAddress>>,
    scheme: Option<Extension<Scheme>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let next = next(&uri);
    if let Err(problem) = from_our_page(&headers) {
        return problem.into_response();
    }
    let Some(sign_in) = &api.access.sign_in else { return see_other(&next) };
    let address = address.map(|Extension(ClientAddress(address))| address);
    let shown = url::form_urlencoded::parse(&body).find(|(name, _)| name == "key");
    let shown = shown.map(|(_, value)| value.trim().to_owned()).unwrap_or_default();
    match sign_in.try_key(address, &shown) {
        Tried::In(session) => {
            let cookie = sign_in.cookie().set(is_secure(scheme), &session, LIFETIME_SECONDS);
            ([(header::SET_COOKIE, cookie)], see_other(&next)).into_response()
        }
        Tried::Wrong => {
            warn(address, "a wrong key was shown to the page");
            form(StatusCode::FORBIDDEN, &Form::Refused("That is not the key. Try again."), &next)
        }
        Tried::TooOften => {
            warn(
                address,
                "wrong keys were shown to the page so often that more are not looked at for a minute",
            );
            let mut answer = form(
                StatusCode::TOO_MANY_REQUESTS,
                &Form::Refused("Too many wrong keys came from this address. Wait a minute, then try again."),
                &next,
            );
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            answer
        }
    }
}

async fn sign_out(State(api): State<Api>, scheme: Option<Extension<Scheme>>, headers: HeaderMap) -> Response {
    if let Err(problem) = from_our_page(&headers) {
        return problem.into_response();
    }
    let Some(sign_in) = api.access.sign_in.clone() else { return to_the_form() };
    let gone = sign_in.cookie().set(is_secure(scheme), "", 0);
    // It waits for the disk. Each is tried, whatever becomes of the others.
    let ended = tokio::task::spawn_blocking(move || {
        let all: Vec<_> = shown(&sign_in, &headers).map(|value| sign_in.end(value)).collect();
        all.into_iter().collect::<io::Result<()>>()
    });
    match ended.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(()) => ([(header::SET_COOKIE, gone)], to_the_form()).into_response(),
        // The cookie stays, so that it can be tried again.
        Err(error) => {
            tracing::error!(%error, "the end of a session of the page cannot be written");
            let detail = "until the server stops the session is over; make room on its disk and sign out again, or end all with `proact rotate page`";
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "The end of the session cannot be written",
                detail,
            )
            .into_response()
        }
    }
}

async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, CSS).into_response()
}

/// The gate has held the Origin against the Host; here there must be one, as of every form that a browser posts.
fn from_our_page(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    let detail = "only the page signs in here: programs use a key of the API (`proact keys create`)";
    Err(Problem::new(StatusCode::FORBIDDEN, "origin-required", "An Origin is required", detail))
}

fn is_secure(scheme: Option<Extension<Scheme>>) -> bool {
    scheme.is_some_and(|Extension(scheme)| scheme == Scheme::HTTPS)
}

fn see_other(place: &str) -> Response {
    // What a URL is made of can stand in a header.
    (StatusCode::SEE_OTHER, [(header::LOCATION, place.to_owned())]).into_response()
}

fn form(status: StatusCode, form: &Form, next: &str) -> Response {
    let query: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    let shown = match form {
        Form::SignedIn => "<form method=\"post\" action=\"/sign-out\"><p><a href=\"/\">You are signed in: to the page</a></p>\
            <button>Sign out</button></form>"
            .to_owned(),
        Form::Empty | Form::Refused(_) => {
            let refused = match form {
                Form::Refused(why) => format!("<p class=\"refused\" role=\"alert\">{why}</p>"),
                _ => String::new(),
            };
            format!(
                "{refused}<form method=\"post\" action=\"{PATH}?{query}\"><label for=\"key\">Key of this server</label>\
                 <input id=\"key\" name=\"key\" type=\"password\" autocomplete=\"current-password\" required autofocus>\
                 <button>Sign in</button><p>It is in the file <code>page.key</code> of the data folder, or what \
                 <code>page.key</code> is set to in the configuration.</p></form>"
            )
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        // Without it a browser would not say that the form is ours.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, HTML.replace("__FORM__", &shown)).into_response()
}

fn warn(address: Option<IpAddr>, what: &str) {
    let address = address.map_or_else(|| "this machine".to_owned(), |address| address.to_string());
    tracing::warn!(%address, "{what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_to_this_server_alone() {
        let of = |query: &str| next(&format!("/sign-in{query}").parse().unwrap());
        for (query, place) in [
            ("", "/"),
            ("?next=", "/"),
            ("?next=%2Fv1%2Fjobs%3Flimit%3D1%23x", "/v1/jobs?limit=1#x"),
            ("?next=%2Fgr%C3%BC%C3%9Fe", "/gr%C3%BC%C3%9Fe"),
            ("?next=%2F%22%3E%3Cscript%3E", "/%22%3E%3Cscript%3E"),
            ("?next=https%3A%2F%2Fevil.example%2F", "/"),
            ("?next=%2F%2Fevil.example%2F", "/"),
            ("?next=%2F%5Cevil.example%2F", "/"),
            ("?next=%09%2F%2Fevil.example", "/"),
            ("?next=javascript%3Aalert(1)", "/"),
            ("?next=%2F%0D%0ASet-Cookie%3A%20a%3Db", "/Set-Cookie:%20a=b"),
        ] {
            assert_eq!(of(query), place, "{query}");
        }
    }

    #[test]
    fn the_form_has_no_script_and_may_go_nowhere_else() {
        let answer = form(StatusCode::OK, &Form::Empty, "/");
        assert!(!HTML.contains("<script") && HTML.contains("__FORM__"));
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"));
    }
}
