//! The program `imds` as a process: its fixed command line, its exit codes,
//! what it prints and where.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

// Its files are devices and pipes.
#[cfg(unix)]
mod bounds;
mod certificates;
mod check;
mod command;
// Unix sockets.
#[cfg(unix)]
mod control;
// How many files a process may open is set by a shell.
#[cfg(unix)]
mod faults;
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
#[cfg(target_os = "linux")]
mod namespaces;
mod new;
// Signals end what it watches.
#[cfg(unix)]
mod observability;
// What the control listener, on Unix sockets too, is compared with.
#[cfg(unix)]
mod openapi;
// It is asked for by a signal.
#[cfg(unix)]
mod read_again;
// Its commands are shell scripts, and signals end them.
#[cfg(unix)]
mod run;
#[cfg(target_os = "linux")]
mod run_link_local;
mod scenarios;
// Signals end what it watches.
#[cfg(unix)]
mod secrets;
#[cfg(unix)]
mod socket_activation;
// The system tells there what a process holds.
#[cfg(target_os = "linux")]
mod soak;
// Signals end what it reads.
#[cfg(unix)]
mod struck;
// What fills a pipe is known there.
#[cfg(target_os = "linux")]
mod unread;
mod warnings;
mod wrong_use;

use command::Command;

const IMDS: &str = env!("CARGO_BIN_EXE_imds");

/// Far above what any step takes; only a failing test waits so long.
const DEADLINE: Duration = Duration::from_secs(20);

#[cfg(unix)]
#[test]
fn serve_says_where_it_listens_and_ends_with_0_at_sigterm() {
    let mut served = Served::start(&[]);
    let answer = served.request("GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nt3.micro"), "{answer}");
    assert_eq!(served.terminate().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn imds_alone_serves() {
    let mut imds = Command::new(IMDS);
    imds.args(["--listen", "127.0.0.1:0"]);
    assert!(Served::spawn(imds, 1).terminate().success());
}

#[test]
fn every_listener_has_its_line() {
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
    let served = Served::spawn(imds, 2);
    assert_ne!(served.addresses[0], served.addresses[1]);
    for address in &served.addresses {
        assert!(TcpStream::connect(address).is_ok());
    }
}

#[test]
fn the_start_shows_what_a_newcomer_needs_next() {
    let served = Served::start(&[]);
    let address = &served.addresses[0];
    let endpoint = format!("export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://{address}");
    let next = [endpoint.as_str(), "curl ", " new > instance.toml", "serve --instance instance.toml"];
    for wanted in next {
        served.line_with(wanted);
    }
}

#[cfg(unix)]
#[test]
fn the_start_offers_nothing_that_gets_403() {
    let served = Served::start(&["--http-endpoint", "disabled"]);
    let lines = served.end_of_log();
    assert!(lines.contains("Every request gets 403: http-endpoint is \"disabled\"\n"), "{lines}");
    assert!(!lines.contains("curl"), "{lines}");
}

#[cfg(unix)]
#[test]
fn the_start_offers_what_answers() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        skipped("there is no IPv6 here");
        return;
    }
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "[::1]:0", "--listen", "localhost:0"]);
    let served = Served::spawn(imds, 2);
    let url = format!("'http://{}/latest/meta-data/'", served.addresses[1]);
    assert!(served.line_with("curl ").ends_with(&url));

    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "[::1]:0"]);
    let served = Served::spawn(imds, 1);
    served.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let lines = served.end_of_log();
    let how = "http-protocol-ipv6 is \"disabled\"; to allow it: --http-protocol-ipv6 enabled\n";
    assert_eq!(lines.matches(how).count(), 2, "{lines}");
    assert!(!lines.contains("curl"), "{lines}");
}

#[cfg(unix)]
#[test]
fn a_description_from_standard_input_is_served() {
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "127.0.0.1:0", "--instance", "-"]).stdin(Stdio::null());
    let lines = Served::spawn(imds, 1).end_of_log();
    assert!(lines.contains("\nThe instance was read from standard input\n"), "{lines}");
}

#[test]
fn limits_are_set_by_flags() {
    let served = Served::start(&["--head-bytes", "100", "--head-time", "100ms"]);
    let long = "x".repeat(200);
    let answer = served.request(&format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(served.request("GET / HTTP/1.1\r\n"), "");
}

#[cfg(unix)]
#[test]
fn a_crowd_of_throttled_requests_leaves_room_in_the_log() {
    let file = File::new("throttle.toml", "[request-throttle]\nburst = 1\nper-second = 1\n");
    let served = Served::start(&["--keep-alive", "--instance", file.path.to_str().unwrap()]);
    let last = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = served.request(&("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(99) + last));
    let throttled = answers.matches("HTTP/1.1 503 ").count();
    assert!(throttled > 50, "{answers}");
    let log = served.end_of_log();
    assert!(log.matches(": more requests than request-throttle allows\n").count() < 20, "{log}");
    assert!(log.contains(" more requests throttled; the log takes 1 a second\n"), "{log}");
}

#[test]
fn an_answer_has_its_head_in_recorded_order_and_spelling() {
    let served = Served::start(&["--http-tokens", "required"]);
    // Dossier of recorded answers: 405 of the token path, and 401.
    assert_eq!(
        names_of_head(&served.request("GET /latest/api/token HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ["HTTP/1.1 405 Not Allowed", "Allow", "Content-Length", "Date", "Server", "Connection", "Content-Type"]
    );
    assert_eq!(
        names_of_head(&served.request("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ["HTTP/1.1 401 Unauthorized", "Content-Length", "Date", "Server", "Connection", "Content-Type"]
    );
}

#[test]
fn the_target_reaches_the_component_as_sent() {
    let served = Served::start(&[]);
    for target in ["//latest/meta-data/instance-type", "http://169.254.169.254/latest/meta-data/instance-type?x=1"] {
        let answer = served.request(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(answer.ends_with("\r\n\r\nt3.micro"), "{target}: {answer}");
    }
    // The authority of an absolute target counts, whatever `Host` says.
    let answer = served.request("GET http://attacker.example/latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn a_client_that_closed_its_side_gets_its_answer() {
    let served = Served::start(&[]);
    let mut stream = served.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\nlatest"), "{answer}");
}

#[test]
fn a_body_larger_than_what_is_read_does_not_cost_the_answer() {
    let served = Served::start(&[]);
    let length = 100 << 10;
    let mut stream = served.connect();
    let head = format!(
        "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![b'x'; length]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn connections_stay_open_only_when_asked() {
    let two = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /latest/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let closing = Served::start(&[]).request(two);
    assert_eq!(closing.matches("HTTP/1.1 200 OK").count(), 1, "{closing}");
    assert!(closing.contains("\r\nConnection: close\r\n"));
    let keeping = Served::start(&["--keep-alive"]).request(two);
    assert_eq!(keeping.matches("HTTP/1.1 200 OK").count(), 2, "{keeping}");
    let first = keeping.split("\r\n\r\n").next().unwrap();
    assert!(!first.contains("Connection"), "{keeping}");
}

#[test]
fn metadata_options_on_the_command_line_win_over_the_file() {
    let file = File::new("options.toml", "[metadata-options]\nhttp-tokens = 'optional'\n");
    let path = file.path.to_str().unwrap();
    let served = Served::start(&["--instance", path, "--http-tokens", "required"]);
    let answer = served.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn user_data_is_the_bytes_of_the_file() {
    let description = File::new("user-data.toml", "user-data = 'other'\n");
    let user_data = File::new("user-data", "#!/bin/sh\necho \"ä\"\n");
    let served = Served::start(&[
        "--instance",
        description.path.to_str().unwrap(),
        "--user-data",
        user_data.path.to_str().unwrap(),
    ]);
    let answer = served.request("GET /latest/user-data HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\n#!/bin/sh\necho \"ä\"\n"), "{answer}");
}

#[test]
fn a_token_outlives_the_process_with_a_secret_file() {
    let secret = File::for_owner("secret", "0123456789abcdef0123456789abcdef");
    let flags = ["--token-secret-file", secret.path.to_str().unwrap()];
    let token = Served::start(&flags).token();
    let answer = Served::start(&flags).get_with_token("/latest/", &token);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let answer = Served::start(&[]).get_with_token("/latest/", &token);
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_warned_of() {
    let secret = File::for_owner("shared-secret", "0123456789abcdef0123456789abcdef");
    let keys = File { path: secret.path.with_file_name("shared-keys.pem") };
    let name = |file: &File| file.path.to_str().unwrap().to_owned();
    let run = || {
        let output =
            imds(&["run", "--token-secret-file", &name(&secret), "--identity-keys", &name(&keys), "--", "true"]);
        assert!(output.status.success());
        text(&output.stderr)
    };
    // The keys are made, and for their owner alone.
    assert!(!run().contains("warning"));
    secret.set_mode(0o640);
    keys.set_mode(0o622);
    let errors = run();
    for (can, file) in [("read", name(&secret)), ("change", name(&keys))] {
        let warning =
            format!("imds: warning: others than its owner can {can} {file}; to keep them out: chmod go-rw {file}\n");
        assert!(errors.contains(&warning), "{errors}");
    }
}

#[cfg(unix)]
#[test]
fn refusals_are_logged_by_their_rule_and_without_secrets() {
    let served = Served::start(&["--http-tokens", "required", "--log", "all"]);
    let token = served.token();
    served.get_with_token("/latest/meta-data/", &token);
    served.get_with_token("/latest/meta-data/?hunter2", "not-a-token-hunter2");
    served.request("GET /latest/meta-data/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    served.request("GET /\u{202e} HTTP/1.1\r\nHost: imds.example.com.:80\r\n\r\n");
    served.request("GET / HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n");
    served.request("GET http://hunter2@attacker.example/ HTTP/1.1\r\n\r\n");
    served.request("GET /<hunter2> HTTP/1.1\r\nHost: localhost\r\n\r\n");

    let log = served.end_of_log();
    assert!(log.contains("imds: 200 PUT /latest/api/token from 127.0.0.1:"), "{log}");
    assert!(log.contains(": no token, and http-tokens is \"required\"\n"), "{log}");
    assert!(log.contains("imds: 401 GET /latest/meta-data/?… from "), "{log}");
    assert!(log.contains(": --allow-host imds.example.com\n"), "{log}");
    assert!(log.contains(": --allow-host NAME\n"), "which of the two was refused is not known: {log}");
    assert!(log.contains("; it is no name that could be allowed\n"), "{log}");
    assert!(log.contains("imds: 400 unreadable request from 127.0.0.1:"), "{log}");
    assert!(!log.contains(&token) && !log.contains("hunter2"), "{log}");
    assert!(!log.contains('\u{202e}'), "{log}");
}

#[cfg(unix)]
#[test]
fn what_was_found_is_not_logged_by_default() {
    let served = Served::start(&[]);
    served.request("GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    served.request("DELETE /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let log = served.end_of_log();
    let answers: Vec<_> = log.lines().filter(|line| line.contains(" /latest/ from ")).collect();
    assert_eq!(answers.len(), 1, "{log}");
    assert!(answers[0].starts_with("imds: 403 DELETE /latest/ from "), "{log}");
}

#[cfg(unix)]
#[test]
fn a_flood_of_refusals_does_not_flood_the_log() {
    let served = Served::start(&["--http-tokens", "required", "--keep-alive"]);
    let refused = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(999);
    let last = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = served.request(&(refused + last));
    assert_eq!(answers.matches("HTTP/1.1 401 ").count(), 1000);
    let log = served.end_of_log();
    assert!(log.lines().count() < 500, "{log}");
    assert!(log.contains(" more lines left out of the log"), "{log}");
}

#[test]
fn schema_prints_json() {
    let output = imds(&["schema"]);
    assert!(output.status.success());
    let schema = text(&output.stdout);
    assert!(schema.starts_with('{') && schema.ends_with("}\n"), "{schema}");
}

#[test]
fn help_has_examples_for_every_command() {
    for command in ["serve", "run", "ctl", "check", "certificates", "new", "schema"] {
        let output = imds(&[command, "--help"]);
        assert!(output.status.success());
        let help = text(&output.stdout);
        assert!(help.contains("Example") && help.contains(&format!("  imds {command}")), "{help}");
    }
}

/// A process of `imds serve` that has said that it is ready; killed when dropped.
struct Served {
    child: Child,
    addresses: Vec<String>,
    /// Which came before it was ready.
    notes: Vec<String>,
    lines: Receiver<String>,
}

impl Served {
    fn start(flags: &[&str]) -> Self {
        let mut imds = Command::new(IMDS);
        imds.args(["serve", "--listen", "127.0.0.1:0"]).args(flags);
        Self::spawn(imds, 1)
    }

    fn spawn(mut imds: Command, listeners: usize) -> Self {
        let mut child = imds.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut served = Self { child, addresses: Vec::new(), notes: Vec::new(), lines };
        while served.addresses.len() < listeners {
            let line = served.lines.recv_timeout(DEADLINE).unwrap();
            if line.starts_with("imds: note: ") {
                served.notes.push(line);
                continue;
            }
            let address = line.strip_prefix("imds: listening on http://");
            served.addresses.push(address.unwrap_or_else(|| panic!("not a ready line: {line}")).to_owned());
        }
        served
    }

    fn connect(&self) -> TcpStream {
        connect(&self.addresses[0])
    }

    fn request(&self, text: &str) -> String {
        request(&self.addresses[0], text)
    }

    fn token(&self) -> String {
        let answer = self.request(
            "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n",
        );
        let token = answer.split("\r\n\r\n").nth(1).unwrap();
        assert_eq!(token.len(), 56, "{answer}");
        token.to_owned()
    }

    fn get_with_token(&self, target: &str, token: &str) -> String {
        self.request(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token: {token}\r\n\r\n"))
    }

    /// Waits for a line on standard error that contains `wanted`.
    fn line_with(&self, wanted: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("no line with {wanted}"));
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// How many files and sockets the process has open.
    #[cfg(target_os = "linux")]
    fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    #[cfg(unix)]
    fn terminate(&mut self) -> std::process::ExitStatus {
        kill(&self.child, "TERM");
        self.child.wait().unwrap()
    }

    /// Ends the process and returns the rest of its standard error.
    #[cfg(unix)]
    fn end_of_log(mut self) -> String {
        assert!(self.terminate().success());
        let mut log = String::new();
        while let Ok(line) = self.lines.recv_timeout(DEADLINE) {
            log.push_str(&line);
            log.push('\n');
        }
        log
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of this test run; removed when dropped.
struct File {
    path: PathBuf,
}

impl File {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        Self { path }
    }

    /// One that only its owner reads.
    fn for_owner(name: &str, content: &str) -> Self {
        let file = Self::new(name, content);
        #[cfg(unix)]
        file.set_mode(0o600);
        file
    }

    #[cfg(unix)]
    fn set_mode(&self, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&self.path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
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

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Sends a text and returns all that comes until the connection ends.
fn request(address: &str, text: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The status line and the names of the fields of an answer.
fn names_of_head(answer: &str) -> Vec<&str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.split("\r\n")
        .enumerate()
        .map(|(index, line)| if index == 0 { line } else { line.split(':').next().unwrap_or_default() })
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
