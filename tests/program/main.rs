//! The program `imds` as a process: its fixed command line, its exit codes,
//! what it prints and where.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

// Its files are devices and pipes.
#[cfg(unix)]
mod bounds;
mod capture;
mod certificates;
mod check;
mod check_json;
// Terminals are made there.
#[cfg(target_os = "linux")]
mod colour;
mod command;
mod conform;
// Its commands are shell scripts.
#[cfg(unix)]
mod container;
// Unix sockets.
#[cfg(unix)]
mod control;
// Their commands are shell scripts.
#[cfg(unix)]
mod credentials;
mod ec2;
// Signals end what it reads.
#[cfg(unix)]
mod fault_delivery;
// How many files a process may open is set by a shell.
#[cfg(unix)]
mod faults;
mod file;
mod get;
// In network namespaces, which are Linux's.
#[cfg(target_os = "linux")]
mod hop_limit;
mod instances;
mod kept_keys;
// The system tells there what it keeps for each socket.
#[cfg(target_os = "linux")]
mod kernel_memory;
mod large;
#[cfg(target_os = "linux")]
mod link_local;
// Signals end what it reads.
#[cfg(unix)]
mod log;
#[cfg(target_os = "linux")]
mod namespaces;
mod new;
// Signals end what it watches.
#[cfg(unix)]
mod observability;
// What the control listener, on Unix sockets too, is compared with.
#[cfg(unix)]
mod openapi;
mod packaging;
// /proc tells there.
#[cfg(target_os = "linux")]
mod processes;
// It is asked for by a signal.
#[cfg(unix)]
mod read_again;
// Its commands are those of a shell.
#[cfg(unix)]
mod readme;
// Its commands are shell scripts, and signals end them.
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod run;
#[cfg(target_os = "linux")]
mod run_link_local;
mod scenarios;
// Signals end what it watches.
#[cfg(unix)]
mod secrets;
mod serve;
mod served;
mod settings;
#[cfg(unix)]
mod socket_activation;
// The system tells there what a process holds.
#[cfg(target_os = "linux")]
mod soak;
mod start;
// What fills a pipe is known there.
#[cfg(target_os = "linux")]
mod unread;
mod warnings;
mod wrong_use;

use command::Command;
use file::File;
use served::{Served, connect, names_of_head, request};

const IMDS: &str = env!("CARGO_BIN_EXE_imds");

/// Far above what any step takes; only a failing test waits so long.
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn schema_prints_json() {
    let output = imds(&["schema"]);
    assert!(output.status.success());
    let schema = text(&output.stdout);
    assert!(schema.starts_with('{') && schema.ends_with("}\n"), "{schema}");
}

#[test]
fn help_has_examples_for_every_command() {
    for command in
        ["serve", "run", "get", "wait", "ctl", "check", "conform", "capture", "certificates", "new", "schema"]
    {
        let output = imds(&[command, "--help"]);
        assert!(output.status.success());
        let help = text(&output.stdout);
        assert!(help.contains("Example") && help.contains(&format!("imds {command}")), "{help}");
    }
}

fn imds(arguments: &[&str]) -> Output {
    Command::new(IMDS).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Says why a test, or a part of it, cannot run. Not by a macro: of tests that
/// pass, what macros print is not shown.
#[cfg(unix)]
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
}

/// Whether processes started here get the signal: under `nohup` they do not. Says
/// so then.
#[cfg(unix)]
fn is_delivered(signal: &str) -> bool {
    let script = format!("trap 'exit 9' {signal}; kill -{signal} $$");
    let is_delivered = Command::new("sh").args(["-c", &script]).status().unwrap().code() == Some(9);
    if !is_delivered {
        skipped(&format!("SIG{signal}: it is ignored here, as under nohup"));
    }
    is_delivered
}

#[cfg(unix)]
fn kill(child: &Child, signal: &str) {
    let status = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
