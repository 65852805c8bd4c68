//! What Proact promises, proved on the real binary from outside: it is killed, its system calls are traced and made to
//! fail, and what its clients were told is held against what a channel saw and what the store holds.
//!
//! `PROACT_BIN` names the binary to prove (`cargo xtask test` names the release build); without it, it is the one that
//! cargo built for this test. The proofs run one after the other, so that none disturbs another's timing, and none asserts
//! how fast anything is.

mod kill;
#[cfg(feature = "failpoints")]
mod points;
mod trace;

use std::path::PathBuf;

/// The binary to prove.
fn binary() -> PathBuf {
    std::env::var_os("PROACT_BIN").map_or_else(|| env!("CARGO_BIN_EXE_proact").into(), PathBuf::from)
}

/// Held by a proof while it runs.
async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    ALONE.lock().await
}
