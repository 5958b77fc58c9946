use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Endpoint, NoReply, Reply};
use crate::engine::Request;

/// Far larger than anything that the service has at a path.
const ANSWER_BYTES: usize = 16 << 20;
/// The longest head, with the interim answers before it: far longer than any of the service.
const HEAD_BYTES: usize = 64 << 10;
/// Short enough that no clock overflows.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// How long a client waits for an answer by default.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client of one service. It sends requests unchanged, one on each connection, and limits
/// how many it sends in a second.
///
/// ```
/// use imds_host::probe::{Client, Endpoint};
/// use std::time::Duration;
///
/// let endpoint = Endpoint::parse("http://127.0.0.1:1338")?;
/// let client = Client::new(endpoint).timeout(Duration::from_secs(1)).requests_per_second(50);
/// assert_eq!(client.requests_sent(), 0);
/// # Ok::<_, imds_host::probe::WrongEndpoint>(())
/// ```
pub struct Client {
    endpoint: Endpoint,
    /// The function that answers, for a service in this process.
    service: Option<Box<Answer>>,
    timeout: Duration,
    /// The value of `Host`; by default the endpoint's authority.
    host: Option<String>,
    /// The shortest time from one request to the next, and when the next may be sent.
    interval: Duration,
    next: Mutex<Option<Instant>>,
    sent: AtomicU64,
}

/// From the bytes of a request to the bytes of its answer.
type Answer = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).field("sent", &self.sent).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of a service in this process, without a socket: a function from the bytes
    /// of a request to the bytes of its answer. `Host` names the endpoint.
    ///
    /// ```
    /// use imds_host::Request;
    /// use imds_host::probe::{Client, Endpoint};
    ///
    /// let endpoint = Endpoint::parse("http://169.254.169.254")?;
    /// let client = Client::in_process(endpoint, |_| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    /// assert_eq!(client.exchange(&Request::get("/"))?.status, 204);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn in_process(endpoint: Endpoint, service: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { service: Some(Box::new(service)), ..Self::new(endpoint) }
    }

    /// A client that waits 5 seconds for an answer and makes no pauses.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            service: None,
            timeout: TIMEOUT,
            host: None,
            interval: Duration::ZERO,
            next: Mutex::new(None),
            sent: AtomicU64::new(0),
        }
    }

    /// How long to wait for a complete answer; at most a day.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: timeout.min(LONGEST), ..self }
    }

    /// The value of the field `Host`, instead of the endpoint's host and port, for services
    /// that identify their clients by it.
    #[must_use]
    pub fn host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// How many requests to send in a second at most, evenly spaced; 0 is any number.
    #[must_use]
    pub fn requests_per_second(self, requests: u32) -> Self {
        let interval = Duration::from_secs(1).checked_div(requests).unwrap_or_default();
        Self { interval, ..self }
    }

    /// The service that it sends requests to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether `Host` was set to another value than the endpoint.
    pub(crate) fn has_own_host(&self) -> bool {
        self.host.is_some()
    }

    /// How many requests it has sent.
    pub fn requests_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends a request and reads its answer. A request without `Host` gets one.
    ///
    /// # Errors
    ///
    /// [`NoReply`] if no complete HTTP/1 answer arrives in time.
    pub fn exchange(&self, request: &Request) -> Result<Reply, NoReply> {
        let has_host = request.fields.iter().any(|field| field.name.eq_ignore_ascii_case("host"));
        let mut request = request.clone();
        if !has_host {
            let host = self.host.as_deref().unwrap_or(self.endpoint.authority());
            request.fields.insert(0, crate::engine::Field::new("Host", host));
        }
        self.exchange_bytes(&request.head(), request.method == "HEAD")
    }

    /// Sends bytes unchanged, whether they are a request or not, and reads the answer.
    /// `is_of_head` says that the method is `HEAD`, whose answer has no body.
    ///
    /// # Errors
    ///
    /// [`NoReply`] if no complete HTTP/1 answer arrives in time.
    pub fn exchange_bytes(&self, bytes: &[u8], is_of_head: bool) -> Result<Reply, NoReply> {
        self.wait_for_turn();
        self.sent.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let answered = match &self.service {
            Some(service) => Ok(service(bytes)),
            None => self.send(bytes, is_of_head),
        };
        let answered = answered.and_then(|bytes| Reply::read(&bytes, is_of_head));
        answered.map(|reply| Reply { took: started.elapsed(), ..reply }).map_err(|error| self.no_reply(&error))
    }

    /// Opens a connection, sends bytes and reads nothing. The connection stays open until
    /// the returned value is dropped.
    ///
    /// ```no_run
    /// # use imds_host::probe::{Client, Endpoint};
    /// let client = Client::new(Endpoint::parse("http://127.0.0.1:1338")?);
    /// let half = client.hold(b"GET / HT")?;
    /// assert!(client.exchange(&imds_host::Request::get("/")).is_ok());
    /// # drop(half);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`NoReply`] if nothing accepts the connection in time, and always for
    /// [`in_process`](Self::in_process).
    pub fn hold(&self, bytes: &[u8]) -> Result<TcpStream, NoReply> {
        self.wait_for_turn();
        self.sent.fetch_add(1, Ordering::Relaxed);
        if self.service.is_some() {
            return Err(self.no_reply(&io::Error::other("a service in this process has no connections")));
        }
        let until = Instant::now() + self.timeout;
        let held = self.addresses(self.timeout).and_then(|addresses| {
            let mut failed = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
            for address in addresses {
                let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
                match TcpStream::connect_timeout(&address, left) {
                    Ok(mut stream) => {
                        stream.set_write_timeout(Some(left))?;
                        stream.write_all(bytes)?;
                        return Ok(stream);
                    }
                    Err(error) => failed = error,
                }
            }
            Err(failed)
        });
        held.map_err(|error| self.no_reply(&error))
    }

    /// Sends bytes that may contain several requests, and reads until the service closes
    /// the connection or the time is over. Returns the status of each answer, and whether
    /// the time was over.
    pub(crate) fn statuses(&self, bytes: &[u8]) -> (Vec<u16>, bool) {
        let Ok(mut stream) = self.hold(bytes) else { return (Vec::new(), false) };
        let until = Instant::now() + self.timeout;
        let (mut answers, mut part) = (Vec::new(), [0; 16 << 10]);
        let is_late = loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
                break true;
            }
            match stream.read(&mut part) {
                Ok(length @ 1..) if answers.len() < ANSWER_BYTES => answers.extend_from_slice(&part[..length]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    break true;
                }
                _ => break false,
            }
        };
        (Reply::statuses(&answers), is_late)
    }

    fn no_reply(&self, error: &io::Error) -> NoReply {
        let is_late = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        let why = (!is_late).then(|| error.to_string());
        let is_refused = error.kind() == io::ErrorKind::ConnectionRefused;
        NoReply { endpoint: self.endpoint.clone(), waited: self.timeout, why, is_refused }
    }

    fn wait_for_turn(&self) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.interval);
        drop(next);
        thread::sleep(turn.saturating_duration_since(now));
    }

    /// The addresses of the service. Waits for a name server no longer than the timeout.
    fn addresses(&self, time: Duration) -> io::Result<Vec<SocketAddr>> {
        let (host, port) = (self.endpoint.host().to_owned(), self.endpoint.port());
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let (sender, found) = mpsc::channel();
        // The system's look-up has no timeout; without an answer, its thread stays until
        // the program ends.
        let look_up = move || sender.send((host.as_str(), port).to_socket_addrs().map(Vec::from_iter));
        thread::Builder::new().name("imds-name".into()).spawn(look_up)?;
        found.recv_timeout(time).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Sends a request, and reads its answer or until the service closes the connection.
    fn send(&self, request: &[u8], is_of_head: bool) -> io::Result<Vec<u8>> {
        let until = Instant::now() + self.timeout;
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
            // A service that refuses a request before it is complete may have answered it
            // already.
            let written = stream.write_all(request);
            let mut answer = Vec::new();
            let mut part = [0; 16 << 10];
            let mut head = None;
            loop {
                stream.set_read_timeout(Some(left()?))?;
                match (stream.read(&mut part), &written) {
                    (Ok(0), Err(error)) if answer.is_empty() => return Err(error.kind().into()),
                    (Ok(0), _) => return Ok(answer),
                    (Ok(length), _) => answer.extend_from_slice(&part[..length]),
                    // A service that refuses early may reset the connection after its
                    // answer.
                    (Err(_), Err(_)) if !answer.is_empty() => return Ok(answer),
                    (Err(error), _) => return Err(error),
                }
                head = head.or_else(|| Reply::head_bytes(&answer));
                if head.unwrap_or(answer.len()) > HEAD_BYTES {
                    return Err(io::Error::other("the head of the answer is too long"));
                }
                if answer.len() > ANSWER_BYTES {
                    return Err(io::Error::other("the answer is too long"));
                }
                // A service that keeps the connection open says where the body ends.
                if Reply::ends_with(&answer, is_of_head) {
                    return Ok(answer);
                }
            }
        }
        Err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A client of a service that answers every request so, and keeps the connection open.
    fn answered(answer: Vec<u8>) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut held = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 1024]);
                // The client may have seen enough.
                let _ = stream.write_all(&answer);
                held.push(stream);
            }
        });
        Client::new(Endpoint::parse(&endpoint).unwrap()).timeout(Duration::from_secs(20))
    }

    #[test]
    fn an_answer_without_a_body_needs_no_end_of_the_connection() {
        let client = answered(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n".to_vec());
        assert_eq!(client.exchange(&Request::get("/")).unwrap().status, 304);
    }

    #[test]
    fn a_head_that_is_too_long_is_not_read() {
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(1 << 20));
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1 << 15);
        for answer in [long, interim] {
            let error = answered(answer.into_bytes()).exchange(&Request::get("/")).unwrap_err();
            assert!(error.to_string().ends_with(": the head of the answer is too long"), "{error}");
        }
        let body = vec![b'a'; 1 << 20];
        let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: {}\r\n\r\n", "a".repeat(60_000), body.len());
        let reply = answered([head.as_bytes(), &body].concat()).exchange(&Request::get("/")).unwrap();
        assert_eq!(reply.body.len(), body.len());
    }
}
