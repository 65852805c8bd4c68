//! `proact`: proactive messages over the Activity protocol, in one binary. `proact --help` says what it does.

use std::process::ExitCode;

/// Many short-lived allocations of a few kilobytes, on every thread: measured by `cargo xtask bench` against the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    proact_server::cli::main()
}
