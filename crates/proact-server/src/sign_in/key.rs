//! The key of the page: given by configuration, or made once and kept in the data folder as `page.key`, for its owner alone.

use std::{fmt, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use proact::secret_file::{self, Watched};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The file within the data folder.
const FILE: &str = "page.key";
/// Fewer characters are taken for a mistake: they could be guessed.
const SHORTEST: usize = 16;

/// The key; never shown. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PageKey(Place);

#[derive(Clone)]
enum Place {
    Given(Arc<str>),
    /// Read again when it changes.
    File(Arc<Watched<Arc<str>>>),
}

impl PageKey {
    /// This text, if nobody guesses it.
    pub(crate) fn new(text: &str) -> Option<Self> {
        usable(text).map(|text| Self(Place::Given(text)))
    }

    /// The one in the data folder; made (256 random bits) if there is none yet.
    pub(super) fn of_folder(data: &Path, now: Timestamp) -> Result<Self, String> {
        let path = data.join(FILE);
        let failed = |why: String| format!("cannot use {}: {why}", path.display());
        let read = |bytes: &[u8]| usable(str::from_utf8(bytes).ok()?.trim());
        let watched = Watched::open(&path, read, new_key, now).map_err(|error| failed(error.to_string()))?;
        let unusable =
            || failed("it holds no usable key: restore it, or remove it to have a new one made".to_owned());
        watched.map(|watched| Self(Place::File(Arc::new(watched)))).ok_or_else(unusable)
    }

    /// The key of now.
    pub(super) fn current(&self, now: Timestamp) -> Arc<str> {
        match &self.0 {
            Place::Given(text) => Arc::clone(text),
            Place::File(watched) => Arc::clone(&*watched.get(now)),
        }
    }

    /// Whether it is this one. Hashes are compared, so that not even its length shows in the time.
    pub(super) fn is(&self, shown: &str, now: Timestamp) -> bool {
        Sha256::digest(&*self.current(now)).ct_eq(&Sha256::digest(shown)).into()
    }
}

impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageKey(…)")
    }
}

/// Puts a new key into the data folder. A server that runs goes by it within ten seconds: every session ends then.
pub(crate) fn rotate(data: &Path) -> Result<(), String> {
    let path = data.join(FILE);
    let written = new_key().and_then(|key| secret_file::write(&path, &key));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn usable(text: &str) -> Option<Arc<str>> {
    (text.len() >= SHORTEST && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.into())
}

fn new_key() -> std::io::Result<Vec<u8>> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(format!("{}\n", URL_SAFE_NO_PAD.encode(bytes)).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_guessed_is_no_key() {
        for text in ["", "short", "fifteen-letters", "sixteen letters and spaces", "sixteen-letters-ü"] {
            assert!(PageKey::new(text).is_none(), "{text}");
        }
        assert!(PageKey::new("sixteen-letters-").is_some());
    }

    #[test]
    fn a_file_without_a_usable_key_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, "short\n").unwrap();
        let error = PageKey::of_folder(folder.path(), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(error.contains("page.key") && !error.contains("short"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short\n");
    }
}
