//! The data folder: conversations and secrets are in it.
//!
//! One that is made here is its owner's alone. One that is there is left as it is, because it may be somebody's on purpose (or the folder
//! that the program was started in), and others who may look into it are told of in one line. The files themselves are closed to others
//! one by one, wherever they are.

use std::{fs, io, path::Path};

/// Makes it if it is not there.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Says so if others may look into it, and what to do.
pub(super) fn warn_if_open_to_others(path: &Path) {
    if let Some(mode) = open_to_others(path) {
        let path = path.display();
        tracing::warn!(
            "others on this machine may look into the data folder (mode {mode:o}), and conversations and secrets are in it: chmod 700 {path}"
        );
    }
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Elsewhere a folder takes after the one that it is in, which is the user's own.
#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<u32> {
    None
}
