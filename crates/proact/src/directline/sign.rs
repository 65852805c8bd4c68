//! What the channel signs with its secret: tokens and stream tickets, each with a key of its own.
//!
//! A signature made for one purpose is worthless for the other. Everything is compared in constant time.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Secret;
use super::claims::Claims;
use super::leave::By;
use super::origins::Origins;

/// The only header a token has; anything else is not ours, whatever algorithm it names.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// How long a stream's URL may be opened.
const TICKET_SECONDS: i64 = 60;

type HmacSha256 = Hmac<Sha256>;

/// Signs, and tells what was signed here.
#[derive(Clone)]
pub(super) struct Signer {
    secret: [u8; 32],
    token: HmacSha256,
    ticket: HmacSha256,
    session: HmacSha256,
}

/// To whom a ticket opens its stream.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Opens {
    /// Whose pages may use it.
    #[serde(default, skip_serializing_if = "Origins::is_empty")]
    pub(super) origins: Origins,
    /// By whose leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<By>,
}

/// Why something that was presented opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// Not made here.
    Invalid,
    /// Made here, and past its time.
    Expired,
}

impl Signer {
    pub(super) fn new(secret: &Secret) -> Self {
        let key = |purpose: &[u8]| {
            let derived = keyed(secret.expose().as_bytes()).chain_update(purpose).finalize().into_bytes();
            keyed(&derived)
        };
        Self {
            secret: Sha256::digest(secret.expose()).into(),
            token: key(b"proact directline token 1"),
            ticket: key(b"proact directline ticket 3"),
            session: key(b"proact directline session 1"),
        }
    }

    /// Whether `presented` is the secret. Hashes are compared, so that not even its length shows in the time.
    pub(super) fn is_secret(&self, presented: &str) -> bool {
        self.secret.ct_eq(&<[u8; 32]>::from(Sha256::digest(presented))).into()
    }

    /// A token: a JSON Web Token, because Web Chat reads the claim `user` from it and believes only that.
    pub(super) fn token(&self, claims: &Claims) -> String {
        let payload = serde_json::to_vec(claims).expect("claims are plain text and numbers");
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(payload));
        let mac = self.token.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    pub(super) fn claims(&self, token: &str, now: Timestamp) -> Result<Claims, Unsigned> {
        let (signed, mac) = token.rsplit_once('.').ok_or(Unsigned::Invalid)?;
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| Unsigned::Invalid)?;
        self.token.clone().chain_update(signed).verify_slice(&mac).map_err(|_| Unsigned::Invalid)?;
        let (header, payload) = signed.split_once('.').ok_or(Unsigned::Invalid)?;
        if header != URL_SAFE_NO_PAD.encode(HEADER) {
            return Err(Unsigned::Invalid);
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Unsigned::Invalid)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Unsigned::Invalid)?;
        if now.as_second() < claims.exp { Ok(claims) } else { Err(Unsigned::Expired) }
    }

    /// Opens the stream of a token's conversation for a minute, to those to whom the token opens it: it stands in a URL, where a token
    /// must not.
    pub(super) fn ticket(&self, claims: &Claims, now: Timestamp) -> String {
        let expires = (now.as_second() + TICKET_SECONDS).to_be_bytes();
        let opens = Opens { origins: claims.origins.clone(), by: claims.by.clone() };
        let opens = if opens == Opens::default() {
            Vec::new()
        } else {
            serde_json::to_vec(&opens).expect("plain text in lists")
        };
        let mac = self.ticket_mac(&claims.conv, expires, &opens).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&expires[..], &mac[..], &opens[..]].concat())
    }

    /// To whom the ticket opens the stream.
    pub(super) fn check_ticket(
        &self,
        ticket: &str,
        conversation: &str,
        now: Timestamp,
    ) -> Result<Opens, Unsigned> {
        let bytes = URL_SAFE_NO_PAD.decode(ticket).map_err(|_| Unsigned::Invalid)?;
        let (expires, rest) = bytes.split_first_chunk::<8>().ok_or(Unsigned::Invalid)?;
        let (mac, opens) = rest.split_first_chunk::<32>().ok_or(Unsigned::Invalid)?;
        self.ticket_mac(conversation, *expires, opens).verify_slice(mac).map_err(|_| Unsigned::Invalid)?;
        if now.as_second() >= i64::from_be_bytes(*expires) {
            return Err(Unsigned::Expired);
        }
        if opens.is_empty() {
            return Ok(Opens::default());
        }
        serde_json::from_slice(opens).map_err(|_| Unsigned::Invalid)
    }

    /// The id of a session of one person in one conversation: the same each time, and nobody else's.
    pub(super) fn session(&self, conversation: &str, user: Option<&str>) -> String {
        let parts = self.session.clone().chain_update((conversation.len() as u64).to_be_bytes());
        let parts = parts.chain_update(conversation).chain_update(user.unwrap_or_default());
        URL_SAFE_NO_PAD.encode(&parts.finalize().into_bytes()[..16])
    }

    fn ticket_mac(&self, conversation: &str, expires: [u8; 8], opens: &[u8]) -> HmacSha256 {
        let parts = self.ticket.clone().chain_update(expires);
        let parts = parts.chain_update((opens.len() as u64).to_be_bytes()).chain_update(opens);
        parts.chain_update(conversation)
    }
}

fn keyed(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes a key of any length")
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: &str) -> Signer {
        Signer::new(&Secret::new(secret).unwrap())
    }

    fn claims() -> Claims {
        Claims {
            conv: "c".into(),
            user: Some("dl_1".into()),
            name: None,
            origins: Origins::default(),
            by: None,
            exp: 100,
        }
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_expires() {
        let ours = signer("a secret of ours".replace(' ', "-").as_str());
        let token = ours.token(&claims());
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(ours.claims(&token, at(99)), Ok(claims()));
        assert_eq!(ours.claims(&token, at(100)), Err(Unsigned::Expired));
        assert_eq!(signer("another-secret-here").claims(&token, at(0)), Err(Unsigned::Invalid));
    }

    #[test]
    fn no_changed_byte_passes() {
        let ours = signer("a-secret-of-ours");
        let token = ours.token(&claims());
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(ours.claims(&changed, Timestamp::UNIX_EPOCH), Err(Unsigned::Invalid), "{place}");
        }
        for garbage in ["", ".", "..", "a.b.c", &token[..token.len() - 1], &format!("{token}.")] {
            assert_eq!(ours.claims(garbage, Timestamp::UNIX_EPOCH), Err(Unsigned::Invalid));
        }
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let payload = token.split('.').nth(1).unwrap();
        assert_eq!(
            ours.claims(&format!("{unsigned}.{payload}."), Timestamp::UNIX_EPOCH),
            Err(Unsigned::Invalid)
        );
    }

    #[test]
    fn a_ticket_opens_one_conversation_for_a_minute_and_is_no_token() {
        let ours = signer("a-secret-of-ours");
        let at = |second| Timestamp::from_second(second).unwrap();
        let of = |opens: &Opens| claims().for_origins(opens.origins.clone()).by(opens.by.clone());
        let origins = Origins::new(["https://a.example"]).unwrap();
        let (all, one) = (Opens::default(), Opens { origins, by: Some(By::Key("k".to_owned())) });
        let bound = ours.ticket(&of(&one), at(0));
        assert_eq!(ours.check_ticket(&bound, "c", at(59)), Ok(one));
        let stripped = URL_SAFE_NO_PAD.encode(&URL_SAFE_NO_PAD.decode(&bound).unwrap()[..40]);
        assert_eq!(ours.check_ticket(&stripped, "c", at(0)), Err(Unsigned::Invalid));
        let ticket = ours.ticket(&of(&all), at(0));
        assert_eq!(ours.check_ticket(&ticket, "c", at(59)), Ok(all));
        assert_eq!(ours.check_ticket(&ticket, "c", at(60)), Err(Unsigned::Expired));
        assert_eq!(ours.check_ticket(&ticket, "d", at(0)), Err(Unsigned::Invalid));
        assert_eq!(ours.check_ticket("", "c", at(0)), Err(Unsigned::Invalid));
        assert_eq!(ours.claims(&ticket, at(0)), Err(Unsigned::Invalid));
    }

    #[test]
    fn a_session_is_one_persons_in_one_conversation() {
        let ours = signer("a-secret-of-ours");
        let session = ours.session("c", Some("u"));
        assert_eq!(session, ours.session("c", Some("u")));
        for (conversation, user) in [("c", None), ("c", Some("v")), ("cu", None), ("d", Some("u"))] {
            assert_ne!(session, ours.session(conversation, user));
        }
    }

    #[test]
    fn only_the_secret_is_the_secret() {
        let ours = signer("a-secret-of-ours");
        assert!(ours.is_secret("a-secret-of-ours"));
        for other in ["", "a-secret-of-our", "a-secret-of-ours ", "A-secret-of-ours"] {
            assert!(!ours.is_secret(other), "{other}");
        }
    }
}
