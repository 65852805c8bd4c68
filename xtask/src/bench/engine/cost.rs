//! What a delivered message costs the server in processor time: of each way to come about, with nothing else in the figure. Rates say
//! little on a machine that others use; this says the same there, within a few hundredths. With `PROACT_BENCH_AGAINST` it measures that
//! binary too, in turn, and prints the ratio.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::intake::Intake;
use super::{MANY, copied, meet, to_sink};
use crate::bench::load;
use crate::bench::report::median;
use crate::bench::sink::Sink;
use crate::bench::subject::Subject;
use crate::shell::release_binary;

const ROUNDS: usize = 5;
const DUE_IN: Duration = Duration::from_secs(4);

/// How the messages come about.
#[derive(Clone, Copy)]
enum Way {
    Accepted,
    Completed,
    Due,
}

const WAYS: [(&str, Way); 3] =
    [("accepted", Way::Accepted), ("completed", Way::Completed), ("due at once", Way::Due)];

/// Measures and prints; `folder` is on the disk that is measured.
pub(in crate::bench) async fn measure(folder: &Path) -> Result<()> {
    let sink = Sink::start()?;
    let seed = folder.join("cost-seed");
    meet(&seed, std::slice::from_ref(&sink)).await?;
    let against = std::env::var_os("PROACT_BENCH_AGAINST").map(PathBuf::from);
    for (name, way) in WAYS {
        let (mut costs, mut ratios) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let one = one(&release_binary(), &seed, folder, &sink, way).await?;
            costs.push(one);
            if let Some(other) = &against {
                let other = self::one(other, &seed, folder, &sink, way).await?;
                println!("  {name}, round {}: {one:.1} µs, the other {other:.1} µs", round + 1);
                ratios.push(one / other);
            }
        }
        print!("{name}: {:.1} µs a message", median(&costs));
        if !ratios.is_empty() {
            print!(", {:.3} of the other", median(&ratios));
        }
        println!();
    }
    Ok(())
}

/// Microseconds of processor time a message.
async fn one(binary: &Path, seed: &Path, folder: &Path, sink: &Sink, way: Way) -> Result<f64> {
    let subject = Subject::binary(binary, &copied(seed, folder)?, &[])?;
    if matches!(way, Way::Completed) {
        load::exactly(&subject, sink, "run", MANY).await?;
    }
    let mut before = subject.cpu()?;
    let intake = Intake::new(&subject);
    match way {
        Way::Accepted => to_sink(sink, MANY, intake.singles(MANY, 64)).await?,
        Way::Completed => to_sink(sink, MANY, intake.completions(MANY, 64)).await?,
        Way::Due => {
            let due = tokio::time::Instant::now() + DUE_IN;
            let due_at = jiff::Timestamp::now() + DUE_IN;
            intake.batches(MANY, 1_000, 4, Some(due_at)).await?;
            anyhow::ensure!(due > tokio::time::Instant::now(), "accepting took too long");
            // Only what comes after the acceptance is measured.
            tokio::time::sleep_until(due - Duration::from_millis(50)).await;
            before = subject.cpu()?;
            to_sink(sink, MANY, async { Ok(()) }).await?
        }
    };
    // The last outcomes are written after the last arrival.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let cpu = subject.cpu()? - before;
    Ok(cpu.as_secs_f64() * 1e6 / MANY as f64)
}
