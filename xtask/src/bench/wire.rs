//! HTTP/1.1 by hand, over one connection that stays open: the load generator and the sink must cost little beside what they
//! measure.

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection with what was read and not used yet.
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    used: usize,
}

/// A request or a response: where its head and its body stand in the buffer.
pub(super) struct Message {
    head: std::ops::Range<usize>,
    body: std::ops::Range<usize>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024), used: 0 })
    }

    pub(super) async fn connect(address: &str) -> Result<Self> {
        Self::new(TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?)
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Reads the next message; `None` if the other side is done.
    pub(super) async fn read(&mut self) -> Result<Option<Message>> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if !self.more().await? {
                return Ok(None);
            }
        };
        let length = content_length(&self.buffer[..head])?;
        while self.buffer.len() < head + length {
            if !self.more().await? {
                bail!("the connection ended within a body");
            }
        }
        self.used = head + length;
        Ok(Some(Message { head: 0..head, body: head..head + length }))
    }

    pub(super) fn body(&self, message: &Message) -> &[u8] {
        &self.buffer[message.body.clone()]
    }

    /// The status of a response.
    pub(super) fn status(&self, message: &Message) -> u16 {
        let digits = self.buffer[message.head.clone()].get(9..12).unwrap_or_default();
        std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// Posts JSON; the status of the answer.
    pub(super) async fn post(&mut self, request: &[u8]) -> Result<u16> {
        self.write(request).await?;
        let answer = self.read().await?.context("the server closed the connection")?;
        Ok(self.status(&answer))
    }

    async fn more(&mut self) -> Result<bool> {
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}

/// A whole request that posts JSON.
pub(super) fn request(host: &str, path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn content_length(head: &[u8]) -> Result<usize> {
    const NAME: &[u8] = b"content-length:";
    for line in head.split(|byte| *byte == b'\n') {
        if line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME) {
            return Ok(std::str::from_utf8(&line[NAME.len()..])?.trim().parse()?);
        }
        if line.len() > 18 && line[..18].eq_ignore_ascii_case(b"transfer-encoding:") {
            bail!("a body in chunks was not expected");
        }
    }
    Ok(0)
}
