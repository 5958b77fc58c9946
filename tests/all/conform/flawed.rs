//! A service in front of another one, which does something to requests or to answers.
//!
//! What breaks rules of HTTP is asked without a socket: thousands of connections in a few
//! seconds are more than the tables of a system hold. Hostile clients have connections.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use imds_host::probe::{Client, Endpoint};
use imds_host::testing::Imds;
use imds_host::{Control, Request};

use super::Flaw;

/// How long a flawed service waits for a request or an answer; longer than its clients.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, Vec<u8>)>,
    /// The tokens issued before it, with the lifetime that each was asked for.
    pub issued: Vec<(Vec<u8>, String)>,
}

impl Asked {
    /// The value of a field, by its name in small letters.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub fn token(&self) -> Option<&[u8]> {
        self.value("x-aws-ec2-metadata-token")
    }

    pub fn ttl(&self) -> Option<&str> {
        str::from_utf8(self.value("x-aws-ec2-metadata-token-ttl-seconds")?).ok()
    }

    pub fn is_forwarded(&self) -> bool {
        self.value("x-forwarded-for").is_some()
    }

    /// Whether it asks for a token, whatever the answer will be.
    pub fn is_put(&self) -> bool {
        self.method == "PUT" && self.target == "/latest/api/token"
    }

    pub fn is(&self, method: &str, target: &str) -> bool {
        self.method == method && self.target == target
    }

    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.remove(name);
        self.fields.push((name.to_owned(), value.into()));
    }

    /// Takes one lifetime for another.
    pub fn replace_ttl(&mut self, old: &str, new: &str) {
        if self.ttl() == Some(old) {
            self.set("X-aws-ec2-metadata-token-ttl-seconds", new);
        }
    }

    /// Takes one path for another.
    pub fn replace_target(&mut self, old: &str, new: &str) {
        if self.target == old {
            new.clone_into(&mut self.target);
        }
    }

    /// Whether a token is one that was issued, be it good or not.
    pub fn has_issued(&self, token: &[u8]) -> bool {
        self.issued.iter().any(|(issued, _)| issued == token)
    }

    /// Puts the last token that was issued in place of that which came.
    pub fn take_last_token(&mut self) {
        if let Some((token, _)) = self.issued.last().cloned() {
            self.set("X-aws-ec2-metadata-token", token);
        }
    }

    fn read(bytes: &[u8], issued: Vec<(Vec<u8>, String)>) -> Option<Self> {
        let head = &bytes[..bytes.windows(4).position(|end| end == b"\r\n\r\n")?];
        let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let line = str::from_utf8(lines.next()?).ok()?;
        let (method, rest) = line.split_once(' ')?;
        let (target, _) = rest.rsplit_once(' ')?;
        let field = |line: &[u8]| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((String::from_utf8(line[..colon].to_vec()).ok()?, line[colon + 1..].trim_ascii().to_vec()))
        };
        let fields = lines.filter_map(field).collect();
        Some(Self { method: method.to_owned(), target: target.to_owned(), fields, issued })
    }
}

/// An answer before it is sent.
#[derive(Clone, Debug)]
pub struct Answered {
    pub version: String,
    pub status: u16,
    pub reason: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn set(&mut self, name: &str, value: &str) {
        match self.fields.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    /// Puts a field of it at the end.
    pub fn put_last(&mut self, name: &str) {
        if let Some(place) = self.fields.iter().position(|(other, _)| other.eq_ignore_ascii_case(name)) {
            let field = self.fields.remove(place);
            self.fields.push(field);
        }
    }

    pub fn set_status(&mut self, status: u16, reason: &str) {
        self.status = status;
        reason.clone_into(&mut self.reason);
    }

    /// Makes a refusal of it.
    pub fn refuse(&mut self, status: u16, reason: &str) {
        self.set_status(status, reason);
        self.set_body("");
    }

    /// Another body, with its length in the head.
    pub fn set_body(&mut self, body: impl Into<Vec<u8>>) {
        self.body = body.into();
        self.set("Content-Length", &self.body.len().to_string());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.splitn(3, ' ');
        let (version, status) = (first.next()?.to_owned(), first.next()?.parse().ok()?);
        let reason = first.next().unwrap_or_default().to_owned();
        let fields =
            lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Self { version, status, reason, fields: fields.collect(), body: bytes[end + 4..].to_vec() })
    }

    fn write(&self) -> Vec<u8> {
        let mut head = format!("{} {} {}\r\n", self.version, self.status, self.reason);
        for (name, value) in &self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// What a flawed service does on its own.
pub enum Own {
    /// Asks the service behind it.
    Forward,
    /// Answers with these bytes, and closes.
    Answer(&'static [u8]),
    /// Answers no more, to this and to all that follow.
    Crash,
}

/// A service with a flaw, until it is dropped.
pub struct Flawed {
    endpoint: String,
    carrier: Arc<Carrier>,
    thread: Option<JoinHandle<()>>,
}

struct Carrier {
    flaw: Flaw,
    /// The service behind it, and where it is.
    control: Control,
    behind: String,
    issued: Mutex<Vec<(Vec<u8>, String)>>,
    has_crashed: AtomicBool,
    is_over: AtomicBool,
}

impl Flawed {
    pub fn start(flaw: Flaw, imds: &Imds) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it has an address"));
        let carrier = Arc::new(Carrier {
            flaw,
            control: imds.control().clone(),
            behind: imds.endpoint().trim_start_matches("http://").to_owned(),
            issued: Mutex::default(),
            has_crashed: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let carries = carrier.clone();
        let thread = thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if carries.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let one = carries.clone();
                // A client that goes away is none to mourn.
                let one = move || drop(one.carry(client));
                if matches!(carries.flaw, Flaw::OneAtATime) { one() } else { drop(thread::spawn(one)) }
            }
        });
        Self { endpoint, carrier, thread: Some(thread) }
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        let endpoint = Endpoint::parse(&self.endpoint).expect("a URL");
        let carrier = self.carrier.clone();
        match carrier.flaw {
            Flaw::Http(of_requests, of_answers) => {
                Client::in_process(endpoint, move |bytes| carrier.answer(bytes, of_requests, of_answers))
            }
            // It lets clients wait; all others answer at once.
            Flaw::OneAtATime => Client::new(endpoint).timeout(Duration::from_secs(6)),
            Flaw::Bytes(_) => Client::new(endpoint).timeout(Duration::from_secs(30)),
        }
    }
}

impl Drop for Flawed {
    fn drop(&mut self) {
        self.carrier.is_over.store(true, Ordering::Relaxed);
        // It looks up when somebody comes.
        drop(TcpStream::connect(self.endpoint.trim_start_matches("http://")));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Carrier {
    fn carry(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(PATIENCE))?;
        let (mut bytes, mut part) = (Vec::new(), [0; 64 << 10]);
        while !ends_a_head(&bytes) {
            match client.read(&mut part)? {
                0 => break,
                length => bytes.extend_from_slice(&part[..length]),
            }
        }
        if self.has_crashed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let answer = match self.flaw {
            Flaw::Http(of_requests, of_answers) => self.answer(&bytes, of_requests, of_answers),
            Flaw::OneAtATime => self.forward(&bytes)?,
            Flaw::Bytes(flaw) => match flaw(&bytes) {
                Own::Forward => self.forward(&bytes)?,
                Own::Answer(answer) => answer.to_vec(),
                Own::Crash => {
                    self.has_crashed.store(true, Ordering::Relaxed);
                    return Ok(());
                }
            },
        };
        client.write_all(&answer)?;
        finish(&client)
    }

    fn answer(&self, bytes: &[u8], of_requests: fn(&mut Asked), of_answers: fn(&Asked, &mut Answered)) -> Vec<u8> {
        let issued = || self.issued.lock().expect("no thread panics with it");
        let asked = Asked::read(bytes, issued().clone()).expect("these requests can be read");
        let mut changed = asked.clone();
        of_requests(&mut changed);
        let request = Request { method: changed.method, ..Request::get(changed.target) };
        let request = changed.fields.into_iter().fold(request, |request, (name, value)| request.with(name, value));
        let answer = self.control.answer(&request);
        let answer = [answer.head.as_bytes(), &answer.body].concat();
        let mut answered = Answered::read(&answer).expect("this service answers in HTTP");
        let is_issued = asked.method == "PUT" && answered.status == 200;
        of_answers(&asked, &mut answered);
        if is_issued {
            issued().push((answered.body.clone(), asked.ttl().unwrap_or_default().to_owned()));
        }
        answered.write()
    }

    fn forward(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(&self.behind)?;
        server.set_read_timeout(Some(PATIENCE))?;
        // It may have answered before it has read all.
        let _ = server.write_all(bytes);
        let _ = server.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = server.read_to_end(&mut answer);
        Ok(answer)
    }
}

fn ends_a_head(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|end| end == b"\r\n\r\n")
}

/// Closes so that what was sent arrives, though not all that came was read.
fn finish(mut client: &TcpStream) -> io::Result<()> {
    client.shutdown(Shutdown::Write)?;
    client.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut rest = [0; 64 << 10];
    while client.read(&mut rest).is_ok_and(|length| length > 0) {}
    Ok(())
}
