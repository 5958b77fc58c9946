//! HTTP/1.1 on a listener, by hyper.
//!
//! DIFFERENCE: what hyper does by itself, where the component has no say and
//! nobody recorded EC2:
//!
//! - Which heads cannot be read: among others those with a space, `<`, `>` or a
//!   grave accent in the target, with bytes there that are no UTF-8, with control
//!   characters or line ends in a value. They get 400, and those above the limits
//!   431. hyper's answers to them are thrown away: their heads are those of the
//!   service's refusals, status line and all fields.
//! - Which connections of clients of HTTP/1.0 stay open, where any do: those that
//!   ask for it. That the answer is one of HTTP/1.1 is ours: see `Connection`.
//! - A target loses its fragment: `/latest/#x` is `/latest/`.
//! - A body that is expected to be asked for is asked for, by `100 Continue`.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::engine::{Answer, Delivery, Limits};
use crate::observe::Trouble;
use crate::serve::admission::{Bounds, Place};
use crate::serve::buffers;
use crate::serve::caller::Caller;
use crate::serve::connection::Connection;
use crate::serve::exchange::Exchange;
use crate::serve::fault_delivery::{Sent, Struck, deliver, withhold};
use crate::serve::service::{HopLimit, Service};

/// Serves on a listener until `shutdown` completes, then lets open requests
/// end for up to `limits.stop_time`.
///
/// The caller owns the listener and the signal, and runs this in tokio, with
/// its timers and input and output enabled. A connection that cannot be
/// accepted is told to the service's observer and tried again, after up to a
/// second.
///
/// On several listeners, serve clones of one service: they share the
/// `limits.connections`.
///
/// ```
/// use imds_host::{Limits, Runtime, Service, serve};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// println!("http://{}", listener.local_addr()?);
/// let shutdown = async { /* for instance tokio::signal::ctrl_c().await */ };
/// serve(listener, Service::new(instance), Limits::default(), shutdown).await;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub async fn serve(listener: TcpListener, service: Service, limits: Limits, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    buffers::bound(&listener, &limits);
    let limits = Arc::new(limits);
    let bounds = Bounds { places: limits.connections.max(1), share: limits.connections_per_caller.max(1) };
    let (stop, stopped) = watch::channel(());
    let mut open = JoinSet::new();
    loop {
        let admitting = async {
            let (stream, peer) = accept(&listener, &service).await;
            let caller = peer.ip().to_canonical();
            // Until there is one, more connections wait in the backlog.
            (stream, caller, service.places().take_in_turn(caller, bounds).await)
        };
        let (stream, caller, place) = tokio::select! {
            admitted = admitting => admitted,
            () = &mut shutdown => break,
        };
        match place {
            Some(place) => {
                open.spawn(on_connection(stream, place, service.clone(), Arc::clone(&limits), stopped.clone()));
            }
            None => match service.places().waiting_room() {
                Some(room) => {
                    let (service, limits, mut stopped) = (service.clone(), Arc::clone(&limits), stopped.clone());
                    open.spawn(async move {
                        let place = tokio::select! {
                            place = service.places().take(caller, bounds) => place,
                            _ = stopped.changed() => return,
                        };
                        drop(room);
                        on_connection(stream, place, service, limits, stopped).await;
                    });
                }
                None => {
                    drop(stream);
                    service.trouble(&Trouble::SentAway);
                }
            },
        }
        // Clears what the ended ones leave behind.
        while open.try_join_next().is_some() {}
    }
    // From here on nobody can connect.
    drop(listener);
    drop(stop);
    let all_ended = async { while open.join_next().await.is_some() {} };
    // What is still open then is closed with the set.
    let _ = timeout(limits.stop_time, all_ended).await;
}

async fn accept(listener: &TcpListener, service: &Service) -> (TcpStream, SocketAddr) {
    let mut wait = Duration::from_millis(10);
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The peer's doing: the next connection is not affected.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                let is_full = cfg!(unix) && matches!(error.raw_os_error(), Some(OPEN_FILES_OF_PROCESS | OPEN_FILES));
                service.trouble(&Trouble::Accept(error));
                if is_full && service.places().make_room().await {
                    continue;
                }
                sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// `EMFILE` and `ENFILE`, which are the same numbers on every Unix.
const OPEN_FILES_OF_PROCESS: i32 = 24;
const OPEN_FILES: i32 = 23;

async fn on_connection(
    stream: TcpStream,
    place: Place,
    service: Service,
    limits: Arc<Limits>,
    stopped: watch::Receiver<()>,
) {
    // Holds the place until all else of the connection is gone.
    let exchange = Arc::new(Exchange::new(place));
    tokio::select! {
        () = hold(stream, &exchange, service.clone(), &limits, stopped) => {}
        () = exchange.sent_away() => {
            // Who only lingers behind the last answer loses nothing.
            if exchange.is_open() {
                service.trouble(&Trouble::SentAway);
            }
        }
    }
}

async fn hold(
    stream: TcpStream,
    exchange: &Arc<Exchange>,
    service: Service,
    limits: &Limits,
    mut stopped: watch::Receiver<()>,
) {
    // Answers are small and sent whole: waiting to send more gains nothing.
    let _ = stream.set_nodelay(true);
    let caller = Caller::new(stream.peer_addr().ok(), stream.local_addr().ok());
    let keep_alive = service.keeps_alive();
    let socket = Connection::new(stream, service.clone(), Arc::clone(exchange), limits.write_time);
    let answering = service_fn(|request| on_request(request, &service, caller, exchange, limits));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time.min(HEAD_TIME_MAX))
        .max_header_size(limits.head_bytes)
        .max_headers(limits.head_fields.min(HEAD_FIELDS_MAX))
        // The least that hyper takes is 8 KiB.
        .max_buf_size(limits.head_bytes.max(8 << 10))
        .keep_alive(keep_alive)
        // A client that shuts down its side after the request still gets its answer.
        .half_close(true)
        .title_case_headers(true)
        // The component's answers have their own.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(socket), answering);

    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stopped.changed() => {
            Pin::new(&mut connection).graceful_shutdown();
            match timeout(limits.stop_time.min(STOPPING_HEAD_TIME), &mut connection).await {
                Ok(ended) => ended,
                Err(_) if exchange.is_answering() => (&mut connection).await,
                Err(_) => return,
            }
        }
    };
    let mut socket = connection.into_parts().io.into_inner();
    if socket.is_given_up() {
        // Dropped, it is reset.
        return;
    }
    if let Err(error) = ended {
        if let Some(Struck(delivery)) = Struck::of(&error) {
            if delivery == Delivery::Withheld {
                tokio::select! {
                    () = withhold(&socket, exchange, limits) => {}
                    // Nobody waits for what does not come.
                    _ = stopped.changed() => {}
                }
            }
        } else if let Some(answer) = service.refuse_head(caller, &error) {
            let _ = send_refusal(&mut socket, exchange, &answer).await;
        }
        // Another failure is the peer's or the network's: nobody is left to hear of it.
    }
    let _ = socket.end().await;
    exchange.end();
    linger(socket, limits).await;
}

/// hyper adds the time for a head to the present and panics where the sum is
/// beyond what the system can count. A year is as good as for ever.
const HEAD_TIME_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// hyper reserves room for so many fields with each head.
const HEAD_FIELDS_MAX: usize = 4096;

/// A request of which not even the head is there gets so long to come when the
/// server stops.
const STOPPING_HEAD_TIME: Duration = Duration::from_secs(1);

async fn send_refusal(socket: &mut Connection, exchange: &Exchange, answer: &Answer) -> io::Result<()> {
    exchange.receive();
    exchange.begin().await;
    exchange.send(None);
    socket.write_all(answer.head.as_bytes()).await?;
    socket.flush().await
}

async fn on_request(
    mut request: Request<Incoming>,
    service: &Service,
    caller: Caller,
    exchange: &Arc<Exchange>,
    limits: &Limits,
) -> Result<Response<Sent>, Struck> {
    exchange.receive();
    let is_whole = drain(request.body_mut(), limits).await;
    exchange.begin().await;
    let version = request.version();
    // What is left of a body must not be taken for the next request.
    let mut closes = !is_whole || closes_after(&request);
    let mut response = service.respond_later(service.receive(request, Some(caller))).await;
    // Who asks again and again would never wait for long enough to lose its place.
    closes |= service.keeps_alive() && exchange.is_wanted();
    if closes {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        // Or hyper would tell a client of HTTP/1.0 that it keeps the connection.
        *response.version_mut() = version;
    }
    let hop_limit = response.extensions().get::<HopLimit>().map(|limit| limit.0);
    deliver(response, hop_limit, exchange).await
}

/// Whether the client expects its connection to be closed and would not know it
/// from the version of the answer: in HTTP/1.0, unless it asks to keep it.
fn closes_after<B>(request: &Request<B>) -> bool {
    let fields = request.headers().get_all(CONNECTION);
    let options = || fields.iter().filter_map(|field| field.to_str().ok()).flat_map(|field| field.split(','));
    let asks = |wanted: &str| options().any(|option| option.trim().eq_ignore_ascii_case(wanted));
    request.version() == Version::HTTP_10 && (asks("close") || !asks("keep-alive"))
}

/// Reads a body and throws it away, within the limits. True at its end.
async fn drain(body: &mut Incoming, limits: &Limits) -> bool {
    if body.is_end_stream() {
        return true;
    }
    let read = async {
        let mut bytes = 0;
        while bytes <= limits.body_bytes {
            match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
                Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len),
                Some(Err(_)) => break,
                None => return true,
            }
        }
        false
    };
    timeout(limits.body_time, read).await.unwrap_or(false)
}

/// Closing a socket with unread input resets the connection, and the peer may
/// lose an answer that it has not read yet. So what still comes is thrown away
/// for a while; the end of the answer was sent before.
async fn linger(socket: Connection, limits: &Limits) {
    let mut bytes = 0;
    let read = async {
        // At the first look without waiting: almost always there is nothing.
        let mut next = socket.try_discard();
        while let Ok(count @ 1..) = next {
            bytes += count;
            if bytes > limits.body_bytes {
                break;
            }
            next = socket.discard().await;
        }
    };
    let _ = timeout(limits.body_time, read).await;
}

#[cfg(test)]
mod tests;
