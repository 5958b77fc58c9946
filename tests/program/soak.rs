//! All kinds of clients at once, for a while: the good ones get every answer,
//! and the process grows neither in memory nor in open files.
//!
//! `SOAK=600` lets it run for ten minutes.

use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use socket2::{Domain, Socket, Type};

use super::*;

/// Where the good ones come from, who must not notice the bad ones.
const GOOD: &str = "127.0.0.1:0";
const BAD: &str = "127.0.0.3:0";

/// Enough for the state of every kind of client to have been there.
const WARM_UP: Duration = Duration::from_secs(2);
const SECONDS: u64 = 3;

/// Above what an allocator keeps more or less at one time than at another. The
/// buffers of a connection are 8 KiB: were they kept, a thousand would show.
const GROWTH_MAX_KIB: u64 = 8 << 10;

#[test]
fn mixed_clients_get_their_answers_and_leave_nothing_behind() {
    let seconds = std::env::var("SOAK").map_or(SECONDS, |text| text.parse().expect("SOAK is a number of seconds"));
    let large = format!("[extra-entries]\n\"meta-data/large\" = \"{}\"\n", "x".repeat(1 << 18));
    let file = File::new("soak.toml", large);
    let served = Served::start(&[
        "--instance",
        file.path.to_str().unwrap(),
        "--keep-alive",
        "--connections=100",
        "--connections-per-caller=40",
        "--head-time=300ms",
        "--body-time=100ms",
        "--write-time=300ms",
    ]);
    let address = served.addresses[0].parse().unwrap();
    let process = Process(served.child.id());
    // Listeners, pipes and what is made at the first request stay.
    good::version_2(address);
    let files = process.files_after(address, |_| true);

    let first = mix(address, WARM_UP);
    process.files_after(address, |now| now <= files);
    let before = process.resident_kib();
    let second = mix(address, Duration::from_secs(seconds));
    process.files_after(address, |now| now <= files);
    let after = process.resident_kib();

    eprintln!("{first} + {second} good requests; {before} KiB, then {after} KiB resident");
    assert!(second > 20, "{second} requests are no load");
    assert!(after <= before + GROWTH_MAX_KIB, "{before} KiB before, {after} KiB after {second} requests");
}

/// Lets all kinds of clients loose; the number of good requests.
fn mix(address: SocketAddr, time: Duration) -> u64 {
    let end = Instant::now() + time;
    let answered = AtomicU64::new(0);
    thread::scope(|scope| {
        for client in good::CLIENTS {
            let answered = &answered;
            scope.spawn(move || {
                while Instant::now() < end {
                    answered.fetch_add(client(address), Ordering::Relaxed);
                }
            });
        }
        for client in bad::CLIENTS {
            scope.spawn(move || {
                while Instant::now() < end {
                    client(address);
                }
            });
        }
    });
    answered.into_inner()
}

/// The client's connection from an address of its own.
fn connect_from(source: &str, address: SocketAddr) -> TcpStream {
    let source: SocketAddr = source.parse().unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&source.into()).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.into()
}

/// Clients each of whose requests must be answered; the number of them.
mod good {
    use super::*;

    pub const CLIENTS: [fn(SocketAddr) -> u64; 4] = [version_1, version_2, keeps, half_closes];

    const ID: &str = "i-0123456789abcdef0";

    fn get(fields: &str) -> String {
        format!("GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
    }

    fn ask(address: SocketAddr, text: &str) -> String {
        let mut stream = connect_from(GOOD, address);
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
        answer
    }

    fn version_1(address: SocketAddr) -> u64 {
        assert!(ask(address, &get("Connection: close\r\n")).ends_with(ID));
        1
    }

    pub fn version_2(address: SocketAddr) -> u64 {
        let put = "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
        let issued = ask(address, put);
        let token = issued.rsplit("\r\n").next().unwrap();
        assert!(
            ask(address, &get(&format!("Connection: close\r\nX-aws-ec2-metadata-token: {token}\r\n"))).ends_with(ID)
        );
        2
    }

    /// One connection for several requests.
    fn keeps(address: SocketAddr) -> u64 {
        const REQUESTS: usize = 10;
        let mut stream = connect_from(GOOD, address);
        for _ in 0..REQUESTS {
            stream.write_all(get("").as_bytes()).unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(ID.as_bytes()) {
                let mut piece = [0; 1024];
                let count = stream.read(&mut piece).unwrap();
                assert_ne!(count, 0, "closed after {:?}", text(&answer));
                answer.extend(&piece[..count]);
            }
        }
        REQUESTS as u64
    }

    fn half_closes(address: SocketAddr) -> u64 {
        let mut stream = connect_from(GOOD, address);
        stream.write_all(get("").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with(ID), "{answer:?}");
        1
    }
}

/// Clients that get what they get. What fails there is the server's answer too:
/// it closes.
mod bad {
    use super::*;

    pub const CLIENTS: [fn(SocketAddr); 7] =
        [silent, slow_head, slow_body, does_not_read, resets, malformed, too_large];

    /// All that comes, up to the end of the connection, however it ends.
    fn rest(mut stream: TcpStream) {
        let _ = stream.read_to_end(&mut Vec::new());
    }

    fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = connect_from(BAD, address);
        let _ = stream.write_all(bytes);
        stream
    }

    /// More than there are places.
    fn silent(address: SocketAddr) {
        let crowd: Vec<TcpStream> = (0..150).map(|_| connect_from(BAD, address)).collect();
        crowd.into_iter().for_each(rest);
    }

    fn slow_head(address: SocketAddr) {
        dribble(send(address, b"GET / HTTP/1.1\r\n"));
    }

    fn slow_body(address: SocketAddr) {
        dribble(send(address, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n"));
    }

    /// A byte now and then until the server closes.
    fn dribble(mut stream: TcpStream) {
        stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        while stream.write_all(b"x").is_ok() {
            match stream.read(&mut [0; 512]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) | Ok(0) => return,
                Ok(_) => {}
            }
        }
    }

    /// Far more than buffers hold is asked for and stays where it is, until the
    /// server gives up.
    fn does_not_read(address: SocketAddr) {
        let get = "GET /latest/meta-data/large HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut stream = send(address, get.repeat(64).as_bytes());
        // What is written now is taken until then, and fails at last.
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        while stream.write_all(get.as_bytes()).is_ok() {}
    }

    /// Resets with the answer on its way, at its beginning and before the request.
    fn resets(address: SocketAddr) {
        for sent in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], b"GET / HT", b""] {
            let stream = Socket::from(send(address, sent));
            stream.set_linger(Some(Duration::ZERO)).unwrap();
        }
    }

    fn malformed(address: SocketAddr) {
        for sent in [&b"\x16\x03\x01\x02\x00\r\n\r\n"[..], b"GET /< HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
            rest(send(address, sent));
        }
    }

    fn too_large(address: SocketAddr) {
        rest(send(address, format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100 << 10)).as_bytes()));
        rest(send(address, &[b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\n", &[b'x'; 200 << 10][..]].concat()));
    }
}

/// A process as the system sees it, by its number.
struct Process(u32);

impl Process {
    fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap().count()
    }

    /// The number of open files once it is as `wanted`. Connections that clients
    /// left are closed within a second; asking meanwhile passes the time.
    fn files_after(&self, address: SocketAddr, wanted: impl Fn(usize) -> bool) -> usize {
        let start = Instant::now();
        loop {
            let files = self.files();
            if wanted(files) {
                return files;
            }
            assert!(start.elapsed() < DEADLINE, "{files} files are open");
            good::version_2(address);
        }
    }
}
