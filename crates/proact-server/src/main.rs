//! `proact`: proactive messages over the Activity protocol, in one binary. `proact --help` says what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    proact_server::cli::main()
}
