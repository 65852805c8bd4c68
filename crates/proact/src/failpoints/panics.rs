//! Loops that can be made to panic.
//!
//! `PROACT_PANIC=<file>` names a file: as soon as it says a loop's name, that loop panics, in the midst of whatever it does.

use std::future::Future;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

static FILE: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| std::env::var_os("PROACT_PANIC").map(PathBuf::from));

/// How often the file is read.
const EVERY: Duration = Duration::from_millis(10);

/// `work`, which panics when the file says `name`.
pub(crate) async fn panicking(name: &'static str, work: impl Future<Output = ()>) {
    let Some(file) = &*FILE else { return work.await };
    let told = async {
        while std::fs::read_to_string(file).map_or(true, |text| text.trim() != name) {
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = told => panic!("{name} is told to panic"),
    }
}
