use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, TcpListener};
use std::sync::mpsc;
use std::thread;

use socket2::{Domain, SockRef, Socket, Type};

use super::*;
use crate::serve::admission::{Admission, Bounds};
use crate::{Answered, Description, Observer, Runtime};

mod faults;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PUT: &str = "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
const GET: &str = "GET /latest/meta-data/mac HTTP/1.1\r\nHost: x\r\n\r\n";

fn silent(_: &Answered<'_>) {}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Serves one connection between two addresses, on which the client says `requests`
/// and nothing more. Gives what it received and the server's socket as it was left.
/// None on a machine without such addresses.
fn converse(
    [server, client]: [IpAddr; 2],
    toml: &str,
    observer: impl Observer,
    requests: &str,
) -> Option<(String, std::net::TcpStream)> {
    let listener = TcpListener::bind((server, 0)).ok()?;
    let mut client = std::net::TcpStream::connect((client, listener.local_addr().unwrap().port())).ok()?;
    client.write_all(requests.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let (socket, peer) = listener.accept().unwrap();
    socket.set_nonblocking(true).unwrap();
    let left = socket.try_clone().unwrap();
    let description = Description::from_toml("test", toml).unwrap();
    let instance = Runtime::new().unwrap().open(&description).unwrap();
    block_on(async {
        let service = Service::new(instance).keep_alive(true).observer(observer);
        let place = one_place().take(peer.ip()).await;
        let stream = TcpStream::from_std(socket).unwrap();
        let caller = Caller::new(Some(peer), stream.local_addr().ok());
        let (_stop, stopped) = watch::channel(());
        Connection::new(stream, caller, place, service, Arc::default(), stopped).run().await;
    });
    // The copy kept it open.
    left.shutdown(Shutdown::Both).ok();
    let mut received = String::new();
    client.read_to_string(&mut received).unwrap();
    Some((received, left))
}

#[test]
fn a_hop_limit_is_lowered_and_never_raised() {
    let ttl = |toml: &str, requests: &str| {
        let (received, socket) = converse([LOCAL; 2], toml, silent, requests).unwrap();
        assert_eq!(received.matches("HTTP/1.1 200 OK\r\n").count(), requests.matches("HTTP/1.1").count(), "{received}");
        SockRef::from(&socket).ttl_v4().unwrap()
    };
    let with = |limit: u8| format!("metadata-options.http-put-response-hop-limit = {limit}");
    let default = ttl(&with(3), GET);
    assert!(default > 3);
    assert_eq!(ttl(&with(3), PUT), 3);
    assert_eq!(ttl(&with(3), &[PUT, GET].concat()), 3, "what follows keeps it");
    // The limit rises while the connection is open: 1 s after the epoch of the description.
    let raised = format!(
        "launch-time = '2020-01-01T00:00:00Z'\n{}\nfaults = [{{ kind = 'delay', delay = '1100ms', methods = ['GET'] }}]\n\
         timeline = [{{ at = '{}', metadata-options.http-put-response-hop-limit = 64 }}]",
        with(2),
        humantime::format_rfc3339_millis(std::time::SystemTime::now() + Duration::from_millis(900)),
    );
    assert_eq!(ttl(&raised, &[PUT, GET, PUT].concat()), 2);
}

#[test]
fn a_hop_limit_holds_over_ipv6_and_for_ipv4_under_it() {
    let options = "metadata-options = { http-put-response-hop-limit = 1, http-protocol-ipv6 = 'enabled' }";
    for ends in [[IpAddr::from(Ipv6Addr::LOCALHOST); 2], [IpAddr::from(Ipv6Addr::UNSPECIFIED), LOCAL]] {
        let Some((received, socket)) = converse(ends, options, silent, &[PUT, GET].concat()) else {
            // A machine without IPv6.
            continue;
        };
        assert_eq!(received.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{received}");
        let socket = SockRef::from(&socket);
        assert_eq!(socket.unicast_hops_v6().unwrap(), 1);
        if ends[1].is_ipv4() {
            assert_eq!(socket.ttl_v4().unwrap(), 1);
        }
    }
}

#[test]
fn a_token_that_a_fault_delays_or_cuts_has_its_hop_limit() {
    for kind in ["'delay', delay = '1ms'", "'cut'"] {
        let toml = format!("faults = [{{ kind = {kind} }}]\nmetadata-options.http-put-response-hop-limit = 3");
        let (received, socket) = converse([LOCAL; 2], &toml, silent, PUT).unwrap();
        assert!(received.starts_with("HTTP/1.1 200 OK"), "{kind}");
        assert_eq!(SockRef::from(&socket).ttl_v4().unwrap(), 3, "{kind}");
    }
}

/// One place, and nobody else who wants it.
fn one_place() -> Arc<Admission> {
    Arc::new(Admission::new(Bounds { places: 1, share: 1 }, Admission::GRACE))
}

/// A connection and its client, where the server only writes.
async fn writing(write_time: Duration, observer: impl Observer) -> (Connection, std::net::TcpStream) {
    writing_to(Socket::new(Domain::IPV4, Type::STREAM, None).unwrap(), write_time, observer).await
}

async fn writing_to(
    client: Socket,
    write_time: Duration,
    observer: impl Observer,
) -> (Connection, std::net::TcpStream) {
    let listener = TcpListener::bind((LOCAL, 0)).unwrap();
    client.connect(&listener.local_addr().unwrap().into()).unwrap();
    let client = std::net::TcpStream::from(client);
    let (socket, peer) = listener.accept().unwrap();
    socket.set_nonblocking(true).unwrap();
    let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
    let service = Service::new(instance).observer(observer);
    let place = one_place().take(peer.ip()).await;
    let limits = Arc::new(ConnectionLimits::default().write_time(write_time));
    let (_, stopped) = watch::channel(());
    let stream = TcpStream::from_std(socket).unwrap();
    (Connection::new(stream, Caller::new(Some(peer), None), place, service, limits, stopped), client)
}

// Elsewhere a hop limit of 0 can be set.
#[cfg(target_os = "linux")]
#[test]
fn an_answer_whose_hop_limit_cannot_be_set_is_not_sent() {
    struct Tell(mpsc::Sender<String>);
    impl Observer for Tell {
        fn answered(&self, _: &Answered<'_>) {}
        fn trouble(&self, trouble: &Trouble) {
            self.0.send(trouble.to_string()).unwrap();
        }
    }
    let (tell, told) = mpsc::channel();
    block_on(async {
        let (mut connection, mut client) = writing(Duration::from_secs(3600), Tell(tell)).await;
        connection.output.extend(b"answer");
        let verdict = Verdict { hop_limit: Some(0), ..Verdict::NONE };
        assert!(connection.deliver(verdict).await.is_err());
        drop(connection);
        let mut received = String::new();
        client.read_to_string(&mut received).unwrap();
        assert_eq!(received, "");
    });
    assert!(told.recv().unwrap().starts_with("cannot set the hop limit of an answer, which was not sent: "));
}

#[test]
fn a_client_that_goes_on_taking_an_answer_is_given_up() {
    // Far more than it may take, and not for ever.
    const PIECES_MAX: u32 = 1 << 12;
    block_on(async {
        let (mut connection, mut client) = writing(Duration::from_millis(1), silent).await;
        let reading = thread::spawn(move || {
            let mut pieces = 0;
            while pieces < PIECES_MAX && matches!(client.read(&mut [0; 1 << 14]), Ok(1..)) {
                pieces += 1;
            }
            pieces
        });
        connection.output = vec![b'x'; PIECES_MAX as usize * (1 << 14)];
        assert!(!connection.write().await.unwrap());
        drop(socket_options::abandon(&connection.stream));
        drop(connection);
        assert!(reading.join().unwrap() < PIECES_MAX);
    });
}

fn is_ready(future: std::pin::Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
}

/// It comes when the server has looked for the last time, while the system still
/// holds most of the answer.
#[test]
fn what_comes_behind_a_request_takes_nothing_of_the_answer() {
    block_on(async {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        client.set_recv_buffer_size(4096).unwrap();
        let (mut connection, mut client) = writing_to(client, Duration::from_secs(3600), silent).await;
        SockRef::from(&connection.stream).set_send_buffer_size(1 << 17).unwrap();
        connection.output = vec![b'x'; 60_000];
        assert!(connection.write().await.unwrap());
        assert!(!socket_options::is_acknowledged(&connection.stream));
        let mut ending = Box::pin(async move {
            connection.end().await;
            drop(connection);
        });
        let is_gone = is_ready(ending.as_mut());
        client.write_all(GET.as_bytes()).unwrap();
        let reading = thread::spawn(move || {
            let mut received = Vec::new();
            client.read_to_end(&mut received).map(|_| received)
        });
        if !is_gone {
            ending.await;
        }
        let received = reading.join().unwrap().unwrap();
        assert!(received == [b'x'; 60_000], "{} bytes", received.len());
    });
}

// Elsewhere nobody tells.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
#[test]
fn who_has_the_answer_is_not_waited_for() {
    block_on(async {
        let (mut connection, mut client) = writing(Duration::from_secs(3600), silent).await;
        connection.output.extend(b"answer");
        assert!(connection.write().await.unwrap());
        client.read_exact(&mut [0; 6]).unwrap();
        // Its system says so by itself, though not at once.
        while !socket_options::is_acknowledged(&connection.stream) {
            thread::yield_now();
        }
        assert!(is_ready(std::pin::pin!(connection.end())));
    });
}
