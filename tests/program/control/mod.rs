//! The control listener and its client, `imds ctl`.

mod application;
mod browser;
mod browsers;
mod changes;
mod documented;
mod item;
mod listener;
mod many;
mod page;
mod privacy;
mod requests;
mod verbs;

use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use super::*;

/// A process of `imds serve --control`.
struct Controlled {
    served: Served,
    place: String,
}

/// An answer of its listener.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

const JSON: &str = "Host: localhost\r\nContent-Type: application/json\r\n";
const HOST: &str = "Host: localhost\r\n";

impl Controlled {
    fn start(flags: &[&str]) -> Self {
        Self::at("127.0.0.1:0", flags)
    }

    fn at(place: &str, flags: &[&str]) -> Self {
        let served = Served::start(&[&["--control", place], flags].concat());
        let line = served.line_with("imds: control on ");
        Self { place: line.strip_prefix("imds: control on ").unwrap().to_owned(), served }
    }

    fn ctl(&self, arguments: &[&str]) -> Output {
        ctl(&self.place, arguments)
    }

    /// What a verb prints that does what was asked.
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.ctl(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What the instance is.
    fn shown(&self) -> Value {
        serde_json::from_str(&self.told(&["show", "--json"])).unwrap()
    }

    fn ask(&self, method: &str, path: &str, fields: &str, body: &str) -> Answer {
        let length = body.len();
        let text = format!("{method} {path} HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n{body}");
        let answer = self.send(&text);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text}: {answer}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.unwrap(), head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn send(&self, text: &str) -> String {
        match self.place.strip_prefix("http://") {
            Some(address) => request(address, text),
            None => {
                let mut stream = UnixStream::connect(&self.place).unwrap();
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                stream.write_all(text.as_bytes()).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer
            }
        }
    }

    /// An answer of the instance itself.
    fn get(&self, path: &str) -> String {
        self.served.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }
}

fn ctl(place: &str, arguments: &[&str]) -> Output {
    let mut imds = Command::new(IMDS);
    imds.arg("ctl").args(arguments).env("IMDS_CONTROL", place).stdin(Stdio::null());
    imds.output().unwrap()
}

/// A path for a socket: short, as they must be.
fn socket(name: &str) -> File {
    File { path: std::env::temp_dir().join(format!("imds-{}-{name}", std::process::id())) }
}
