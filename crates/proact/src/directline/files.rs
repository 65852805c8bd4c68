//! The bytes of files that are sent along, in a folder of their own.
//!
//! A file is on disk, synced, before the store knows of it: what the store knows can be fetched. What the store does not
//! know is left over from a crash, and is swept away after a while. Names on disk are ids that the channel makes;
//! nothing that a client says becomes a path.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;

use super::commands::Place;

/// Random bytes in an id: nobody finds a file by trying.
const RANDOM: usize = 32;
/// How a thumbnail's file is called after its original's.
const THUMBNAIL: &str = ".thumbnail";

#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: Option<Arc<Path>>,
}

/// Which bytes of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Original,
    Thumbnail,
}

impl Files {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.map(Into::into) }
    }

    /// Whether files are taken at all.
    pub(super) fn are_taken(&self) -> bool {
        self.folder.is_some()
    }

    /// Writes what was sent, synced, each under its name: all, or nothing stays.
    pub(super) async fn write(&self, files: Vec<(String, Bytes)>) -> io::Result<()> {
        let folder = self.folder()?;
        blocking(move || {
            make_folder(&folder)?;
            for (n, (name, bytes)) in files.iter().enumerate() {
                if let Err(error) = write(&folder.join(name), bytes) {
                    for (name, _) in &files[..=n] {
                        let _ = fs::remove_file(folder.join(name));
                    }
                    return Err(error);
                }
            }
            sync_folder(&folder)
        })
        .await
    }

    pub(super) async fn read(&self, id: &str, view: View) -> io::Result<Bytes> {
        let path = self.folder()?.join(name(id, view));
        blocking(move || fs::read(path).map(Bytes::from)).await
    }

    /// Removes files that nobody may fetch any more. One that cannot be removed now is swept away later.
    pub(super) async fn remove(&self, ids: Vec<String>) {
        let Ok(folder) = self.folder() else { return };
        let removed = blocking(move || {
            for id in ids {
                for view in [View::Original, View::Thumbnail] {
                    match fs::remove_file(folder.join(name(&id, view))) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                }
            }
            Ok(())
        });
        if let Err(error) = removed.await {
            tracing::warn!(%error, "old files cannot be removed now");
        }
    }

    /// The names of files that are older than `age` by the system's clock.
    pub(super) async fn older_than(&self, age: Duration) -> io::Result<Vec<String>> {
        let folder = self.folder()?;
        let entries = blocking(move || {
            let now = SystemTime::now();
            let mut old = Vec::new();
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let written = entry.metadata()?.modified()?;
                if now.duration_since(written).is_ok_and(|since| since > age)
                    && let Ok(name) = entry.file_name().into_string()
                {
                    old.push(name);
                }
            }
            Ok(old)
        });
        match entries.await {
            // Nothing was ever sent.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries,
        }
    }

    fn folder(&self) -> io::Result<Arc<Path>> {
        self.folder.clone().ok_or_else(|| io::Error::other("no folder for files was given"))
    }
}

/// A new id. It begins with the partition of its conversation.
pub(super) fn new_id(place: &Place) -> Arc<str> {
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    format!("{:02x}{}", place.partition, URL_SAFE_NO_PAD.encode(bytes)).into()
}

/// The partition that an id begins with; `None` for what is no id.
pub(super) fn partition(id: &str) -> Option<u16> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.len() < 3 || !id.bytes().all(fine) {
        return None;
    }
    u16::from_str_radix(&id[..2], 16).ok()
}

/// What a file is called on disk.
pub(super) fn name(id: &str, view: View) -> String {
    match view {
        View::Original => id.to_owned(),
        View::Thumbnail => format!("{id}{THUMBNAIL}"),
    }
}

/// The id in a file's name.
pub(super) fn id_of(name: &str) -> &str {
    name.strip_suffix(THUMBNAIL).unwrap_or(name)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// What people send is private: the folder and the files are the owner's alone.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    folder.parent().map_or(Ok(()), sync_folder)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(Some(folder.path().join("new/files")));
        assert_eq!(files.older_than(Duration::ZERO).await.unwrap(), Vec::<String>::new());
        let id = new_id(&Place::new("c").unwrap());
        let bytes = Bytes::from_static(b"a picture");
        files.write(vec![(name(&id, View::Original), bytes.clone())]).await.unwrap();
        assert_eq!(files.read(&id, View::Original).await.unwrap(), bytes);
        assert!(files.read(&id, View::Thumbnail).await.is_err());
        let other = (name(&new_id(&Place::new("c").unwrap()), View::Original), bytes);
        let wrong = ("no/such/folder".to_owned(), Bytes::new());
        assert!(files.write(vec![other.clone(), wrong]).await.is_err());
        assert!(files.read(&other.0, View::Original).await.is_err(), "all or nothing");
        assert_eq!(files.older_than(Duration::from_secs(3600)).await.unwrap(), Vec::<String>::new());
        files.remove(vec![id.to_string()]).await;
        files.remove(vec![id.to_string()]).await;
        assert!(files.read(&id, View::Original).await.is_err());
    }

    #[test]
    fn an_id_tells_its_partition_and_is_no_path() {
        let place = Place::new("c").unwrap();
        assert_eq!(partition(&new_id(&place)), Some(place.partition));
        for no_id in ["", "00", "../x", "00/x", "zzabc", "00a.thumbnail", "0é"] {
            assert_eq!(partition(no_id), None, "{no_id}");
        }
    }
}
