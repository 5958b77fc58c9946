// `imds ctl follow`.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use imds_host::shown;
use serde_json::Value;

use super::super::print::to_stderr;
use super::client::{Ask, Client};

/// Print the requests as they come, a line for each, until it is interrupted
#[derive(Args)]
#[command(after_help = "Example:\n  imds ctl follow --refusals\n  imds ctl follow --json | jq .target")]
pub struct Follow {
    /// Only requests that are refused or that a fault affects
    #[arg(long)]
    refusals: bool,
}

/// In seconds: as long as the listener lets anybody wait.
const WAIT: u64 = 30;

impl Follow {
    pub fn print(self, client: &Client, json: bool) -> anyhow::Result<ExitCode> {
        let last = client.ask(Ask::get("/v1/requests?limit=1"))?.body["last"].as_u64();
        let mut after = last.unwrap_or_default();
        // On standard error, so that what is piped on is requests alone.
        to_stderr("imds: following the requests; Ctrl-C ends it");
        loop {
            let path = format!("/v1/requests?after={after}&wait={WAIT}&refusals={}", self.refusals);
            let answer = match client.ask(Ask::get(&path).waiting(Duration::from_secs(WAIT))) {
                Ok(answer) => answer.body,
                Err(_) if client.is_gone() => anyhow::bail!("the server ended"),
                Err(error) => return Err(error),
            };
            after = answer["last"].as_u64().unwrap_or(after);
            let requests = answer["requests"].as_array().into_iter().flatten();
            let lines: String = requests
                .map(
                    |request| if json { format!("{request}\n") } else { format!("{}\n", shown::lines(&line(request))) },
                )
                .collect();
            let mut stdout = io::stdout().lock();
            match stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()) {
                Ok(()) => {}
                // Who has read enough, such as `head`, wants no more.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                Err(error) => return Err(error).context("cannot write the requests to standard output"),
            }
        }
    }
}

/// A request in a line.
pub fn line(request: &Value) -> String {
    let text = |name: &str| request[name].as_str();
    let status = request["status"].as_u64();
    let mut line = text("time").unwrap_or_default().to_owned();
    match status {
        Some(status) => line += &format!(" {status} "),
        None => line += " no answer to ",
    }
    match text("method").zip(text("target")) {
        Some((method, target)) => line += &format!("{method} {target}"),
        None => line += "unreadable request",
    }
    line.extend(text("caller").map(|caller| format!(" from {caller}")));
    line.extend(text("user-agent").map(|agent| format!(" by {agent}")));
    line.extend(request["version"].as_u64().map(|version| format!(", version {version}")));
    line += &format!(": {}", text("reason").unwrap_or_default());
    // A refusal has its fault as its reason.
    let fault = text("fault").filter(|_| request["outcome"] != "fault-refused");
    line.extend(fault.map(|fault| format!("; fault: {fault}")));
    if status.is_none() {
        line += if fault.is_some() { ", nothing was sent" } else { "; nothing was sent" };
    }
    line
}
