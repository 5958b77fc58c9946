use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;

use super::*;
use crate::{Answered, Runtime};

/// Serves the default instance; the sender's end stops it.
fn start(limits: ConnectionLimits, observer: impl crate::Observer) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
    let service = Service::new(instance).observer(observer);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let shutdown = async { drop(stopped.await) };
            Server::new(service).limits(limits).serve(listener, shutdown).await;
        });
    });
    (told.recv().unwrap(), stop)
}

/// So few connections, which nothing ends in the time of a test.
fn few(connections: usize) -> ConnectionLimits {
    let long = Duration::from_secs(3600);
    ConnectionLimits::default().connections(connections).head_time(long).body_time(long)
}

fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream
}

fn all_from(mut stream: &TcpStream) -> String {
    let mut text = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let limits = ConnectionLimits::default().head_time(Duration::from_millis(20));
    let (address, _stop) = start(limits, |_: &Answered<'_>| {});
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HT").unwrap();
    assert_eq!(all_from(&stream), "");
}

#[test]
fn silent_connections_keep_nobody_out() {
    let (address, _stop) = start(few(1), |_: &Answered<'_>| {});
    for sent in ["", "GET / HT", "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n"] {
        let mut silent = TcpStream::connect(address).unwrap();
        silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        silent.write_all(sent.as_bytes()).unwrap();
        assert!(all_from(&ask(address)).starts_with("HTTP/1.1 200 OK"), "{sent:?}");
        // Reset where the server has not read all that was sent.
        let left = silent.read(&mut [0; 1]).or_else(|error| match error.kind() {
            io::ErrorKind::ConnectionReset => Ok(0),
            _ => Err(error),
        });
        assert_eq!(left.unwrap(), 0, "{sent:?}");
    }
}

#[test]
fn listeners_of_one_server_share_its_connections() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
    let server = Server::new(Service::new(instance).keep_alive(true)).limits(few(1));
    let [first, second] = [(); 2].map(|()| {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(server.clone().serve(listener, std::future::pending()));
        address
    });
    let mut kept = ask(first);
    // It has a place as soon as something comes.
    kept.read_exact(&mut [0; 1]).unwrap();
    let asking = ask(second);
    assert!(all_from(&kept).ends_with("\nlatest"));
    asking.shutdown(Shutdown::Write).unwrap();
    assert!(all_from(&asking).ends_with("\nlatest"));
}

/// It begins to wait while the request is answered, which no clock decides.
#[test]
fn an_answer_closes_its_connection_while_a_newcomer_waits() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
    let service = Service::new(instance).keep_alive(true);
    let newcomer = Arc::new(Mutex::new(None));
    let admission = Arc::new(Admission::new(Bounds { places: 1, share: 1 }, Admission::GRACE));
    let (places, waits) = (Arc::clone(&admission), Arc::clone(&newcomer));
    let service = service.observer(move |answered: &Answered<'_>| {
        if answered.head.target() == "/last" {
            let places = Arc::clone(&places);
            let mut newcomer = Box::pin(async move { places.take([127, 0, 0, 2].into()).await });
            assert!(newcomer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            *waits.lock().unwrap() = Some(newcomer);
        }
    });
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let mut kept = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = Server { service, limits: Arc::new(few(1)), admission };
    runtime.spawn(server.serve(listener, std::future::pending()));
    let head = |target| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    kept.write_all((head("/") + &head("/last") + &head("/")).as_bytes()).unwrap();
    let received = all_from(&kept);
    let answers: Vec<&str> = received.split("HTTP/1.1 ").skip(1).collect();
    assert_eq!(answers.len(), 2, "nothing is answered behind the close: {received}");
    assert_eq!([answers[0], answers[1]].map(|answer| answer.contains("\r\nConnection: close\r\n")), [false, true]);
    let newcomer = newcomer.lock().unwrap().take().unwrap();
    drop(runtime.block_on(newcomer));
}

/// Numbers and times at their ends, where others add to them.
#[test]
fn limits_have_no_value_that_is_too_large() {
    let (count, time) = (usize::MAX, Duration::MAX);
    let (address, _stop) = start(
        ConnectionLimits::default()
            .connections(count)
            .connections_per_caller(count)
            .head_time(time)
            .head_bytes(count)
            .head_fields(count)
            .body_bytes(count)
            .body_time(time)
            .write_time(time)
            .buffer_bytes(count)
            .stop_time(time),
        |_: &Answered<'_>| {},
    );
    for _ in 0..2 {
        let asking = ask(address);
        asking.shutdown(Shutdown::Write).unwrap();
        assert!(all_from(&asking).ends_with("\nlatest"));
    }
}

/// More clients than places, each of which speaks at once.
#[test]
fn nobody_who_speaks_is_sent_away() {
    let limits = ConnectionLimits::default().connections(4);
    let (address, _stop) = start(limits, |_: &Answered<'_>| {});
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
                    assert!(all_from(&stream).starts_with("HTTP/1.1 200 OK"));
                }
            });
        }
    });
}

#[test]
fn the_observer_sees_caller_and_outcome() {
    let (tell, told) = mpsc::channel();
    let observer = move |answered: &Answered<'_>| {
        let seen = (answered.peer, answered.head.target().to_owned(), answered.outcome);
        tell.send(seen).unwrap();
    };
    let (address, _stop) = start(ConnectionLimits::default(), observer);
    let mut stream = TcpStream::connect(address).unwrap();
    let peer = stream.local_addr().unwrap();
    stream.write_all(b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    all_from(&stream);
    assert_eq!(told.recv().unwrap(), (Some(peer), "/none".into(), crate::Outcome::NotFound));
}

#[test]
fn others_are_answered_while_keys_are_made() {
    let (tell, told) = mpsc::channel();
    let observer = move |answered: &Answered<'_>| tell.send(answered.head.target().to_owned()).unwrap();
    let (address, _stop) = start(ConnectionLimits::default(), observer);
    let signature = "/latest/dynamic/instance-identity/signature";
    let streams = [signature, signature, "/"].map(|target| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stream
    });
    let [first, second, _] = streams.each_ref().map(all_from);
    assert!(first.starts_with("HTTP/1.1 200 OK"), "{first}");
    assert_eq!(first.split("\r\n\r\n").nth(1), second.split("\r\n\r\n").nth(1));
    assert_eq!(told.iter().take(3).collect::<Vec<_>>(), ["/", signature, signature]);
}

#[test]
fn stopping_refuses_new_connections_and_ends_idle_ones() {
    let (address, stop) = start(ConnectionLimits::default(), |_: &Answered<'_>| {});
    let idle = TcpStream::connect(address).unwrap();
    // Accepted before the one that is answered.
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    all_from(&stream);
    drop(stop);
    assert_eq!(all_from(&idle), "");
    assert!(TcpStream::connect(address).is_err());
}
