//! Service URLs that were let out before, parsed: there are few of them, and each message names one twice.
//!
//! It is a memory of the parser's alone: whether a URL may be called is asked each time. It is bounded; when it is full it begins anew.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use url::Url;

/// URLs at most. A bot has a few for each of its channels.
const MOST: usize = 256;
/// Bytes of a URL that is kept.
const LONGEST: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Parsed(RwLock<HashMap<Box<str>, Url>>);

impl Parsed {
    /// What this text was parsed to, if it is known.
    pub(super) fn get(&self, text: &str) -> Option<Url> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
    }

    pub(super) fn keep(&self, text: &str, url: &Url) {
        if text.len() > LONGEST {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(text.into(), url.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_what_the_parser_said_and_there_is_an_end_to_it() {
        let parsed = Parsed::default();
        let url = |text: &str| Url::parse(text).unwrap();
        for n in 0..3 * MOST {
            let text = format!("HTTP://Channel.example:80/{n}/../x");
            assert_eq!(parsed.get(&text), None);
            parsed.keep(&text, &url(&text));
            assert_eq!(parsed.get(&text), Some(url(&text)));
            assert!(parsed.0.read().unwrap().len() <= MOST);
        }
        let long = format!("http://channel.example/{}", "x".repeat(LONGEST));
        parsed.keep(&long, &url(&long));
        assert_eq!(parsed.get(&long), None);
    }
}
