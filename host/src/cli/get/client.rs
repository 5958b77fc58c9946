// A client of the service: a connection for each request, as SDKs have it. It speaks
// in bytes, so that a head is shown as it came.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use httparse::{EMPTY_HEADER, Status, parse_chunk_size};

use super::super::link_local;
use super::Endpoint;

/// Longer than a tree takes at most.
const TTL_SECONDS: &str = "600";
/// Far above what the service has at any path.
const ANSWER_BYTES: u64 = 16 << 20;
/// No clock overflows by this.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// For how long a request that is throttled goes out again.
const PATIENCE: Duration = Duration::from_secs(3);

pub struct Client {
    endpoint: Endpoint,
    time: Duration,
    token: Option<String>,
}

pub struct Answer {
    pub status: u16,
    /// Whether it was asked for by version 1.
    pub was_without_token: bool,
    pub body: Vec<u8>,
    reason: String,
    head: String,
}

/// No service answers.
#[derive(Debug)]
pub struct NoAnswer {
    endpoint: Endpoint,
    /// How long it was waited for.
    pub time: Duration,
    /// Why, where it was not the time.
    why: Option<String>,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Duration::from_millis(self.time.as_millis().try_into().unwrap_or(u64::MAX));
        write!(f, "no answer from {}", self.endpoint)?;
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => write!(f, " within {}", humantime::format_duration(time)),
        }?;
        // Where nobody named another one.
        if link_local::is_host(&self.endpoint.host) {
            f.write_str("\nhelp: imds serve listens on http://127.0.0.1:1338: give that by --endpoint, or in AWS_EC2_METADATA_SERVICE_ENDPOINT")?;
        }
        Ok(())
    }
}

impl std::error::Error for NoAnswer {}

impl Client {
    pub fn new(endpoint: Endpoint, time: Duration) -> Self {
        Self { endpoint, time, token: None }
    }

    /// Gets a token for all requests that follow. Returns the refusal if there is none.
    pub fn begin_session(&mut self) -> anyhow::Result<Option<Answer>> {
        let answer = self.ask("PUT", "/latest/api/token")?;
        if answer.status != 200 {
            return Ok(Some(answer));
        }
        match String::from_utf8(answer.body) {
            Ok(token) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                self.token = Some(token)
            }
            _ => bail!("what answers at {} gives a token that no client can send", self.endpoint),
        }
        Ok(None)
    }

    /// Asks; again, after a pause that doubles, where the service throttles and there is
    /// time left.
    pub fn ask(&self, method: &str, path: &str) -> anyhow::Result<Answer> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let answer = self.ask_once(method, path)?;
            if answer.status != 503 || started.elapsed() + pause > self.time.min(PATIENCE) {
                return Ok(answer);
            }
            thread::sleep(pause);
            pause *= 2;
        }
    }

    /// Asks, once.
    pub fn ask_once(&self, method: &str, path: &str) -> anyhow::Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n", self.endpoint.authority);
        if method == "PUT" {
            request += &format!("X-aws-ec2-metadata-token-ttl-seconds: {TTL_SECONDS}\r\n");
        }
        if let Some(token) = &self.token {
            request += &format!("X-aws-ec2-metadata-token: {token}\r\n");
        }
        request += "Connection: close\r\n\r\n";
        let answer = self
            .exchange(request.as_bytes(), method == "HEAD")
            .and_then(|bytes| Answer::read(&bytes, method == "HEAD"));
        let of_version = |answer| Answer { was_without_token: self.token.is_none(), ..answer };
        answer.map(of_version).map_err(|error| {
            let is_late = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
            let why = (!is_late).then(|| error.to_string());
            NoAnswer { endpoint: self.endpoint.clone(), time: self.time, why }.into()
        })
    }

    /// The addresses of the service. A name server that does not answer takes no longer
    /// than the time.
    fn addresses(&self, time: Duration) -> io::Result<Vec<SocketAddr>> {
        let Endpoint { host, port, .. } = self.endpoint.clone();
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let (sender, found) = mpsc::channel();
        // The system's look-up has no bound; without an answer its thread stays until the program ends.
        let look_up = move || sender.send((host.as_str(), port).to_socket_addrs().map(Vec::from_iter));
        thread::Builder::new().name("imds-name".into()).spawn(look_up)?;
        found.recv_timeout(time).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Sends a request, and reads its answer or until the service closes.
    fn exchange(&self, request: &[u8], is_of_head: bool) -> io::Result<Vec<u8>> {
        let until = Instant::now() + self.time.min(LONGEST);
        let left = || match until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::Error::from(io::ErrorKind::TimedOut)),
            left => Ok(left),
        };
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
        for address in self.addresses(left()?)? {
            let mut stream = match TcpStream::connect_timeout(&address, left()?) {
                Ok(stream) => stream,
                Err(error) => {
                    failed = error;
                    continue;
                }
            };
            stream.set_write_timeout(Some(left()?))?;
            stream.write_all(request)?;
            let mut answer = Vec::new();
            let mut part = [0; 16 << 10];
            loop {
                stream.set_read_timeout(Some(left()?))?;
                match stream.read(&mut part)? {
                    0 => return Ok(answer),
                    length => answer.extend_from_slice(&part[..length]),
                }
                if answer.len() as u64 > ANSWER_BYTES {
                    return Err(io::Error::other("the answer is too long"));
                }
                // Who keeps the connection open says where the body ends.
                if Answer::ends_with(&answer, is_of_head) {
                    return Ok(answer);
                }
            }
        }
        Err(failed)
    }
}

impl Answer {
    /// Whether the bytes are all of an answer that says where it ends.
    fn ends_with(bytes: &[u8], is_of_head: bool) -> bool {
        let bytes = without_interim(bytes);
        let mut fields = [EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut fields);
        if !matches!(parsed.parse(bytes), Ok(Status::Complete(_))) {
            return false;
        }
        let says = |name: &str| parsed.headers.iter().any(|field| field.name.eq_ignore_ascii_case(name));
        // Chunks are read once, when the last one may have come.
        let is_bounded = says("content-length") || (says("transfer-encoding") && bytes.ends_with(b"\r\n\r\n"));
        is_of_head || (is_bounded && Self::read(bytes, false).is_ok())
    }

    /// Reads an answer that is all of `bytes`.
    fn read(bytes: &[u8], is_of_head: bool) -> io::Result<Self> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let bytes = without_interim(bytes);
        if bytes.is_empty() {
            return Err(wrong("the connection was closed"));
        }
        let mut fields = [EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut fields);
        let Ok(Status::Complete(length)) = parsed.parse(bytes) else {
            return Err(wrong("what came is no answer of HTTP/1.1"));
        };
        let (head, body) = bytes.split_at(length);
        let value = |name: &str| {
            let field = parsed.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
            str::from_utf8(field.value).ok()
        };
        let body = if is_of_head {
            Vec::new()
        } else if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            of_chunks(body).ok_or_else(|| wrong("the body was cut off"))?
        } else {
            match value("content-length").map(|length| length.parse().ok()) {
                Some(Some(length)) => body.get(..length).ok_or_else(|| wrong("the body was cut off"))?.to_vec(),
                Some(None) => return Err(wrong("its length cannot be read")),
                None => body.to_vec(),
            }
        };
        Ok(Self {
            status: parsed.code.unwrap_or_default(),
            was_without_token: false,
            body,
            reason: parsed.reason.unwrap_or_default().to_owned(),
            head: String::from_utf8_lossy(head).trim_end().replace("\r\n", "\n"),
        })
    }

    pub fn is_found(&self) -> bool {
        self.status == 200
    }

    /// `404 Not Found`.
    pub fn status_line(&self) -> String {
        format!("{} {}", self.status, self.reason).trim_end().to_owned()
    }

    /// The status line and the header fields as they came, a line each.
    pub fn head(&self) -> &str {
        &self.head
    }
}

/// What follows the interim answers (RFC 9110, section 15.2), such as 100 and 103. Behind
/// 101 another protocol follows, so it is final here.
fn without_interim(mut bytes: &[u8]) -> &[u8] {
    loop {
        let mut fields = [EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut fields);
        match (parsed.parse(bytes), parsed.code) {
            (Ok(Status::Complete(length)), Some(100 | 102..=199)) => bytes = &bytes[length..],
            _ => return bytes,
        }
    }
}

/// A body without the marks of its chunks.
fn of_chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Ok(Status::Complete((start, size))) = parse_chunk_size(rest) else { return None };
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        body.extend_from_slice(rest.get(start..end)?);
        if size == 0 {
            return Some(body);
        }
        rest = rest[end..].strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_came() {
        let bytes = b"HTTP/1.1 404 Not Found\r\nX-Case: Kept\r\nContent-Length: 2\r\n\r\nabc";
        let answer = Answer::read(bytes, false).unwrap();
        assert_eq!(
            (answer.status, &answer.body[..], answer.status_line()),
            (404, &b"ab"[..], "404 Not Found".to_owned())
        );
        assert_eq!(answer.head(), "HTTP/1.1 404 Not Found\nX-Case: Kept\nContent-Length: 2");
        assert_eq!(Answer::read(bytes, true).unwrap().body, b"");
    }

    #[test]
    fn a_body_may_come_in_chunks() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n";
        assert_eq!(Answer::read(bytes, false).unwrap().body, b"abcd");
    }

    #[test]
    fn interim_answers_come_before_the_answer() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
        let bytes = format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
        let answer = Answer::read(bytes.as_bytes(), false).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"ab"[..]));
        assert!(answer.head().starts_with("HTTP/1.1 200 OK\n"), "{}", answer.head());
        for end in interim.len()..bytes.len() {
            assert!(!Answer::ends_with(&bytes.as_bytes()[..end], false), "{end}");
        }
        assert!(!Answer::ends_with(interim.as_bytes(), true) && Answer::ends_with(bytes.as_bytes(), true));
        assert!(Answer::read(interim.as_bytes(), false).is_err());
        // What follows is no HTTP.
        assert_eq!(Answer::read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", true).unwrap().status, 101);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for bytes in [
            &b""[..],
            b"SSH-2.0-x\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab",
        ] {
            assert!(Answer::read(bytes, false).is_err(), "{}", bytes.escape_ascii());
        }
    }
}
