//! Connections that the fake channel can break while a request is on them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The hand on one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cut: bool,
    /// Our side is to be closed in place of the response that comes next.
    half: bool,
    /// Goes out in place of whatever is written next.
    instead: Option<Bytes>,
    waker: Option<Waker>,
}

impl Wire {
    /// Closes the connection; nothing more is written to it.
    pub(super) fn cut(&self) {
        let mut state = self.state();
        state.cut = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Writes `bytes` in place of the response that comes next, then closes the connection.
    pub(super) fn say_instead(&self, bytes: Bytes) {
        self.state().instead = Some(bytes);
    }

    /// Closes the channel's side in place of the response that comes next; what the other side sends is still read.
    pub(super) fn close_half(&self) {
        self.state().half = true;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        let mut state = self.state();
        if state.cut {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// All connections that are open.
#[derive(Clone, Debug, Default)]
pub(super) struct Wires(Arc<Mutex<Vec<Weak<Mutex<State>>>>>);

impl Wires {
    pub(super) fn cut_all(&self) {
        for wire in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if let Some(state) = wire.upgrade() {
                Wire(state).cut();
            }
        }
    }

    fn add(&self, wire: &Wire) {
        let mut wires = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wires.retain(|wire| wire.strong_count() > 0);
        wires.push(Arc::downgrade(&wire.0));
    }
}

/// A listener whose connections can be cut; what stands for the peer's address is the hand on the connection.
pub(super) struct CuttableListener {
    pub(super) listener: TcpListener,
    pub(super) wires: Wires,
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = Wire;

    async fn accept(&mut self) -> (CuttableStream, Wire) {
        let (stream, _): (TcpStream, SocketAddr) = Listener::accept(&mut self.listener).await;
        // Without it, small answers would wait for acknowledgements.
        let _ = stream.set_nodelay(true);
        let wire = Wire::default();
        self.wires.add(&wire);
        (CuttableStream { stream, wire: wire.clone() }, wire)
    }

    fn local_addr(&self) -> io::Result<Wire> {
        Ok(Wire::default())
    }
}

pub(super) struct CuttableStream {
    stream: TcpStream,
    wire: Wire,
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.wire.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.wire.check(cx)?;
        if self.wire.state().half {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            return Poll::Ready(Ok(buf.len()));
        }
        let Some(mut instead) = self.wire.state().instead.clone() else {
            return Pin::new(&mut self.stream).poll_write(cx, buf);
        };
        while instead.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &instead))?;
            instead.advance(written);
            self.wire.state().instead = Some(instead.clone());
        }
        self.wire.cut();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
