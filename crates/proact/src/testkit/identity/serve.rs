//! The provider's routes. Shapes: OIDC Discovery, RFC 7517, and RFC 6749 section 4.4 (client credentials).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::Notify;
use url::form_urlencoded;

use super::super::Gate;
use super::super::serve::locked;
use super::{Asked, PUBLIC_TENANT, TestKey, TestToken};
use crate::clock::Clock;

/// What the routes and the test share.
pub(super) struct Shared {
    pub(super) origin: String,
    pub(super) clock: Arc<dyn Clock>,
    /// The first one signs.
    pub(super) keys: Mutex<Vec<TestKey>>,
    pub(super) rotations: Mutex<usize>,
    pub(super) apps: Mutex<Vec<App>>,
    pub(super) asked: Mutex<Vec<Asked>>,
    pub(super) changed: Notify,
    pub(super) failing: Mutex<Option<u16>>,
    pub(super) gate: Mutex<Option<Gate>>,
    pub(super) replaced: Mutex<HashMap<String, String>>,
}

/// An app that may ask for tokens.
pub(super) struct App {
    pub(super) tenant: String,
    pub(super) id: String,
    pub(super) secret: String,
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/.well-known/openidconfiguration", get(channel_metadata))
        .route("/v1/.well-known/keys", get(keys))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(login_metadata))
        .route("/{tenant}/discovery/v2.0/keys", get(keys))
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .layer(from_fn_with_state(Arc::clone(&shared), write_down))
        .with_state(shared)
}

/// Writes down what is asked, before anything else, and misbehaves as told.
async fn write_down(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    locked(&shared.asked).push(Asked { path: path.clone() });
    shared.changed.notify_waiters();
    let gate = locked(&shared.gate).clone();
    if let Some(gate) = gate {
        gate.pass().await;
    }
    if let Some(status) = *locked(&shared.failing) {
        return StatusCode::from_u16(status).expect("a status that HTTP knows").into_response();
    }
    let replaced = locked(&shared.replaced).get(&path).cloned();
    match replaced {
        Some(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        None => next.run(request).await,
    }
}

async fn channel_metadata(State(shared): State<Arc<Shared>>) -> Response {
    let origin = &shared.origin;
    said(
        200,
        &json!({
            "issuer": crate::auth::Cloud::Public.channel_issuer(),
            "jwks_uri": format!("{origin}/v1/.well-known/keys"),
            "id_token_signing_alg_values_supported": ["RS256"],
        }),
    )
}

async fn login_metadata(State(shared): State<Arc<Shared>>, Path(tenant): Path<String>) -> Response {
    let origin = &shared.origin;
    said(
        200,
        &json!({
            "issuer": format!("https://login.microsoftonline.com/{}/v2.0", id_of(&tenant)),
            "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
            "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
        }),
    )
}

async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    let keys: Vec<Value> = locked(&shared.keys).iter().map(TestKey::jwk).collect();
    said(200, &json!({ "keys": keys }))
}

async fn token(
    State(shared): State<Arc<Shared>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if !is_form {
        return refused(400, "invalid_request");
    }
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        return refused(400, "unsupported_grant_type");
    }
    let Some(audience) = field("scope").strip_suffix("/.default").filter(|audience| !audience.is_empty())
    else {
        return refused(400, "invalid_scope");
    };
    let known = locked(&shared.apps)
        .iter()
        .find(|app| app.id == field("client_id") && id_of(&app.tenant) == id_of(&tenant))
        .map(|app| app.secret == field("client_secret"));
    match known {
        None => refused(400, "unauthorized_client"),
        Some(false) => refused(401, "invalid_client"),
        Some(true) => {
            let key = locked(&shared.keys).first().cloned().expect("a provider has a key");
            let token = shared.app_token(&key, id_of(&tenant), field("client_id"), audience);
            said(200, &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token.sign()}))
        }
    }
}

impl Shared {
    pub(super) fn app_token(&self, key: &TestKey, tenant: &str, app_id: &str, audience: &str) -> TestToken {
        let now = self.clock.now().as_second();
        let claims = json!({
            "iss": format!("https://sts.windows.net/{tenant}/"), "aud": audience, "appid": app_id, "tid": tenant,
            "ver": "1.0", "iat": now, "nbf": now, "exp": now + 3599
        });
        TestToken::new(key.clone(), claims)
    }
}

/// A tenant's id; one tenant is known by its name too.
fn id_of(tenant: &str) -> &str {
    if tenant == "botframework.com" { PUBLIC_TENANT } else { tenant }
}

fn refused(status: u16, error: &str) -> Response {
    said(status, &json!({"error": error, "error_description": "the test's provider says no"}))
}

fn said(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status that HTTP knows");
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
