//! What the disk gives: the time that one synced write of a page takes, and copies of data folders.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

const SAMPLES: usize = 300;

/// The median time of a 4 KiB write and its sync, in milliseconds.
pub(super) fn sync_time(folder: &Path) -> Result<f64> {
    let file =
        File::options().create(true).truncate(true).read(true).write(true).open(folder.join("sync"))?;
    let page = [7_u8; 4096];
    let mut times = Vec::with_capacity(SAMPLES);
    for sample in 0..SAMPLES {
        let started = Instant::now();
        file.write_at(&page, (sample % 64 * page.len()) as u64)?;
        file.sync_all()?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(super::report::median(&times))
}

/// Copies a folder of files. They are on the disk when it is done: what is measured next is not to wait for their bytes.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let copy = to.join(entry.file_name());
            std::fs::copy(entry.path(), &copy)?;
            File::open(copy)?.sync_all()?;
        }
    }
    Ok(())
}
