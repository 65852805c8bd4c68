//! The channel's secret: what tokens are signed with, and what opens every conversation.
//!
//! It is given by the caller, or made once and kept in the data folder where only its owner can read it. A file that
//! is there but unusable is an error and is not replaced: tokens signed with it may be out.

use std::io;
use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::secret_file;

/// The file within the data folder.
const FILE: &str = "directline.secret";
/// Fewer characters are taken for a mistake.
const SHORTEST: usize = 16;

/// A secret; never shown.
#[derive(Clone)]
pub struct Secret(String);

/// Why there is no secret to use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It is shorter than 16 characters, or holds some that a header cannot carry.
    #[error("the Direct Line secret must be at least 16 visible ASCII characters without spaces")]
    Unusable,
    /// The file holds no usable secret.
    #[error(
        "{path} holds no usable secret: restore it, or remove it to have a new one made (tokens given out before then end)"
    )]
    UnusableFile {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Secret {
    /// Takes `text` as the secret.
    ///
    /// # Errors
    /// [`SecretError::Unusable`] when it is too short to be one, or cannot be sent in a header.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text = text.into();
        if text.len() < SHORTEST || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SecretError::Unusable);
        }
        Ok(Self(text))
    }

    /// The text, for whoever must send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The secret kept in `data_folder`; made (256 random bits) if there is none yet.
///
/// Call it while this process owns the data folder: two processes that make one at the same time would not agree.
///
/// # Errors
/// [`SecretError`] says which file is in the way, and what to do.
pub fn load_or_make_secret(data_folder: &Path) -> Result<Secret, SecretError> {
    let path = data_folder.join(FILE);
    let io = |source| SecretError::Io { path: path.clone(), source };
    match secret_file::read(&path).map_err(io)? {
        Some(bytes) => {
            let text = str::from_utf8(&bytes).unwrap_or_default();
            Secret::new(text.trim()).map_err(|_| SecretError::UnusableFile { path: path.clone() })
        }
        None => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(|e| io(io::Error::other(e.to_string())))?;
            let text = URL_SAFE_NO_PAD.encode(bytes);
            secret_file::write(&path, format!("{text}\n").as_bytes()).map_err(io)?;
            Ok(Secret(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn is_made_once_and_kept_from_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let made = load_or_make_secret(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(load_or_make_secret(folder.path()).unwrap().expose(), made.expose());
        assert_eq!(mode(), 0o600, "an open file is closed again");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(!format!("{made:?}").contains(made.expose()));
    }

    #[test]
    fn an_unusable_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for content in ["", "short", "sixteen characters with spaces"] {
            fs::write(folder.path().join(FILE), content).unwrap();
            let error = load_or_make_secret(folder.path()).unwrap_err();
            assert!(matches!(error, SecretError::UnusableFile { .. }), "{content:?}: {error}");
            assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), content);
        }
    }
}
