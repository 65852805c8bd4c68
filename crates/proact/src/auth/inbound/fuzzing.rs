//! This room's parsers of outside bytes, for [`crate::fuzzing`].

use std::sync::Arc;

use futures_util::FutureExt;

use super::{Authenticator, Denied, FixedKeys, Issuer, SigningKey, builder::Parts, keys::parse_key_set};
use crate::clock::SystemClock;

/// A modulus whose private half was thrown away.
const MODULUS: &str = "yRS0fJkOBgtTp24-iTXQgsi0ezRUTeBYPnFFua_yCTU5Y5jKE41PbJpAqlp3Jcp6ePSNWO4grmaLyIqqpAmnmLRpCd9HNh11vslm-YaOlZC4D1Iv2DrkBYzEnxSMG-vI-wxwXogz_E5v1J5lAvGmFgFUGVSz2H_4RCu7BPZGtyJFqOxEUmKDMAxmdiiC6NLrQ6j05XuNSTArCLhf5908CozXmBIp82YomtQuFjlHnEQISf5OVYZMJCDwRNZNytb2ji4hoV82WGXt6G2ECtoVIHCgYq4YwwIIN3Da0G0wLOvtZbgGYD1OCj-iPlxPGtbUlSFFY1OpwpwKdf6lt6rXJw";

/// An `Authorization` header: what nobody signed lets nobody in, and what is said about it is fit for a log.
pub(crate) fn bearer(bytes: &[u8]) {
    let key = SigningKey::rsa("key", MODULUS, "AQAB").expect("a key");
    let issuer = Issuer::direct_line("urn:proact:fuzz", "bot", "directline", Arc::new(FixedKeys::new([key])));
    let authenticator = Authenticator::new(Parts::new(vec![issuer], Arc::new(SystemClock)));
    let verified = authenticator.verify(Some(bytes)).now_or_never().expect("fixed keys are there at once");
    let denied = verified.expect_err("nobody signed this");
    let said = denied.to_string();
    assert!(!said.chars().any(char::is_control), "{said:?}");
    assert!(said.len() < 500, "{said}");
    assert!(matches!(denied.status(), 401 | 403), "{denied:?}");
    assert!(!matches!(denied, Denied::Missing | Denied::KeysUnavailable), "{denied:?}");
}

/// A key set: what is taken of it has an id, each of its own, and there are not too many.
pub(crate) fn key_set(bytes: &[u8]) {
    let Ok(keys) = parse_key_set(bytes) else { return };
    assert!((1..=100).contains(&keys.len()));
    let mut ids: Vec<&str> = keys.iter().map(SigningKey::id).collect();
    ids.sort_unstable();
    assert!(ids.first().is_none_or(|id| !id.is_empty()), "a key without an id");
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "two keys of one id");
}
