//! Clients that mean harm, beside the usual load: thousands of connections from other addresses of this machine that begin requests
//! and never end them, and some that send what is too much as fast as it is refused.
//!
//! They run on a thread of their own; what they cost the machine is part of what is measured. The rate of turns is compared, round by
//! round, with that of the same process before they came and after they went.
//!
//! Memory must be flat while the attack goes on, so the beginning and the end are the same thing at two times: the median of samples
//! under the usual load with everyone connected. The moment at which the last client has connected is neither: nothing of what is too much
//! has come yet, and half of the slow ones are still to be accepted; what the server then takes for each is what it takes for an attack of this size, and is
//! reported by itself, per connection.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::load;
use super::report::{Report, median};
use super::sink::Sink;
use super::subject::Subject;

const ROUNDS: usize = 3;
/// Addresses from 127.0.0.2 on, and what each opens. That is below what an address may have: all of it is let in.
const ADDRESSES: u8 = 30;
const SLOW_HEADS: usize = 50;
const SLOW_BODIES: usize = 50;
const CONNECTIONS: f64 = ADDRESSES as f64 * (SLOW_HEADS + SLOW_BODIES) as f64;
/// Loads between the first and the last at which memory is measured.
const BETWEEN: usize = 2;
/// How often memory is looked at.
const SAMPLED_EVERY: Duration = Duration::from_millis(50);
/// A byte of each slow request in this time.
const DRIP: Duration = Duration::from_secs(1);
/// One request of each that sends too much, in this time.
const TOO_MUCH: Duration = Duration::from_millis(100);

/// Measures, and adds to the report.
pub(super) async fn measure(data: &Path, report: &mut Report) -> Result<()> {
    let sink = Sink::start()?;
    for round in 0..ROUNDS {
        let subject = Subject::proact(&data.join(format!("hostile-{round}")))?;
        let (rate, alone) = sampled(&subject, &sink).await?;
        report.add("undisturbed", rate);
        let host = subject.host().parse()?;
        let (over, connected) = (CancellationToken::new(), CancellationToken::new());
        let thread = {
            let (over, connected) = (over.clone(), connected.clone());
            std::thread::spawn(move || attack(host, over, connected))
        };
        connected.cancelled().await;
        let (first, begin) = sampled(&subject, &sink).await?;
        let mut rates = vec![first];
        for _ in 0..BETWEEN {
            rates.push(load::rate(&subject, &sink, "help").await?);
        }
        let (last, end) = sampled(&subject, &sink).await?;
        rates.push(last);
        // One a round, as what it is held against: the mean of before and after.
        report.add("beside_hostile", rates.iter().sum::<f64>() / rates.len() as f64);
        report.add("hostile_memory_growth", end / begin);
        report.add("hostile_kib_a_connection", (begin - alone) * 1024.0 / CONNECTIONS);
        over.cancel();
        thread.join().map_err(|_| anyhow::anyhow!("the hostile clients panicked"))??;
        // Once more without them: what changed by itself is in both.
        report.add("undisturbed", load::rate(&subject, &sink, "help").await?);
        subject.stop()?;
    }
    Ok(())
}

/// Turns per second, and the memory that it takes meanwhile: the median, for what a request too large takes while it is refused comes and
/// goes.
async fn sampled(subject: &Subject, sink: &Sink) -> Result<(f64, f64)> {
    let mut samples = Vec::new();
    let mut every = tokio::time::interval(SAMPLED_EVERY);
    let mut measured = std::pin::pin!(load::rate(subject, sink, "help"));
    let rate = loop {
        tokio::select! {
            rate = measured.as_mut() => break rate?,
            _ = every.tick() => samples.push(subject.resident()?),
        }
    };
    // The first half is the warm-up, and at the beginning they are still being let in.
    Ok((rate, median(&samples[samples.len() / 2..])))
}

/// Connects everyone, says so, and goes on until it is over.
fn attack(host: SocketAddr, over: CancellationToken, connected: CancellationToken) -> Result<()> {
    // However it ends, the measurement does not wait for it.
    let connected = connected.drop_guard();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        for last in 2..2 + ADDRESSES {
            for _ in 0..SLOW_HEADS {
                let head = format!("POST /api/messages HTTP/1.1\r\nhost: {host}\r\nx-slow: ");
                clients.spawn(drip(connect(last, host).await?, head));
            }
            for _ in 0..SLOW_BODIES {
                clients.spawn(drip(connect(last, host).await?, head(host, "", 1_000)));
            }
        }
        let deep = "[".repeat(500_000);
        let wide = format!("{{{}}}", "\"a\":[],".repeat(80_000));
        let bomb = "x".repeat(100_000);
        for (last, more, body) in
            [(200, "", deep), (201, "", wide), (202, "content-encoding: gzip\r\n", bomb)]
        {
            let request = format!("{}{body}", head(host, more, body.len()));
            clients.spawn(send_too_much(last, host, request));
        }
        drop(connected);
        over.cancelled().await;
        clients.shutdown().await;
        Ok(())
    })
}

fn head(host: SocketAddr, more: &str, length: usize) -> String {
    format!(
        "POST /api/messages HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{more}content-length: {length}\r\n\r\n"
    )
}

async fn connect(last: u8, host: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    socket.connect(host).await.with_context(|| format!("from 127.0.0.{last}"))
}

/// Begins a request and goes on with it, a byte at a time, until the server has had enough.
async fn drip(mut stream: TcpStream, begin: String) -> Result<()> {
    stream.write_all(begin.as_bytes()).await?;
    loop {
        tokio::time::sleep(DRIP).await;
        if stream.write_all(b" ").await.is_err() {
            return Ok(());
        }
    }
}

/// Sends a request that is too much, again and again, each over a new connection.
async fn send_too_much(last: u8, host: SocketAddr, request: String) -> Result<()> {
    loop {
        let mut stream = connect(last, host).await?;
        let _ = stream.write_all(request.as_bytes()).await;
        let _ = stream.read(&mut [0; 1024]).await;
        tokio::time::sleep(TOO_MUCH).await;
    }
}
