//! What is said over `/v1`, held against its OpenAPI document: what was taken must be what the document says is taken, and the answer one that
//! it names, with a body of the form that it gives.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

/// The document, as the server sends it.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../src/http/openapi.json")).unwrap());

/// A request, before it is sent.
pub(crate) struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    kind: Option<String>,
    body: Vec<u8>,
}

/// The media type that these headers name.
pub(crate) fn kind(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(|kind| kind.trim().to_ascii_lowercase())
}

impl Asked {
    pub(crate) fn of(request: &reqwest::Request) -> Self {
        Self {
            method: request.method().as_str().to_lowercase(),
            path: request.url().path().to_owned(),
            query: request.url().query_pairs().into_owned().collect(),
            kind: kind(request.headers()),
            body: request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec(),
        }
    }

    /// Which operation it is of, and which of its answers this was: such as `get /v1/jobs 200`.
    ///
    /// # Panics
    /// If the document says otherwise. What is no route of it is not looked at.
    pub(crate) fn was_answered(&self, status: u16, kind: Option<&str>, body: &[u8]) -> Option<String> {
        let (path, operation) = self.operation()?;
        let what = format!("{} {path} {status}", self.method);
        let answer = answer_of(&operation["responses"], status)
            .unwrap_or_else(|| panic!("{what}: the document has no such answer: {}", text(body)));
        match answer["content"].as_object() {
            None => assert!(body.is_empty(), "{what}: the document gives it no body: {}", text(body)),
            Some(content) => {
                let kind = kind.unwrap_or("none");
                let form = content.get(kind).unwrap_or_else(|| panic!("{what}: it came as {kind}"));
                if kind.ends_with("json") {
                    valid(&form["schema"], body).unwrap_or_else(|why| panic!("{what}: the answer: {why}"));
                }
            }
        }
        if (200..300).contains(&status) {
            self.was_taken(&what, operation);
        }
        Some(what)
    }

    /// What the server took must be what the document says that it takes.
    fn was_taken(&self, what: &str, operation: &'static Value) {
        let parameters: Vec<_> =
            operation["parameters"].as_array().into_iter().flatten().map(resolved).collect();
        for (name, value) in &self.query {
            let known = parameters.iter().find(|one| one["in"] == "query" && one["name"] == **name);
            let known = known.unwrap_or_else(|| panic!("{what}: the document has no parameter {name}"));
            let value = match known["schema"]["type"].as_str() {
                Some("integer") => value.parse::<i64>().map_or(Value::Null, Value::from),
                _ => Value::from(value.as_str()),
            };
            let valid = valid(&known["schema"], value.to_string().as_bytes());
            valid.unwrap_or_else(|why| panic!("{what}: it took {name}: {why}"));
        }
        let form = &operation["requestBody"];
        if self.body.is_empty() {
            assert!(form["required"] != true, "{what}: it took no body");
            return;
        }
        let kind = self.kind.as_deref().unwrap_or("none");
        let form = &form["content"][kind];
        assert!(form.is_object(), "{what}: it took a body that is {kind}");
        valid(&form["schema"], &self.body).unwrap_or_else(|why| panic!("{what}: it took a body: {why}"));
    }

    fn operation(&self) -> Option<(&'static str, &'static Value)> {
        let fits = |path: &str| {
            let (mut there, mut here) = (path.split('/'), self.path.split('/'));
            let mut each = there.by_ref().zip(here.by_ref());
            let fit =
                |(there, here): (&str, &str)| there == here || there.starts_with('{') && !here.is_empty();
            path.matches('/').count() == self.path.matches('/').count() && each.all(fit)
        };
        let paths = DOCUMENT["paths"].as_object()?.iter().filter(|(path, _)| fits(path));
        // The one with the fewest parts that vary is meant.
        let (path, methods) = paths.min_by_key(|(path, _)| path.matches('{').count())?;
        Some((path, methods.get(&self.method)?))
    }
}

/// What the document says of this status. What a route itself answers must be named; ranges are for what stands in front of all routes.
fn answer_of(answers: &'static Value, status: u16) -> Option<&'static Value> {
    let range = match status {
        400 | 404 | 409 | 200..400 => None,
        _ => Some(format!("{}XX", status / 100)),
    };
    let named = answers.get(status.to_string());
    named.or_else(|| answers.get(range?)).map(resolved)
}

fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(place) => DOCUMENT.pointer(&place[1..]).unwrap_or_else(|| panic!("{place} leads nowhere")),
        None => value,
    }
}

/// Whether this JSON is of that form.
fn valid(schema: &Value, body: &[u8]) -> Result<(), String> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("{error}: {}", text(body)))?;
    let name = schema.to_string();
    let known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&name).cloned();
    let validator = known.unwrap_or_else(|| {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": DOCUMENT["components"],
        });
        let options = jsonschema::options().should_validate_formats(true);
        let made = Arc::new(options.build(&whole).unwrap_or_else(|error| panic!("{name}: {error}")));
        KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(name, Arc::clone(&made));
        made
    });
    let errors: Vec<_> = validator
        .iter_errors(&value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(format!("{}: {value}", errors.join("; "))) }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, path: &str, body: &str) -> Asked {
        let kind = (!body.is_empty()).then(|| "application/json".to_owned());
        Asked { method: method.to_owned(), path: path.to_owned(), query: Vec::new(), kind, body: body.into() }
    }

    /// Whether the document bears this exchange.
    fn bears(asked: &Asked, status: u16, kind: &str, body: &str) -> bool {
        let held = std::panic::AssertUnwindSafe(|| asked.was_answered(status, Some(kind), body.as_bytes()));
        std::panic::catch_unwind(held).is_ok()
    }

    /// A check that cannot fail would prove nothing.
    #[test]
    fn what_the_document_does_not_say_is_noticed() {
        let (json, problem) = ("application/json", "application/problem+json");
        let new = asked("post", "/v1/jobs", r#"{"conversation":{"channelId":"a","id":"b"},"kind":"k"}"#);
        assert!(bears(&new, 201, json, r#"{"number":1,"token":"t"}"#));
        for body in ["{}", r#"{"number":"1","token":"t"}"#, r#"{"number":1,"token":"t","more":1}"#, "x", ""] {
            assert!(!bears(&new, 201, json, body), "{body}");
        }
        assert!(!bears(&new, 200, json, r#"{"number":1,"token":"t"}"#), "another status");
        assert!(!bears(&new, 201, "text/plain", r#"{"number":1,"token":"t"}"#), "another type");
        let odd =
            asked("post", "/v1/jobs", r#"{"conversation":{"channelId":"a","id":"b"},"kind":"k","x":1}"#);
        assert!(!bears(&odd, 201, json, r#"{"number":1,"token":"t"}"#), "it took what it must not take");
        let gone = r#"{"type":"urn:proact:problem:key-not-found","title":"t","status":404,"detail":"d"}"#;
        assert!(bears(&asked("delete", "/v1/keys/1", ""), 404, problem, gone));
        assert!(!bears(&asked("get", "/v1/keys", ""), 404, problem, gone), "it does not answer so");
        let unknown = gone.replace("key-not-found", "gone");
        assert!(!bears(&asked("delete", "/v1/keys/1", ""), 404, problem, &unknown));
        assert!(!bears(&asked("delete", "/v1/keys/1", ""), 204, json, "{}"), "there is no body");
    }
}
