//! Who asks, and what they may do: the one place that decides it for `/v1` and `/metrics`.
//!
//! 1. *Who?* `Authorization: Bearer <key>` is a key of the API, or the key that the command line reads from the data folder; a cookie is the
//!    page's session ([`sign_in`](super::sign_in)), of who may do everything. What is presented and not good is refused, also where nothing need be presented. Without the header the request comes from this machine: it
//!    may do everything while no keys are required, and nothing once they are.
//! 2. *May they do this?* [`ROUTES`] says for each route which verb it takes, what it is about, and whether anything may stand in its query.
//!    It is a closed world: a route that is not in it is for who may do everything.
//! 3. *To this one?* The handlers ask the [`Right`] for each thing that they read. What a key does not reach is answered as if it were not
//!    there; lists, the feed and batches leave it out or refuse it item by item.
//!
//! A worker's token is neither: it opens its own job's routes only ([`jobs`](super::jobs)), with a key required or not. And what a sender has
//! signed is looked at by the route of [`events`](super::events), which has the body.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use proact::{
    activity::ConversationKey,
    keys::{ApiKey, Grant, Keys, Verb},
    proactive::{Job, Notification, Proactive, Reach},
};

use super::{
    Api,
    events::is_signed,
    problem::Problem,
    query::Query,
    sign_in::{is_signed_in, session_named},
};
use crate::{server::LocalKey, sign_in::SignIn};

/// What a route is about: what a key must reach to use it at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Jobs, and the notifications that tell of them.
    Jobs,
    /// Conversations, and what is said there: not for keys that are limited to kinds of jobs.
    Conversations,
    /// Everything at once: not for keys that are limited at all.
    Everything,
}

/// What a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// A key with this verb.
    Key(Verb, About),
    /// The same, or the token of the job.
    KeyOrWorker(Verb),
    /// The same, or the signature of a sender that the configuration names.
    KeyOrSignature(Verb),
    /// Whoever may do everything: no key does.
    Operator,
}

/// What may stand in a route's query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InQuery {
    /// Nothing: a parameter that is given must not be as if it had not been said, so it is refused before the handler.
    Nothing,
    /// What the handler reads, which refuses what it does not know itself.
    Parameters,
}

use About::{Conversations, Everything, Jobs};
use InQuery::{Nothing, Parameters};
use Need::{Key, KeyOrSignature, KeyOrWorker, Operator};
use Verb::{Complete, Control, Manage, Notify, Read};

/// Every route, and what it takes. `docs/http-api.md` shows the same; a test holds them together.
pub(super) const ROUTES: &[(&str, &str, Need, InQuery)] = &[
    ("GET", "/v1/jobs", Key(Read, Jobs), Parameters),
    ("POST", "/v1/jobs", Key(Notify, Conversations), Nothing),
    ("GET", "/v1/jobs/{number}", Key(Read, Jobs), Nothing),
    ("POST", "/v1/jobs/{number}/complete", KeyOrWorker(Complete), Nothing),
    ("POST", "/v1/jobs/{number}/fail", KeyOrWorker(Complete), Nothing),
    ("POST", "/v1/jobs/{number}/progress", KeyOrWorker(Complete), Nothing),
    ("POST", "/v1/jobs/{number}/heartbeat", KeyOrWorker(Complete), Nothing),
    // Not for workers, whose token is refused there in the words of the other routes.
    ("POST", "/v1/jobs/{number}/cancel", KeyOrWorker(Control), Nothing),
    ("GET", "/v1/notifications", Key(Read, Jobs), Parameters),
    ("POST", "/v1/notifications", Key(Notify, Conversations), Nothing),
    ("POST", "/v1/notifications/batch", Key(Notify, Conversations), Nothing),
    ("GET", "/v1/notifications/{id}", Key(Read, Jobs), Nothing),
    ("POST", "/v1/notifications/{id}/cancel", Key(Control, Jobs), Nothing),
    ("POST", "/v1/notifications/{id}/reschedule", Key(Control, Jobs), Nothing),
    ("POST", "/v1/notifications/{id}/replay", Key(Control, Jobs), Nothing),
    ("GET", "/v1/pauses", Key(Read, Conversations), Parameters),
    ("PUT", "/v1/pauses/all", Key(Control, Everything), Nothing),
    ("DELETE", "/v1/pauses/all", Key(Control, Everything), Nothing),
    ("PUT", "/v1/pauses/channel/{channel}", Key(Control, Conversations), Nothing),
    ("DELETE", "/v1/pauses/channel/{channel}", Key(Control, Conversations), Nothing),
    ("PUT", "/v1/pauses/conversation/{channel}/{conversation}", Key(Control, Conversations), Nothing),
    ("DELETE", "/v1/pauses/conversation/{channel}/{conversation}", Key(Control, Conversations), Nothing),
    ("GET", "/v1/conversations", Key(Read, Conversations), Parameters),
    ("GET", "/v1/conversations/{channel}/{conversation}", Key(Read, Conversations), Nothing),
    ("GET", "/v1/templates", Key(Read, Everything), Parameters),
    ("GET", "/v1/templates/{name}", Key(Read, Everything), Nothing),
    ("PUT", "/v1/templates/{name}", Key(Manage, Everything), Nothing),
    ("DELETE", "/v1/templates/{name}", Key(Manage, Everything), Nothing),
    ("GET", "/v1/status", Key(Read, Everything), Nothing),
    ("GET", "/v1/changes", Key(Read, Jobs), Nothing),
    ("GET", "/v1/hold", Key(Read, Everything), Parameters),
    ("POST", "/v1/hold/release", Key(Manage, Everything), Nothing),
    ("GET", "/metrics", Key(Read, Everything), Nothing),
    ("POST", "/v1/events", KeyOrSignature(Complete), Parameters),
    ("GET", "/v1/keys", Operator, Parameters),
    ("POST", "/v1/keys", Operator, Nothing),
    ("DELETE", "/v1/keys/{id}", Operator, Nothing),
];

/// What decides who asks.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) keys: Keys,
    pub(crate) local: LocalKey,
    /// Whether who presents nothing may do nothing.
    pub(crate) required: bool,
    /// Where the page's people sign in; who has may do everything.
    pub(crate) sign_in: Option<Arc<SignIn>>,
}

/// What the one who asks may do. Handlers take it as an argument.
#[derive(Debug, Clone)]
pub(crate) enum Right {
    /// Everything.
    Operator,
    /// What a key permits.
    Key(Grant),
    /// Nothing but what a worker's token opens, which the routes of jobs look at.
    Worker,
    /// Nothing but what a sender's signature opens, which the route of events looks at.
    Signed,
}

impl Access {
    /// Who asks. `worker`: whether the route takes workers' tokens.
    pub(super) fn who(&self, headers: &HeaderMap, worker: bool) -> Result<Right, Problem> {
        let Some(presented) = presented(headers) else {
            return match &self.sign_in {
                Some(sign_in) if is_signed_in(sign_in, headers) => Ok(Right::Operator),
                Some(_) if is_of_a_page(headers) => Err(sign_in_required()),
                None if !self.required => Ok(Right::Operator),
                _ => Err(key_required()),
            };
        };
        match presented {
            Some(key) if ApiKey::looks_like(key) => {
                self.keys.check(key).map(Right::Key).ok_or_else(key_not_valid)
            }
            Some(key) if LocalKey::looks_like(key) => {
                if self.local.is(key) {
                    Ok(Right::Operator)
                } else {
                    Err(key_not_valid())
                }
            }
            _ if worker => Ok(Right::Worker),
            _ => Err(key_not_valid()),
        }
    }
}

impl Access {
    /// What names the page's session in what it opens, if that is what gives the right to.
    pub(super) fn session_named(&self, headers: &HeaderMap) -> Option<String> {
        let sign_in = self.sign_in.as_ref().filter(|_| presented(headers).is_none())?;
        session_named(sign_in, headers)
    }

    /// Whether the page is to be asked for a sign-in first.
    pub(super) fn asks_to_sign_in(&self, headers: &HeaderMap) -> bool {
        self.sign_in.as_ref().is_some_and(|sign_in| !is_signed_in(sign_in, headers))
    }
}

/// What somebody has presented to open what lives on: a stream.
///
/// It is asked about again ([`ASKED_EVERY`](proact::keys::ASKED_EVERY)) for as long as that lives, as if it were presented anew. So a stream ends with the key or the session that opened it, whether
/// that expires, is revoked or ended, or the key of all sessions is another one.
#[derive(Debug, Clone)]
pub(super) struct Presented {
    /// The headers that say who asks, and none else.
    headers: HeaderMap,
    need: Need,
}

impl Presented {
    /// What these headers present, for a route that takes keys of this verb.
    pub(super) fn of(headers: &HeaderMap, verb: Verb, about: About) -> Self {
        let mut kept = HeaderMap::new();
        for name in [header::AUTHORIZATION, header::COOKIE] {
            for value in headers.get_all(&name) {
                kept.append(&name, value.clone());
            }
        }
        Self { headers: kept, need: Key(verb, about) }
    }

    /// Whether it would still open what it has opened.
    pub(super) fn holds(&self, access: &Access) -> bool {
        access.who(&self.headers, false).and_then(|right| right.meets(self.need)).is_ok()
    }
}

/// The bearer's token; inside, `None` when the header is there and no bearer's, and outside when it is not there.
fn presented(headers: &HeaderMap) -> Option<Option<&str>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return Some(None);
    }
    let token = first.to_str().ok().and_then(|text| text.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Some(token.map(|(_, token)| token.trim()).filter(|token| !token.is_empty()))
}

/// Stands in front of every route of `/v1`.
pub(super) async fn check(
    State(api): State<Api>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let (need, query) = asked(request.method(), path.as_str());
    let worker = matches!(need, KeyOrWorker(_));
    let headers = request.headers();
    // A key that is presented decides; the signature then does not count.
    let signed = matches!(need, KeyOrSignature(_)) && is_signed(headers) && presented(headers).is_none();
    let who = if signed { Ok(Right::Signed) } else { api.access.who(headers, worker) };
    let right = who.and_then(|right| right.meets(need)).and_then(|right| {
        if query == Nothing {
            Query::of(request.uri()).end()?;
        }
        Ok(right)
    });
    match right {
        Ok(right) => {
            request.extensions_mut().insert(right);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// What a method of a path takes, and what may stand in its query. Where there is no such method, the router says so, whatever the query.
fn asked(method: &Method, path: &str) -> (Need, InQuery) {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let found = ROUTES.iter().find(|(verb, route, ..)| *verb == method && *route == path);
    found.map_or((Operator, Parameters), |(_, _, need, query)| (*need, *query))
}

impl Right {
    fn meets(self, need: Need) -> Result<Self, Problem> {
        let Self::Key(grant) = &self else { return Ok(self) };
        let (verb, about) = match need {
            Key(verb, about) => (verb, about),
            KeyOrWorker(verb) | KeyOrSignature(verb) => (verb, Jobs),
            Operator => {
                return Err(not_permitted(
                    "no key permits this: use the command line on the server's machine",
                ));
            }
        };
        if !grant.permits(verb) {
            return Err(not_permitted(format!("this key does not permit `{verb}`: use one that does"))
                .with("verb", verb.as_str()));
        }
        let reach = &grant.scope.reach;
        let within = match about {
            Jobs => true,
            Conversations => reach.kinds.is_none(),
            Everything => reach.is_everything(),
        };
        if within {
            Ok(self)
        } else {
            Err(not_permitted(
                "this is about more than what the key is limited to: use one with fewer limits",
            ))
        }
    }

    /// For what no key permits. The table says the same; this holds where it does not stand in front.
    pub(super) fn is_operator(&self) -> Result<(), Problem> {
        match self {
            Self::Operator => Ok(()),
            _ => Err(not_permitted("no key permits this: use the command line on the server's machine")),
        }
    }

    /// How far it reaches; lists ask for what lies within.
    pub(super) fn reach(&self) -> Reach {
        match self {
            Self::Operator => Reach::everything(),
            Self::Key(grant) => grant.scope.reach.clone(),
            Self::Worker | Self::Signed => nothing(),
        }
    }

    /// Whether it reaches this job. One that it does not reach is to be answered as one that is not there.
    pub(super) fn job(&self, job: &Job) -> bool {
        match self {
            Self::Operator => true,
            Self::Key(grant) => grant.scope.reach.job(job),
            Self::Worker | Self::Signed => false,
        }
    }

    /// The same of a notification; the job that it tells of may have to be read.
    pub(super) async fn notification(
        &self,
        notification: &Notification,
        proactive: &Proactive,
    ) -> Result<bool, proact::proactive::Error> {
        let Self::Key(grant) = self else { return Ok(matches!(self, Self::Operator)) };
        let reach = &grant.scope.reach;
        let job = match notification.cause.job().filter(|_| reach.kinds.is_some()) {
            Some(number) => proactive.job(number).await?,
            None => None,
        };
        Ok(reach.notification(notification, job.as_ref()))
    }

    /// The same of a conversation that a request names itself: no secret, so it is said.
    pub(super) fn conversation(&self, key: &ConversationKey) -> Result<(), Problem> {
        let reached = match self {
            Self::Operator => true,
            Self::Key(grant) => grant.scope.reach.conversation(key),
            Self::Worker | Self::Signed => false,
        };
        if reached { Ok(()) } else { Err(out_of_reach("this conversation")) }
    }

    /// The same of a whole channel.
    pub(super) fn channel(&self, channel_id: &str) -> Result<(), Problem> {
        if self.reach().channel(channel_id) { Ok(()) } else { Err(out_of_reach("all of this channel")) }
    }

    /// Whether it may read whatever there is.
    pub(super) fn sees_everything(self) -> bool {
        self.meets(Key(Read, Everything)).is_ok_and(|right| !matches!(right, Self::Worker | Self::Signed))
    }

    /// The same of everything.
    pub(super) fn everything(&self) -> Result<(), Problem> {
        if self.reach().is_everything() { Ok(()) } else { Err(out_of_reach("everything")) }
    }
}

impl<S: Sync> FromRequestParts<S> for Right {
    type Rejection = Problem;

    /// Fails where [`check`] does not stand in front: nobody has asked then, so nobody may.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| Problem::internal(&"a route that nobody guards"))
    }
}

fn nothing() -> Reach {
    let mut reach = Reach::everything();
    (reach.kinds, reach.places) = (Some(Vec::new()), Some(Vec::new()));
    reach
}

/// Whether a page of this server asks, as browsers say: it is to lead to the form.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin")
}

fn sign_in_required() -> Problem {
    let detail = "show the page's key first: /sign-in";
    Problem::new(StatusCode::UNAUTHORIZED, "sign-in-required", "Sign in first", detail)
}

fn key_required() -> Problem {
    let detail = "present a key: Authorization: Bearer proact_… (`proact keys create` makes one); in a browser, sign in: /sign-in";
    Problem::new(StatusCode::UNAUTHORIZED, "key-required", "A key is required", detail)
}

/// The same whatever is wrong: nobody learns whether a key is unknown, revoked or expired.
fn key_not_valid() -> Problem {
    let detail = "this is no key that is valid here: `proact keys list` shows which are";
    Problem::new(StatusCode::UNAUTHORIZED, "key-not-valid", "The key is not valid", detail)
}

fn not_permitted(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "not-permitted", "The key does not permit this", detail)
}

fn out_of_reach(what: &str) -> Problem {
    let detail = format!("this key does not reach {what}: use one that does");
    Problem::new(StatusCode::FORBIDDEN, "out-of-reach", "The key does not reach this", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of routes in the documentation, as lines of `METHOD path: verb, about`.
    fn documented() -> Vec<String> {
        let text = include_str!("../../../../docs/http-api.md");
        let table = text.split("<!-- routes -->").nth(1).expect("the table of routes");
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>())
            .map(|cells| format!("{}: {}, {}", cells[1], cells[2], cells[3]))
            .collect()
    }

    #[test]
    fn the_documentation_shows_the_table() {
        let ours: Vec<_> = ROUTES
            .iter()
            .map(|(method, path, need, _)| {
                let about = |about: About| match about {
                    Jobs => "jobs",
                    Conversations => "conversations",
                    Everything => "everything",
                };
                match need {
                    Key(verb, on) => format!("{method} {path}: {verb}, {}", about(*on)),
                    KeyOrWorker(verb) | KeyOrSignature(verb) => format!("{method} {path}: {verb}, jobs"),
                    Operator => format!("{method} {path}: -, everything"),
                }
            })
            .collect();
        assert_eq!(documented(), ours);
    }

    #[test]
    fn the_openapi_document_has_these_routes_and_its_own() {
        let document: serde_json::Value = serde_json::from_str(super::super::openapi::DOCUMENT).unwrap();
        let mut documented: Vec<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let mut ours: Vec<_> = ROUTES.iter().map(|(method, path, ..)| format!("{method} {path}")).collect();
        ours.push("GET /v1/openapi.json".to_owned());
        documented.sort();
        ours.sort();
        assert_eq!(documented, ours);
    }

    #[test]
    fn what_the_table_does_not_name_is_for_the_operator() {
        for (method, path) in
            [("GET", "/v1/secret"), ("PATCH", "/v1/jobs"), ("DELETE", "/v1/status"), ("GET", "/v1/jobs/")]
        {
            assert_eq!(asked(&method.parse().unwrap(), path).0, Operator, "{method} {path}");
        }
        assert_eq!(asked(&Method::HEAD, "/v1/jobs"), (Key(Read, Jobs), Parameters));
    }

    #[test]
    fn only_one_bearer_presents_something() {
        let with = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            presented(&headers).map(|token| token.map(str::to_owned))
        };
        assert_eq!(with(&[]), None);
        assert_eq!(with(&["bearer  x "]), Some(Some("x".to_owned())));
        for nothing in
            [&["Bearer"][..], &["Bearer "], &[""], &["Basic eDp5"], &["proact_1"], &["Bearer x", "Bearer x"]]
        {
            assert_eq!(with(nothing), Some(None), "{nothing:?}");
        }
    }
}
