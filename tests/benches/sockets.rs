//! What answers cost over sockets, beside a bare hyper server.
//!
//! ```sh
//! cargo bench --bench sockets
//! ```
//!
//! Two servers in one process, each on one thread: the service as [`serve`] runs
//! it with connections kept open, and hyper with a fixed body of 20 bytes, which
//! is as fast as this can get. One more thread asks on 16 connections, first on
//! all of them, then it reads from all of them. Then the same of a connection for
//! each request, which is what EC2's clients make: connect, ask once, read to the
//! end; hyper closes then too. The two take turns; each ratio is
//! the median of the rounds', since a machine is never quiet for long. The last
//! column compares the processor time of the two threads for an answer, where the
//! system tells it: it does not depend on how well the client keeps up.

use std::convert::Infallible;
use std::fs;
use std::future::pending;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hyper::Response;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use imds_host::{Description, IdentitySigning, Runtime, Service, Settings, serve};
use tokio::net::TcpListener;

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(250);

/// A request: what it is called, its method, its target, what it carries, and
/// the ratio that is to be reached, where one is: on kept connections, and with one
/// for each request.
type Kind = (&'static str, &'static str, &'static str, Carries, Option<f64>, Option<f64>);

#[derive(Clone, Copy, PartialEq)]
enum Carries {
    Nothing,
    Token,
    WrongToken,
    Ttl,
}

const KINDS: [Kind; 8] = [
    ("item with a token", "GET", "/latest/meta-data/instance-id", Carries::Token, Some(0.90), Some(0.90)),
    ("item without one", "GET", "/latest/meta-data/instance-id", Carries::Nothing, None, Some(0.90)),
    ("listing with a token", "GET", "/latest/meta-data/", Carries::Token, Some(0.85), Some(0.90)),
    ("a token", "PUT", "/latest/api/token", Carries::Ttl, Some(0.88), Some(0.90)),
    ("404", "GET", "/latest/meta-data/nothing-here", Carries::Token, Some(0.90), Some(0.90)),
    ("401", "GET", "/latest/meta-data/instance-id", Carries::WrongToken, Some(0.90), Some(0.90)),
    ("user data of 16 KiB", "GET", "/latest/user-data", Carries::Token, Some(0.65), None),
    ("identity document", "GET", "/latest/dynamic/instance-identity/document", Carries::Token, None, None),
];

fn main() {
    for (title, connections, keeps) in
        [("kept connections", CONNECTIONS, true), ("a connection for each request", 0, false)]
    {
        let imds = Server::start(move |listener| on_imds(listener, keeps));
        let bare = Server::start(move |listener| on_bare_hyper(listener, keeps));
        let token = fetch_token(imds.address);
        println!("{title}:");
        println!(
            "{:<22} {:>10} {:>10} {:>7} {:>6} {:>10}",
            "answers a second", "bare hyper", "imds", "ratio", "goal", "processor"
        );
        for (name, method, target, carries, kept_goal, closed_goal) in KINDS {
            let request = request(method, target, carries, &token);
            let clients = [&bare, &imds].map(|server| Client::new(server, request.as_bytes(), connections));
            measure(name, clients, if keeps { kept_goal } else { closed_goal });
        }
        println!();
    }
}

fn request(method: &str, target: &str, carries: Carries, token: &str) -> String {
    let field = match carries {
        Carries::Nothing => String::new(),
        Carries::Token => format!("X-aws-ec2-metadata-token: {token}\r\n"),
        Carries::WrongToken => format!("X-aws-ec2-metadata-token: AQAEA{}==\r\n", "A".repeat(49)),
        Carries::Ttl => "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n".to_owned(),
    };
    format!("{method} {target} HTTP/1.1\r\nHost: 169.254.169.254\r\n{field}\r\n")
}

/// Prints a line of the table.
fn measure(name: &str, mut clients: [Client<'_>; 2], goal: Option<f64>) {
    let rounds: Vec<[Round; 2]> = (0..ROUNDS).map(|_| clients.each_mut().map(Client::round)).collect();
    let median = |figures: &mut dyn Iterator<Item = f64>| {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let ratio = median(&mut rounds.iter().map(|[bare, imds]| imds.rate / bare.rate));
    let processor = median(&mut rounds.iter().map(|[bare, imds]| bare.processor / imds.processor));
    let goal = goal.map_or(String::new(), |goal| format!("{goal:.2}"));
    let [bare, imds] = [0, 1].map(|which| median(&mut rounds.iter().map(|rounds| rounds[which].rate)));
    println!("{name:<22} {bare:>10.0} {imds:>10.0} {ratio:>7.2} {goal:>6} {processor:>10.2}");
}

/// A server on a thread of its own.
struct Server {
    address: SocketAddr,
    /// Where Linux tells what the thread does.
    thread: Option<PathBuf>,
}

impl Server {
    fn start<F: Future<Output = ()>>(server: impl FnOnce(TcpListener) -> F + Send + 'static) -> Server {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let thread = fs::read_link("/proc/thread-self").ok().map(|link| Path::new("/proc").join(link));
            let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("tokio starts");
            tokio.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
                let address = listener.local_addr().expect("it has an address");
                tell.send(Server { address, thread }).expect("somebody waits");
                server(listener).await;
            });
        });
        told.recv().expect("the server starts")
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server accepts");
        stream.set_nodelay(true).expect("it can be set");
        stream
    }

    /// What the thread has taken so far, in nanoseconds.
    fn processor_time(&self) -> f64 {
        let told = self.thread.as_ref().and_then(|thread| fs::read_to_string(thread.join("schedstat")).ok());
        told.and_then(|told| told.split(' ').next()?.parse().ok()).unwrap_or(f64::NAN)
    }
}

async fn on_imds(listener: TcpListener, keeps: bool) {
    let mut description = Description::default();
    description.set_user_data(&[b'x'; 16 << 10], "the benchmark");
    let settings = Settings::default().identity_signing(IdentitySigning::Never);
    let instance = Runtime::new().expect("the component loads").open_with(&description, &settings);
    let instance = instance.unwrap_or_else(|error| panic!("{error}"));
    serve(listener, Service::new(instance).keep_alive(keeps), pending()).await;
}

async fn on_bare_hyper(listener: TcpListener, keeps: bool) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection comes");
        stream.set_nodelay(true).expect("it can be set");
        let answering = service_fn(|_| async {
            let body = http_body_util::Full::new(Bytes::from_static(b"i-0123456789abcdef0\n"));
            Ok::<_, Infallible>(Response::new(body))
        });
        tokio::spawn(http1::Builder::new().keep_alive(keeps).serve_connection(TokioIo::new(stream), answering));
    }
}

fn fetch_token(address: SocketAddr) -> String {
    let request = "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n";
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"==") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the server answers");
        answer.extend(byte);
    }
    String::from_utf8(answer.split_off(answer.len() - 56)).expect("a token is text")
}

/// What one round shows: answers a second, and the processor time that the server
/// took for each, in nanoseconds; no number where it is not told.
struct Round {
    rate: f64,
    processor: f64,
}

/// Asks one server one request again and again.
struct Client<'r> {
    server: &'r Server,
    /// Kept connections; where there are none, each request gets its own.
    streams: Vec<TcpStream>,
    request: &'r [u8],
    /// The length of an answer; all are of the same.
    answer: usize,
}

impl<'r> Client<'r> {
    fn new(server: &'r Server, request: &'r [u8], connections: usize) -> Client<'r> {
        let streams = (0..connections).map(|_| server.connect()).collect();
        let answer = length_of_answer(&mut server.connect(), request);
        Client { server, streams, request, answer }
    }

    fn round(&mut self) -> Round {
        let (started, processor) = (Instant::now(), self.server.processor_time());
        let mut answers = 0.0;
        let mut buffer = vec![0; self.answer];
        while started.elapsed() < ROUND {
            if self.streams.is_empty() {
                let mut stream = self.server.connect();
                stream.write_all(self.request).expect("the server reads");
                stream.read_exact(&mut buffer).expect("the server answers");
                assert_eq!(stream.read(&mut [0]).expect("the server closes"), 0);
                answers += 1.0;
            }
            for stream in &mut self.streams {
                stream.write_all(self.request).expect("the server reads");
            }
            for stream in &mut self.streams {
                stream.read_exact(&mut buffer).expect("the server answers");
                assert_eq!(buffer[..9], *b"HTTP/1.1 ");
                answers += 1.0;
            }
        }
        let processor = self.server.processor_time() - processor;
        Round { rate: answers / started.elapsed().as_secs_f64(), processor: processor / answers }
    }
}

/// Asks once and counts the bytes of the answer.
fn length_of_answer(stream: &mut TcpStream, request: &[u8]) -> usize {
    stream.write_all(request).expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the server answers");
        head.extend(byte);
    }
    let text = String::from_utf8(head).expect("a head is text").to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.expect("an answer has a length").parse().expect("a length is a number");
    stream.read_exact(&mut vec![0; length]).expect("the body comes");
    text.len() + length
}
