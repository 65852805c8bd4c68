//! Tasks of the project, as `cargo xtask <task>`; each ends with an error code when anything in it failed.
//!
//! | task | what it does |
//! | --- | --- |
//! | `test` | every test there is, on a fresh machine with Rust and nothing else |
//! | `lint` | format, clippy and documentation, warnings denied |
//! | `web` | rebuilds the page (`web/dist`) from its sources |
//! | `torture --minutes M --seed S` | the binary killed, starved and misled for so long, and every promise held against it |
//! | `bench` | every figure of time and memory, as a table and in `target/bench.json`; `bench completions`, `bench directline`, `bench engine`, `bench hosts`, `bench hostile`: a part alone; `bench cost`: processor time a message, for busy machines |

mod bench;
mod interop;
mod lint;
mod machine;
mod shell;
mod test;
mod torture;
mod web;

use std::process::ExitCode;

const USAGE: &str =
    "usage: cargo xtask test | lint | web | bench | torture [--minutes M] [--seed S] [--episode E]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["test"] => test::run(),
        ["lint"] => lint::run(),
        ["web"] => web::rebuild(),
        ["torture", options @ ..] => torture::build_and_run(options),
        ["torture-run", options @ ..] => torture::part(options),
        ["bench"] => bench::build_and_run("all"),
        ["bench", part @ ("completions" | "cost" | "directline" | "engine" | "hosts" | "hostile")] => {
            bench::build_and_run(part)
        }
        [hidden] if hidden.starts_with("bench-") => bench::part(hidden),
        _ => Err(anyhow::anyhow!("{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
