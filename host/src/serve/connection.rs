use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::observe::Trouble;
use crate::serve::buffers;
use crate::serve::exchange::Exchange;
use crate::serve::service::Service;

/// A socket that sends each answer with its hop limit and in HTTP/1.1, leaves out
/// what hyper says to a head that it refuses, and gives up on a client that does
/// not take what is sent.
pub(crate) struct Connection {
    stream: TcpStream,
    service: Service,
    exchange: Arc<Exchange>,
    // What is set; none is the system's default.
    hop_limit: Option<u8>,
    // Of the answer that is being sent, in bytes.
    sent: usize,
    write_time: Duration,
    // Runs from the first write that waits until all is written.
    taking: Option<Pin<Box<Sleep>>>,
    is_given_up: bool,
}

/// EC2 answers in it whatever version the request has (RFC 9110, section 2.5).
const VERSION: &[u8] = b"HTTP/1.1";

impl Connection {
    pub(crate) fn new(stream: TcpStream, service: Service, exchange: Arc<Exchange>, write_time: Duration) -> Self {
        service.connected();
        Self { stream, service, exchange, hop_limit: None, sent: 0, write_time, taking: None, is_given_up: false }
    }

    /// Tells the client that nothing more comes. hyper has no say in it: it would
    /// do so before a head that it refuses is answered.
    pub(crate) async fn end(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Whether the client took too long to take what was sent.
    pub(crate) fn is_given_up(&self) -> bool {
        self.is_given_up
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

    /// Sets the hop limit that what is sent must have.
    fn apply_hop_limit(&mut self) -> io::Result<()> {
        let Some(wanted) = self.exchange.hop_limit() else {
            return Ok(());
        };
        if self.hop_limit == Some(wanted) {
            return Ok(());
        }
        if let Err(error) = self.set_hop_limit(wanted) {
            self.service.trouble(&Trouble::HopLimit(error));
            // A token that could travel further than it may is not sent at all.
            return Err(io::Error::other("the hop limit cannot be set"));
        }
        self.hop_limit = Some(wanted);
        Ok(())
    }

    fn set_hop_limit(&self, hop_limit: u8) -> io::Result<()> {
        let socket = SockRef::from(&self.stream);
        let (v4, v6) = match self.stream.local_addr()? {
            SocketAddr::V4(_) => (true, false),
            // IPv4 through a socket for both sends with the limit of IPv4.
            SocketAddr::V6(local) => (local.ip().to_ipv4_mapped().is_some(), true),
        };
        if v4 {
            socket.set_ttl_v4(hop_limit.into())?;
        }
        if v6 {
            socket.set_unicast_hops_v6(hop_limit.into())?;
        }
        Ok(())
    }

    /// Sends bytes of an answer, with our version in place of that with which
    /// hyper begins it: the request's.
    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let version = VERSION.get(self.sent..).unwrap_or_default();
        let rest = bytes.get(version.len()..).unwrap_or_default();
        let written = if rest.is_empty() || bytes.starts_with(version) {
            Pin::new(&mut self.stream).poll_write(cx, bytes)
        } else {
            Pin::new(&mut self.stream).poll_write(cx, &[version, rest].concat())
        };
        if let Poll::Ready(Ok(count)) = written {
            self.sent += count;
        }
        written
    }

    /// Fails where the client of an answer that is held back is gone, which hyper
    /// would not see: it reads nothing meanwhile.
    fn check_client(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut byte = [0];
        match self.stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)) {
            // It closed its side. Nearly always it is gone; else it gets its answer,
            // unless its place is needed.
            Poll::Ready(Ok(0)) if self.exchange.is_open() => self.exchange.end(),
            // One that says more is there.
            Poll::Ready(Ok(_)) | Poll::Pending => {}
            Poll::Ready(Err(error)) => return Err(error),
        }
        Ok(())
    }

    /// Fails where the client takes too long to take what is sent, however it
    /// goes on in small pieces.
    fn check_time<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let write_time = self.write_time;
        let taking = self.taking.get_or_insert_with(|| Box::pin(sleep(write_time)));
        self.exchange.stall();
        ready!(taking.as_mut().poll(cx));
        self.is_given_up = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // It ends in the midst of an answer that its client does not take. What the
        // system still has of that would outlive the connection.
        if self.taking.is_some() {
            let _ = buffers::abandon(&self.stream);
        }
        self.service.disconnected();
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

/// Without writing of several slices: answers are small, and to copy a body
/// costs less than to send it apart from its head.
impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.exchange.is_answering() {
            // hyper's answer to a head that it refuses; the server sends another.
            return Poll::Ready(Ok(bytes.len()));
        }
        self.apply_hop_limit()?;
        let written = self.poll_send(cx, bytes);
        self.check_time(cx, written)
    }

    /// hyper flushes when it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.taking = None;
        self.sent = 0;
        self.exchange.sent();
        if self.exchange.is_held_back() {
            self.check_client(cx)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Leaves it to [`end`](Connection::end).
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Read;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
    use std::thread;

    use super::*;
    use crate::serve::admission::Bounds;
    use crate::{Answered, Observer, Runtime};

    /// A connection and its client.
    struct Ends {
        connection: Connection,
        exchange: Arc<Exchange>,
        client: std::net::TcpStream,
    }

    impl Ends {
        async fn new(observer: impl Observer, write_time: Duration) -> Self {
            let local = IpAddr::from(Ipv4Addr::LOCALHOST);
            Self::between(local, local, observer, write_time).await.unwrap()
        }

        async fn between(
            server: IpAddr,
            client: IpAddr,
            observer: impl Observer,
            write_time: Duration,
        ) -> io::Result<Self> {
            let listener = TcpListener::bind((server, 0))?;
            let client = std::net::TcpStream::connect((client, listener.local_addr()?.port()))?;
            let (stream, _) = listener.accept()?;
            stream.set_nonblocking(true)?;
            let stream = TcpStream::from_std(stream)?;
            let instance = Runtime::new().unwrap().open(&Default::default(), &Default::default()).unwrap();
            let service = Service::new(instance).observer(observer);
            let exchange = Arc::new(Exchange::new(
                service.places().take(client.local_addr()?.ip(), Bounds { places: 1, share: 1 }).await,
            ));
            exchange.receive();
            let connection = Connection::new(stream, service, Arc::clone(&exchange), write_time);
            Ok(Self { connection, exchange, client })
        }

        async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            let connection = &mut self.connection;
            poll_fn(|cx| Pin::new(&mut *connection).poll_write(cx, bytes)).await.map(drop)
        }

        async fn answer(&mut self, hop_limit: Option<u8>) -> io::Result<()> {
            self.exchange.receive();
            self.exchange.begin().await;
            self.exchange.send(hop_limit);
            self.write(b"answer").await?;
            let connection = &mut self.connection;
            poll_fn(|cx| Pin::new(&mut *connection).poll_flush(cx)).await
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn silent(_: &Answered<'_>) {}

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_hop_limit_is_lowered_and_never_raised() {
        block_on(async {
            let mut ends = Ends::new(silent, LONG).await;
            let ttl = |ends: &Ends| SockRef::from(&ends.connection.stream).ttl_v4().unwrap();
            let default = ttl(&ends);
            for (hop_limit, set) in [(None, default), (Some(3), 3), (None, 3), (Some(64), 3), (Some(1), 1), (None, 1)] {
                ends.answer(hop_limit).await.unwrap();
                assert_eq!(ttl(&ends), set, "{hop_limit:?}");
            }
        });
    }

    #[test]
    fn a_hop_limit_holds_over_ipv6_and_for_ipv4_under_it() {
        block_on(async {
            let v6 = |address: Ipv6Addr| IpAddr::from(address);
            for (server, client) in [
                (v6(Ipv6Addr::LOCALHOST), v6(Ipv6Addr::LOCALHOST)),
                (v6(Ipv6Addr::UNSPECIFIED), IpAddr::from(Ipv4Addr::LOCALHOST)),
            ] {
                let Ok(mut ends) = Ends::between(server, client, silent, LONG).await else {
                    // A machine without IPv6.
                    continue;
                };
                ends.answer(Some(1)).await.unwrap();
                ends.answer(None).await.unwrap();
                let socket = SockRef::from(&ends.connection.stream);
                assert_eq!(socket.unicast_hops_v6().unwrap(), 1);
                if client.is_ipv4() {
                    assert_eq!(socket.ttl_v4().unwrap(), 1);
                }
            }
        });
    }

    // Elsewhere a hop limit of 0 can be set.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_answer_whose_hop_limit_cannot_be_set_is_not_sent() {
        struct Tell(std::sync::mpsc::Sender<String>);
        impl Observer for Tell {
            fn answered(&self, _: &Answered<'_>) {}
            fn trouble(&self, trouble: &Trouble) {
                self.0.send(trouble.to_string()).unwrap();
            }
        }
        let (tell, told) = std::sync::mpsc::channel();
        block_on(async {
            let mut ends = Ends::new(Tell(tell), LONG).await;
            assert!(ends.answer(Some(0)).await.is_err());
            drop(ends.connection);
            let mut received = String::new();
            ends.client.read_to_string(&mut received).unwrap();
            assert_eq!(received, "");
        });
        assert!(told.recv().unwrap().starts_with("cannot set the hop limit of an answer, which was not sent: "));
    }

    #[test]
    fn a_client_that_goes_on_taking_an_answer_is_given_up() {
        // Far more than it may take, and not for ever.
        const PIECES_MAX: u32 = 1 << 18;
        block_on(async {
            let mut ends = Ends::new(silent, Duration::from_millis(50)).await;
            let mut client = ends.client.try_clone().unwrap();
            let reading = thread::spawn(move || {
                let mut pieces = 0;
                while pieces < PIECES_MAX && matches!(client.read(&mut [0; 1 << 14]), Ok(1..)) {
                    pieces += 1;
                }
                pieces
            });
            let error = loop {
                if let Err(error) = ends.write(&[b'x'; 1 << 16]).await {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            drop(ends.connection);
            assert!(reading.join().unwrap() < PIECES_MAX);
        });
    }
}
