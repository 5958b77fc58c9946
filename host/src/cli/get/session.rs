// The session of `imds get`: a token for all requests, and patience with a throttle.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use imds_host::Request;
use imds_host::probe::{Client, NoReply, Reply};

/// Longer than a tree takes at most.
const TTL_SECONDS: &str = "600";
/// For how long a request that is throttled goes out again.
const PATIENCE: Duration = Duration::from_secs(3);

pub struct Session {
    client: Client,
    patience: Duration,
    token: Option<String>,
}

impl Session {
    pub fn new(client: Client, timeout: Duration) -> Self {
        Self { client, patience: timeout.min(PATIENCE), token: None }
    }

    /// Gets a token for all requests that follow. Returns the refusal if there is none.
    pub fn begin(&mut self) -> anyhow::Result<Option<Reply>> {
        let reply = self.ask("PUT", "/latest/api/token")?;
        if reply.status != 200 {
            return Ok(Some(reply));
        }
        match String::from_utf8(reply.body) {
            Ok(token) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                self.token = Some(token)
            }
            _ => bail!("what answers at {} gives a token that no client can send", self.client.endpoint()),
        }
        Ok(None)
    }

    /// Whether it asks by version 1.
    pub fn is_without_token(&self) -> bool {
        self.token.is_none()
    }

    /// Asks; again, after a pause that doubles, where the service throttles and there is
    /// time left.
    pub fn ask(&self, method: &str, path: &str) -> Result<Reply, NoReply> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let reply = self.client.exchange(&self.request(method, path))?;
            if reply.status != 503 || started.elapsed() + pause > self.patience {
                return Ok(reply);
            }
            thread::sleep(pause);
            pause *= 2;
        }
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let mut request = request(method, path);
        if method == "PUT" {
            request = request.with("X-aws-ec2-metadata-token-ttl-seconds", TTL_SECONDS);
        }
        if let Some(token) = &self.token {
            request = request.with("X-aws-ec2-metadata-token", token.as_bytes());
        }
        request
    }
}

/// A request as simple clients send it.
pub fn request(method: &str, path: &str) -> Request {
    let request = Request { method: method.to_owned(), target: path.to_owned(), fields: Vec::new() };
    request.with("Accept", "*/*").with("Connection", "close")
}
