//! Fetching a key set: the metadata (`OpenID` Connect Discovery), then the set that it names.
//!
//! Both go through the egress guard, without a credential. The set must be at the very origin (scheme, host and port) of the metadata:
//! what a document says does not send us to other hosts.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::Deserialize;
use url::Url;

use super::{SigningKey, parse_key_set};
use crate::egress::{Guard, Request};

/// Bytes of either document at most; key sets with certificates have about 20 KB.
pub(super) const MOST_BYTES: usize = 256 * 1024;

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: String,
}

/// The keys that `metadata` leads to.
pub(super) async fn keys(guard: &Guard, metadata: &Url) -> Result<Vec<SigningKey>, String> {
    let said: Metadata = serde_json::from_slice(&get(guard, metadata.clone()).await?)
        .map_err(|_| "the metadata does not say where the keys are (jwks_uri)".to_owned())?;
    let keys = Url::parse(&said.jwks_uri).map_err(|_| "the metadata's jwks_uri is no URL".to_owned())?;
    if keys.origin() != metadata.origin() {
        return Err("the metadata's jwks_uri leads to another host".to_owned());
    }
    parse_key_set(&get(guard, keys).await?)
}

async fn get(guard: &Guard, url: Url) -> Result<Bytes, String> {
    let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
    let response = guard.send(request).await.map_err(|error| error.to_string())?;
    if response.status == 200 { Ok(response.body) } else { Err(format!("answered {}", response.status)) }
}
