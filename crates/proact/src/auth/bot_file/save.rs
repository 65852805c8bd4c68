//! Writing a .bot file.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Puts `text` in the place of the file at `path` (of what it leads to, if it is a link): whole or not at all, on disk when
/// this returns. A file that was there passes its mode on; a new one is its owner's alone.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    // It is made with mode 600.
    let mut file = tempfile::Builder::new().prefix(".bot-").tempfile_in(&folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(before) = fs::metadata(&target) {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    #[cfg(unix)]
    fs::File::open(&folder)?.sync_all()?;
    Ok(())
}
