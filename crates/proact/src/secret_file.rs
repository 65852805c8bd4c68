//! Files that only their owner may read: keys and secrets in the data folder.
//!
//! A file is written under another name, synced, and renamed: no crash leaves half of one under the right name, and who reads it
//! meanwhile reads the old one or the new one. It is never readable for others, not even while it is written.

mod watched;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

#[cfg(feature = "directline")]
pub(crate) use watched::LOOKED_AT_EVERY_SECONDS;
pub use watched::Watched;

/// The file's bytes; `None` when there is no such file. One that others could read is closed to them first: it may have come from
/// an archive or another hand.
///
/// # Errors
/// When it cannot be read, or cannot be closed to others.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => {
            keep_to_owner(path)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a file of these bytes in the place of whatever is there. When this returns it is on disk.
///
/// # Errors
/// When it cannot be written; what was there is there still.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = Path::new(&unfinished);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(unfinished)?;
    keep_to_owner(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Closes a file to all but its owner.
pub(crate) fn keep_to_owner(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mut permissions = fs::metadata(path)?.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(0o600);
            fs::set_permissions(path, permissions)?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_the_owners_alone_whatever_it_was() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(read(&path).unwrap(), None);
        write(&path, b"one").unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(mode(), 0o600, "an open file is closed again");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        // What a crash left behind, open to others, is not written into as it is.
        fs::write(folder.path().join("a.key.new"), "half").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!((mode(), read(&path).unwrap().as_deref()), (0o600, Some(&b"two"[..])));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
