//! A client's end of a stream (`WebSocket`), by hand: thousands of them must cost the measuring program little.

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::find;

/// Any sixteen bytes in Base64 will do (RFC 6455, 4.1): what the server makes of them is not looked at.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

pub(super) struct Stream {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Stream {
    /// Opens a stream's URL.
    pub(super) async fn open(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("ws://").context("a URL of a stream")?;
        let (host, path) = rest.split_once('/').context("a path")?;
        let mut stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut buffer = Vec::with_capacity(1024);
        let head = loop {
            if let Some(end) = find(&buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                bail!("the server closed the connection");
            }
        };
        if !buffer.starts_with(b"HTTP/1.1 101") {
            bail!("the stream does not open: {}", String::from_utf8_lossy(&buffer[..head]));
        }
        buffer.drain(..head);
        Ok(Self { stream, buffer })
    }

    /// The next text that is not empty.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>> {
        loop {
            let (kind, text) = self.frame().await?;
            match kind {
                1 if !text.is_empty() => return Ok(text),
                8 => bail!("the server closed the stream"),
                _ => {}
            }
        }
    }

    /// A frame of a server: whole and not masked.
    async fn frame(&mut self) -> Result<(u8, Vec<u8>)> {
        self.have(2).await?;
        let kind = self.buffer[0] & 0x0f;
        let (head, length) = match self.buffer[1] {
            126 => {
                self.have(4).await?;
                (4, u64::from(u16::from_be_bytes([self.buffer[2], self.buffer[3]])))
            }
            127 => {
                self.have(10).await?;
                let bytes: [u8; 8] = self.buffer[2..10].try_into()?;
                (10, u64::from_be_bytes(bytes))
            }
            length => (2, u64::from(length)),
        };
        let end = head + usize::try_from(length)?;
        self.have(end).await?;
        let text = self.buffer[head..end].to_vec();
        self.buffer.drain(..end);
        Ok((kind, text))
    }

    async fn have(&mut self, bytes: usize) -> Result<()> {
        while self.buffer.len() < bytes {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
        Ok(())
    }
}
