use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::exchange::Exchange;
use crate::observer::Trouble;
use crate::service::Service;

/// A socket that sends each answer with its hop limit and gives up on a peer
/// that does not take what is sent.
pub(crate) struct Connection {
    stream: TcpStream,
    service: Service,
    exchange: Arc<Exchange>,
    applied: u8,
    // What to go back to after an answer with a limit of its own.
    default: Option<Defaults>,
    write_time: Duration,
    // Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy)]
struct Defaults {
    v4: Option<u32>,
    v6: Option<u32>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, service: Service, exchange: Arc<Exchange>, write_time: Duration) -> Self {
        Self { stream, service, exchange, applied: 0, default: None, write_time, stalled: None }
    }

    /// Throws away what was received, if anything was; 0 at the stream's end.
    pub(crate) fn try_discard(&self) -> io::Result<usize> {
        self.stream.try_read(&mut [0; 4096])
    }

    /// Waits for something to throw away.
    pub(crate) async fn discard(&self) -> io::Result<usize> {
        loop {
            self.stream.readable().await?;
            match self.try_discard() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    fn apply_hop_limit(&mut self) {
        let wanted = self.exchange.hop_limit().unwrap_or(0);
        if wanted == self.applied {
            return;
        }
        // Set even where it fails, so that the trouble is told once for an answer.
        self.applied = wanted;
        if let Err(error) = self.set_hop_limit(wanted) {
            self.service.trouble(&Trouble::HopLimit(error));
        }
    }

    fn set_hop_limit(&mut self, wanted: u8) -> io::Result<()> {
        let socket = SockRef::from(&self.stream);
        let (v4, v6) = match self.stream.peer_addr()? {
            SocketAddr::V4(_) => (true, false),
            // IPv4 through a socket for both sends with the limit of IPv4.
            SocketAddr::V6(peer) => (peer.ip().to_ipv4_mapped().is_some(), true),
        };
        let default = match self.default {
            Some(default) => default,
            None => Defaults {
                v4: v4.then(|| socket.ttl_v4()).transpose()?,
                v6: v6.then(|| socket.unicast_hops_v6()).transpose()?,
            },
        };
        self.default = Some(default);
        let limit = |default| if wanted == 0 { default } else { u32::from(wanted) };
        if let Some(default) = default.v4 {
            socket.set_ttl_v4(limit(default))?;
        }
        if let Some(default) = default.v6 {
            socket.set_unicast_hops_v6(limit(default))?;
        }
        Ok(())
    }

    /// Fails once a write has waited for too long.
    fn check_progress<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let write_time = self.write_time;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(write_time)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.apply_hop_limit();
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.check_progress(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.apply_hop_limit();
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.check_progress(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.exchange.sent();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
