//! This room's parsers of outside bytes, for [`crate::fuzzing`].

use jiff::Timestamp;

use super::Secret;
pub(crate) use super::routes::fuzzing::upload;
use super::sign::Signer;
use super::watermark::{Generation, Watermark};

/// A watermark: what is read is written and read again as the same.
pub(crate) fn watermark(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for generation in [Generation::default(), Generation::named("abcdefgh".to_owned())] {
        let Ok(Watermark::At(seq)) = generation.read(Some(&text)) else { continue };
        assert!(seq >= 0);
        if seq < i64::MAX {
            assert_eq!(generation.read(Some(&generation.written(seq))), Ok(Watermark::At(seq)));
        }
    }
}

/// A token or a ticket: what nobody signed opens nothing.
pub(crate) fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let secret = Secret::new("no-corpus-has-this-secret").expect("a secret");
    let (signer, now) = (Signer::new(&secret), Timestamp::UNIX_EPOCH);
    assert!(signer.claims(&text, now).is_err(), "nobody signed {text}");
    assert!(signer.check_ticket(&text, "c", now).is_err(), "nobody gave {text}");
    assert!(!signer.is_secret(&text));
}
