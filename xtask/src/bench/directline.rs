//! The channel: how long from a post to its echo on a stream, beside how many other streams; what an idle stream costs;
//! and whether the newest page of a long history is read as fast as that of a short one.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::report::{Report, median, percentile};
use super::stream::Stream;
use super::subject::Subject;
use super::wire::{Wire, find};

/// Open streams, and what the figures beside them are called.
const STREAMS: [(usize, &str, &str); 3] = [
    (1, "echo_p50_ms_1_stream", "echo_p99_ms_1_stream"),
    (100, "echo_p50_ms_100_streams", "echo_p99_ms_100_streams"),
    (5_000, "echo_p50_ms_5k_streams", "echo_p99_ms_5k_streams"),
];
/// Streams that are opened at once.
const AT_ONCE: usize = 64;
const WARM_UP: usize = 50;
const SAMPLES: usize = 500;
const SHORT: usize = 1_000;
const LONG: usize = 1_000_000;
/// Activities in one request that brings history along.
const PART: usize = 500;
const PAGE: usize = 100;

pub(super) async fn measure(data: &Path, report: &mut Report) -> Result<()> {
    enough_file_handles()?;
    // History is not to be pruned while it is measured.
    let subject = Subject::proact_with(data, &[("PROACT_DIRECTLINE_HISTORY_LENGTH", "0")])?;
    let channel = Channel::new(&subject, data)?;
    streams(&channel, &subject, report).await?;
    history(&channel, report).await?;
    subject.stop()
}

async fn streams(channel: &Channel, subject: &Subject, report: &mut Report) -> Result<()> {
    let talk = channel.start().await?;
    let mut measured = Stream::open(&talk.stream_url).await?;
    let mut wire = Wire::connect(&channel.host).await?;
    let mut said = 0;
    echo(channel, &talk, &mut wire, &mut measured, &mut said, WARM_UP).await?;
    let mut idle = Vec::new();
    for (count, p50, p99) in STREAMS {
        let others = channel.start_many(count - 1 - idle.len()).await?;
        let before = subject.resident()?;
        let opened = others.len();
        idle.extend(open(others).await?);
        if opened > 1_000 {
            // What the first frames needed is given back.
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            let bytes = (subject.resident()? - before) * f64::from(1 << 20);
            report.add("idle_stream_kb", bytes / 1e3 / opened as f64);
        }
        let times = echo(channel, &talk, &mut wire, &mut measured, &mut said, SAMPLES).await?;
        report.add(p50, median(&times));
        report.add(p99, percentile(&times, 0.99));
    }
    Ok(())
}

/// Milliseconds from a post to its echo, one at a time.
async fn echo(
    channel: &Channel,
    talk: &Talk,
    wire: &mut Wire,
    stream: &mut Stream,
    said: &mut usize,
    samples: usize,
) -> Result<Vec<f64>> {
    let mut times = Vec::with_capacity(samples);
    for _ in 0..samples {
        *said += 1;
        let text = format!("measured {said}.");
        let body = json!({"type": "message", "from": {"id": "dl_bench"}, "text": text}).to_string();
        let request = channel.request(&format!("conversations/{}/activities", talk.id), &talk.token, &body);
        let started = Instant::now();
        wire.write(&request).await?;
        while find(&stream.next().await?, text.as_bytes()).is_none() {}
        times.push(started.elapsed().as_secs_f64() * 1e3);
        let answer = wire.read().await?.context("an answer")?;
        ensure!(wire.status(&answer) == 200, "a message was answered with {}", wire.status(&answer));
    }
    Ok(times)
}

async fn open(talks: Vec<Talk>) -> Result<Vec<Stream>> {
    let mut streams = Vec::with_capacity(talks.len());
    for some in talks.chunks(AT_ONCE) {
        let mut opening = JoinSet::new();
        for talk in some {
            let url = talk.stream_url.clone();
            opening.spawn(async move {
                let mut stream = Stream::open(&url).await?;
                // The first frame says that it is served.
                stream.next().await?;
                anyhow::Ok(stream)
            });
        }
        while let Some(stream) = opening.join_next().await {
            streams.push(stream??);
        }
    }
    Ok(streams)
}

/// Reads the newest page of a short history and of a long one in turn.
async fn history(channel: &Channel, report: &mut Report) -> Result<()> {
    let (short, long) = (channel.start().await?, channel.start().await?);
    let short = channel.fill(&short, SHORT).await?;
    let started = Instant::now();
    let long = channel.fill(&long, LONG).await?;
    report.add("history_seeded_per_s", LONG as f64 / started.elapsed().as_secs_f64());
    let (mut of_short, mut of_long) = (Vec::new(), Vec::new());
    for _ in 0..WARM_UP + SAMPLES {
        for (url, times) in [(&short, &mut of_short), (&long, &mut of_long)] {
            let started = Instant::now();
            let page = channel.get(url).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            let activities = page["activities"].as_array().map_or(0, Vec::len);
            ensure!(activities == PAGE, "{activities} activities on the newest page");
        }
    }
    report.add("newest_page_ms_of_1k", median(&of_short[WARM_UP..]));
    report.add("newest_page_ms_of_1m", median(&of_long[WARM_UP..]));
    Ok(())
}

struct Channel {
    host: String,
    secret: String,
    http: reqwest::Client,
}

#[derive(Clone)]
struct Talk {
    id: String,
    token: String,
    stream_url: String,
}

impl Channel {
    fn new(subject: &Subject, data: &Path) -> Result<Self> {
        let secret = std::fs::read_to_string(data.join("directline.secret"))?.trim().to_owned();
        Ok(Self {
            host: subject.host().to_owned(),
            secret,
            http: reqwest::Client::builder().no_proxy().build()?,
        })
    }

    fn request(&self, path: &str, token: &str, body: &str) -> Vec<u8> {
        format!(
            "POST /v3/directline/{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        )
        .into_bytes()
    }

    async fn start(&self) -> Result<Talk> {
        let url = format!("http://{}/v3/directline/conversations", self.host);
        let user = r#"{"user":{"id":"dl_bench"}}"#;
        talk(
            self.http
                .post(url)
                .bearer_auth(&self.secret)
                .header("content-type", "application/json")
                .body(user),
        )
        .await
    }

    async fn start_many(&self, count: usize) -> Result<Vec<Talk>> {
        let mut talks = Vec::with_capacity(count);
        while talks.len() < count {
            let mut starting = JoinSet::new();
            for _ in 0..AT_ONCE.min(count - talks.len()) {
                let channel =
                    Self { host: self.host.clone(), secret: self.secret.clone(), http: self.http.clone() };
                starting.spawn(async move { channel.start().await });
            }
            while let Some(talk) = starting.join_next().await {
                talks.push(talk??);
            }
        }
        Ok(talks)
    }

    /// Brings along a history of so many activities; the URL of its newest page.
    async fn fill(&self, talk: &Talk, count: usize) -> Result<String> {
        self.bring(talk, count - PAGE).await?;
        // Where the stream of somebody who comes now begins is where the newest page will.
        let url = format!("http://{}/v3/directline/conversations/{}", self.host, talk.id);
        let now = self::talk(self.http.get(&url).bearer_auth(&self.secret)).await?;
        let watermark = now.stream_url.split_once("watermark=").and_then(|(_, rest)| rest.split('&').next());
        let watermark = watermark.context("a watermark")?.to_owned();
        self.bring(talk, PAGE).await?;
        Ok(format!("{url}/activities?watermark={watermark}"))
    }

    async fn bring(&self, talk: &Talk, count: usize) -> Result<()> {
        let url = format!("http://{}/v3/conversations/{}/activities/history", self.host, talk.id);
        let mut brought = 0;
        while brought < count {
            let part = PART.min(count - brought);
            let activities: Vec<_> = (0..part)
                .map(|n| json!({"type": "message", "text": format!("activity {} of a long history", brought + n)}))
                .collect();
            let body = json!({ "activities": activities }).to_string();
            let posted =
                self.http.post(&url).header("content-type", "application/json").body(body).send().await?;
            ensure!(posted.status() == 200, "history was answered with {}", posted.status());
            brought += part;
        }
        Ok(())
    }

    async fn get(&self, url: &str) -> Result<Value> {
        let answer = self.http.get(url).bearer_auth(&self.secret).send().await?;
        ensure!(answer.status() == 200, "a page was answered with {}", answer.status());
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}

async fn talk(request: reqwest::RequestBuilder) -> Result<Talk> {
    let answer = request.send().await?;
    ensure!(answer.status().is_success(), "a conversation was answered with {}", answer.status());
    let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let text = |name: &str| anyhow::Ok(answer[name].as_str().context("a field")?.to_owned());
    Ok(Talk { id: text("conversationId")?, token: text("token")?, stream_url: text("streamUrl")? })
}

/// A stream is a file handle at both ends, and what is measured inherits this process's limit.
fn enough_file_handles() -> Result<()> {
    const NEEDED: u64 = 6_000;
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line =
        limits.lines().find(|line| line.starts_with("Max open files")).context("a limit of open files")?;
    let soft = line.split_whitespace().nth(3).unwrap_or_default();
    if soft != "unlimited" && soft.parse::<u64>()? < NEEDED {
        bail!(
            "{soft} open files are allowed and 5,000 streams need {NEEDED}: say `ulimit -n {NEEDED}` first"
        );
    }
    Ok(())
}
