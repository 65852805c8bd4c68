//! A JSON Web Key Set (RFC 7517), as channels and the login service publish theirs.
//!
//! What is no RSA key for signatures, or cannot be read, is left out: an issuer may have others for others. Of two keys with one id the
//! first counts. A set with more keys than [`MOST_KEYS`] is refused whole: it is none that we know, and each key takes room.

use jsonwebtoken::Algorithm;
use serde::Deserialize;

use super::SigningKey;

/// Keys in a set at most. The issuers that there are have about ten.
const MOST_KEYS: usize = 100;
/// Endorsements of a key at most; the channels' keys have about forty.
const MOST_ENDORSEMENTS: usize = 1000;

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: String,
    n: String,
    e: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    #[serde(default)]
    endorsements: Vec<String>,
}

/// The keys of a set.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<SigningKey>, String> {
    let set: Set = serde_json::from_slice(bytes).map_err(|_| "what came is no key set".to_owned())?;
    if set.keys.len() > MOST_KEYS {
        return Err(format!("the key set has more than {MOST_KEYS} keys"));
    }
    let mut keys: Vec<SigningKey> = Vec::with_capacity(set.keys.len());
    for key in set.keys.into_iter().filter_map(signing_key) {
        if keys.iter().all(|known| known.id() != key.id()) {
            keys.push(key);
        }
    }
    if keys.is_empty() { Err("the key set has no RSA key for signatures".to_owned()) } else { Ok(keys) }
}

fn signing_key(key: serde_json::Value) -> Option<SigningKey> {
    let key: Key = serde_json::from_value(key).ok()?;
    let algorithm = match key.alg.as_deref() {
        None => None,
        Some("RS256") => Some(Algorithm::RS256),
        Some("RS384") => Some(Algorithm::RS384),
        Some("RS512") => Some(Algorithm::RS512),
        Some(_) => return None,
    };
    let is_for_signatures = key.kty == "RSA" && key.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
    if !is_for_signatures || key.endorsements.len() > MOST_ENDORSEMENTS {
        return None;
    }
    let read = SigningKey::rsa(key.kid, &key.n, &key.e).ok()?;
    Some(read.endorsed_for(key.endorsements).only_for(algorithm))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(set: &serde_json::Value) -> Result<Vec<String>, String> {
        Ok(parse(set.to_string().as_bytes())?.iter().map(|key| key.id().to_owned()).collect())
    }

    #[test]
    fn only_rsa_keys_for_signatures_are_taken() {
        let rsa = |kid: &str| json!({"kty": "RSA", "kid": kid, "n": "AQAB", "e": "AQAB"});
        let with = |kid: &str, name: &str, value: &str| {
            let mut key = rsa(kid);
            key[name] = json!(value);
            key
        };
        let set = json!({"keys": [
            rsa("plain"), with("signs", "use", "sig"), with("said", "alg", "RS512"),
            with("encrypts", "use", "enc"), with("symmetric", "kty", "oct"), with("curve", "kty", "EC"),
            with("pss", "alg", "PS256"), with("hmac", "alg", "HS256"), with("unreadable", "n", "+/="),
            with("", "use", "sig"), rsa("plain"), {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "no key", 7
        ]});
        assert_eq!(ids(&set).unwrap(), ["plain", "signs", "said"]);
    }

    #[test]
    fn a_set_without_keys_or_with_too_many_is_none() {
        for none in [json!({"keys": []}), json!({}), json!([]), json!({"keys": [{"kty": "EC"}]})] {
            assert!(ids(&none).is_err(), "{none}");
        }
        assert!(parse(b"<html>").is_err());
        let many: Vec<_> = (0..=MOST_KEYS)
            .map(|n| json!({"kty": "RSA", "kid": n.to_string(), "n": "AQAB", "e": "AQAB"}))
            .collect();
        assert!(ids(&json!({"keys": many[1..]})).is_ok());
        assert!(ids(&json!({"keys": many})).unwrap_err().contains("more than 100"));
    }
}
