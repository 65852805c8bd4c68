//! `<data>/local.key`: what the command line on this machine proves itself with.
//!
//! Who may read the data folder owns what is in it: the file holds a key that permits everything, for as long as this process runs. It is
//! made anew at every start and readable by its owner only, so one that a process left behind, or that is in an archive, opens nothing.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const FILE: &str = "local.key";
const PREFIX: &str = "local_";

/// What is kept of the key.
#[derive(Clone)]
pub(crate) struct LocalKey {
    digest: Arc<[u8; 32]>,
}

/// The file while the server runs.
#[derive(Debug)]
pub(super) struct Written(PathBuf);

impl LocalKey {
    /// Makes one and writes it into the folder.
    pub(super) fn make(data: &Path) -> Result<(Self, Written), String> {
        let path = data.join(FILE);
        let text = write(&path).map_err(|error| format!("{} ({error})", path.display()))?;
        Ok((Self { digest: Arc::new(Sha256::digest(text).into()) }, Written(path)))
    }

    /// What the folder says; `None` when there is no file that can be read.
    pub(crate) fn read(data: &Path) -> Option<String> {
        let text = fs::read_to_string(data.join(FILE)).ok()?;
        text.starts_with(PREFIX).then(|| text.trim().to_owned())
    }

    /// Whether `text` means to be one.
    pub(crate) fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, presented: &str) -> bool {
        self.digest.ct_eq(&<[u8; 32]>::from(Sha256::digest(presented))).into()
    }
}

/// Under another name first: who reads it meanwhile reads the old one or the new one.
fn write(path: &Path) -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    let text = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let unfinished = path.with_extension("key.new");
    // One that a crash left may be open to others.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&unfinished)?.write_all(text.as_bytes())?;
    fs::rename(&unfinished, path)?;
    Ok(text)
}

impl Written {
    /// The server has ended.
    pub(super) fn remove(self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "cannot remove the key of the command line; it opens nothing any more");
        }
    }
}

impl std::fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_makes_another_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("local.key.new"), "half").unwrap();
        let (one, _) = LocalKey::make(folder.path()).unwrap();
        let first = LocalKey::read(folder.path()).unwrap();
        let (two, file) = LocalKey::make(folder.path()).unwrap();
        let second = LocalKey::read(folder.path()).unwrap();
        assert!(
            one.is(&first)
                && two.is(&second)
                && !two.is(&first)
                && !two.is("")
                && LocalKey::looks_like(&first)
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        file.remove();
        assert_eq!((LocalKey::read(folder.path()), fs::read_dir(folder.path()).unwrap().count()), (None, 0));
    }
}
