use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;

const NOW: i64 = 1_800_000_000;
const BODY: &[u8] = br#"{"a": 1}"#;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn secret(byte: u8) -> SigningSecret {
    SigningSecret::Shared(vec![byte; 32])
}

fn v1(byte: u8, id: &str, at: i64, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(&[byte; 32]).unwrap();
    let mac = mac.chain_update(format!("{id}.{at}.")).chain_update(body).finalize().into_bytes();
    format!("v1,{}", BASE64_STANDARD.encode(mac))
}

fn headers(id: &str, at: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature)] {
        headers.insert(name, value.parse().unwrap());
    }
    headers
}

fn checked(
    id: &str,
    at: &str,
    signature: &str,
    body: &[u8],
    secrets: &[SigningSecret],
) -> Result<(), NotSigned> {
    Signed::read(&headers(id, at, signature))?.check(body, secrets, now())
}

/// The example of the specification.
#[test]
fn the_specifications_own_example_is_believed() {
    let secret = SigningSecret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let (id, at) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
    let headers = headers(id, at, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let then = Timestamp::from_second(1_614_265_330).unwrap();
    let signed = Signed::read(&headers).unwrap();
    assert_eq!(signed.check(br#"{"test": 2432232314}"#, std::slice::from_ref(&secret), then), Ok(()));
    assert_eq!(signed.check(br#"{"test": 2432232315}"#, &[secret], then), Err(NotSigned::NoneFits));
}

#[test]
fn no_piece_of_a_signature_is_one() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let public = SigningSecret::Public(pair.public_key().as_ref().try_into().unwrap());
    let signed = [format!("id.{NOW}.").as_bytes(), BODY].concat();
    let v1a = format!("v1a,{}", BASE64_STANDARD.encode(pair.sign(&signed)));
    let at = NOW.to_string();
    for (whole, secret) in [(v1(1, "id", NOW, BODY), secret(1)), (v1a, public)] {
        let secrets = [secret];
        assert_eq!(checked("id", &at, &whole, BODY, &secrets), Ok(()));
        for end in 0..whole.len() {
            assert!(checked("id", &at, &whole[..end], BODY, &secrets).is_err(), "{end} of {whole}");
        }
        // Pieces of the bytes, in Base64 of their own; and a byte too many.
        let (version, text) = whole.split_once(',').unwrap();
        let bytes = BASE64_STANDARD.decode(text).unwrap();
        for end in 0..bytes.len() {
            let piece = format!("{version},{}", BASE64_STANDARD.encode(&bytes[..end]));
            assert!(checked("id", &at, &piece, BODY, &secrets).is_err(), "{end} bytes");
        }
        let more = format!("{version},{}", BASE64_STANDARD.encode([&bytes[..], &[0]].concat()));
        assert!(checked("id", &at, &more, BODY, &secrets).is_err());
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1;
            let changed = format!("{version},{}", BASE64_STANDARD.encode(bytes));
            assert_eq!(checked("id", &at, &changed, BODY, &secrets), Err(NotSigned::NoneFits), "{place}");
        }
        // Under the other version's name it is nothing.
        let other = if version == "v1" { "v1a" } else { "v1" };
        assert!(checked("id", &at, &format!("{other},{text}"), BODY, &secrets).is_err());
    }
}

#[test]
fn everything_that_is_signed_counts() {
    let (at, good) = (NOW.to_string(), v1(1, "id", NOW, BODY));
    let secrets = [secret(1)];
    assert_eq!(
        checked("id", &at, &good, b"{\"a\":1}", &secrets),
        Err(NotSigned::NoneFits),
        "other bytes, same JSON"
    );
    assert_eq!(checked("ie", &at, &good, BODY, &secrets), Err(NotSigned::NoneFits));
    assert_eq!(checked("id", &(NOW + 1).to_string(), &good, BODY, &secrets), Err(NotSigned::NoneFits));
    // The same number, written in another way, is another text.
    assert_eq!(checked("id", &format!("0{NOW}"), &good, BODY, &secrets), Err(NotSigned::NoneFits));
    assert_eq!(checked("id", &at, &good, BODY, &[secret(2)]), Err(NotSigned::NoneFits));
    assert_eq!(checked("id", &at, &good, BODY, &[]), Err(NotSigned::NoneFits));
}

#[test]
fn one_of_several_signatures_and_of_several_secrets_is_enough() {
    let at = NOW.to_string();
    let (old, new) = (v1(1, "id", NOW, BODY), v1(2, "id", NOW, BODY));
    let both = format!("{old} v9,x v1,short {new}");
    for secrets in [&[secret(1)][..], &[secret(2)], &[secret(3), secret(2)]] {
        assert_eq!(checked("id", &at, &both, BODY, secrets), Ok(()));
    }
    assert_eq!(checked("id", &at, &both, BODY, &[secret(3)]), Err(NotSigned::NoneFits));
    let late = format!("{} {new}", "v9,x ".repeat(8).trim_end());
    assert_eq!(
        checked("id", &at, &late, BODY, &[secret(2)]),
        Err(NotSigned::Signature),
        "only the first eight are read"
    );
}

#[test]
fn a_time_counts_for_five_minutes_both_ways() {
    for (offset, expected) in [
        (0, Ok(())),
        (300, Ok(())),
        (-300, Ok(())),
        (301, Err(NotSigned::Time)),
        (-301, Err(NotSigned::Time)),
    ] {
        let at = NOW + offset;
        let signature = v1(1, "id", at, BODY);
        assert_eq!(checked("id", &at.to_string(), &signature, BODY, &[secret(1)]), expected, "{offset}");
    }
    for wrong in ["", "x", "-1", "+1", "1.5", " 1", "99999999999999999999"] {
        assert_eq!(checked("id", wrong, "v1,x", BODY, &[]), Err(NotSigned::Timestamp), "{wrong:?}");
    }
    assert_eq!(
        checked("id", &i64::MAX.to_string(), &v1(1, "id", i64::MAX, BODY), BODY, &[secret(1)]),
        Err(NotSigned::Time)
    );
}

#[test]
fn an_id_has_no_dot_and_each_header_is_there_once() {
    let at = NOW.to_string();
    for id in ["", "a.b", "a b", &"x".repeat(256)] {
        assert_eq!(checked(id, &at, "v1,x", BODY, &[]), Err(NotSigned::Id), "{id:?}");
    }
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut twice = headers("id", &at, &v1(1, "id", NOW, BODY));
        assert!(is_signed(&twice));
        twice.append(name, "1".parse().unwrap());
        assert_eq!(Signed::read(&twice), Err(NotSigned::Header(name)));
        twice.remove(name);
        assert_eq!(Signed::read(&twice), Err(NotSigned::Header(name)));
    }
}

#[test]
fn secrets_are_read_and_not_shown() {
    let encoded = |n| BASE64_STANDARD.encode(vec![7; n]);
    for n in [24, 32, 64] {
        assert!(SigningSecret::read(&format!("whsec_{}", encoded(n))).is_ok(), "{n}");
    }
    assert!(SigningSecret::read(&format!("whpk_{}", encoded(32))).is_ok());
    let wrong = [encoded(32), format!("whsec_{}", encoded(23)), format!("whsec_{}", encoded(65))];
    for wrong in wrong.iter().map(String::as_str).chain(["", "whsec_", "whsec_***", "whpk_", "whsk_x"]) {
        let error = SigningSecret::read(wrong).unwrap_err();
        assert!(!error.contains(&encoded(20)), "{error}");
    }
    assert!(SigningSecret::read(&format!("whpk_{}", encoded(31))).is_err());
    assert_eq!(format!("{:?}", secret(7)), "SigningSecret(…)");
}
