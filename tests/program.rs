//! The program `imds` as a process: its fixed command line, its exit codes,
//! what it prints and where.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

const IMDS: &str = env!("CARGO_BIN_EXE_imds");

/// Far above what any step takes; only a failing test waits so long.
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn serve_says_where_it_listens_and_ends_with_0_at_sigterm() {
    let mut served = Served::start(&[]);
    let answer = served.request("GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nt3.micro"), "{answer}");
    assert_eq!(served.terminate().code(), Some(0));
}

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
    let secret = File::new("secret", "0123456789abcdef0123456789abcdef");
    let flags = ["--token-secret-file", secret.path.to_str().unwrap()];
    let token = Served::start(&flags).token();
    let answer = Served::start(&flags).get_with_token("/latest/", &token);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let answer = Served::start(&[]).get_with_token("/latest/", &token);
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn refusals_are_logged_by_their_rule_and_without_secrets() {
    let served = Served::start(&["--http-tokens", "required", "--log", "all"]);
    let token = served.token();
    served.get_with_token("/latest/meta-data/", &token);
    served.get_with_token("/latest/meta-data/?hunter2", "not-a-token-hunter2");
    served.request("GET /latest/meta-data/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    served.request("GET /\u{202e} HTTP/1.1\r\nHost: imds.example.com:80\r\n\r\n");

    let log = served.end_of_log();
    assert!(log.contains("imds: 200 PUT /latest/api/token from 127.0.0.1:"), "{log}");
    assert!(log.contains(": no token, and http-tokens is \"required\"\n"), "{log}");
    assert!(log.contains("imds: 401 GET /latest/meta-data/?… from "), "{log}");
    assert!(log.contains("--allow-host imds.example.com\n"), "{log}");
    assert!(!log.contains(&token) && !log.contains("hunter2"), "{log}");
    assert!(!log.contains('\u{202e}'), "{log}");
}

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
fn run_passes_on_variable_and_status() {
    let script = "test -n \"$AWS_EC2_METADATA_SERVICE_ENDPOINT\" && test -z \"$AWS_EC2_METADATA_DISABLED\" && echo \"$AWS_EC2_METADATA_SERVICE_ENDPOINT\"; exit 7";
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--", "sh", "-c", script]).env("AWS_EC2_METADATA_DISABLED", "true");
    let output = imds.output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let printed = text(&output.stdout);
    let port = printed.trim_end().strip_prefix("http://127.0.0.1:");
    assert!(port.is_some_and(|port| port.parse::<u16>().is_ok()), "{printed}");
}

#[test]
fn run_serves_while_the_command_runs() {
    // The command is this program's test: it waits until its input ends.
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--", "sh", "-c", "echo \"$AWS_EC2_METADATA_SERVICE_ENDPOINT\"; cat"]);
    let mut child = imds.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("http://").unwrap();
    let answer = request(address, "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn run_ends_as_shells_do() {
    let run = |command: &[&str]| imds(&[&["run", "--"], command].concat()).status.code();
    assert_eq!(run(&["sh", "-c", "kill -9 $$"]), Some(128 + 9));
    assert_eq!(run(&["no-such-command-anywhere"]), Some(127));
    assert_eq!(run(&[env!("CARGO_MANIFEST_DIR")]), Some(126));
}

#[test]
fn run_hands_sigterm_on_and_waits() {
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do read -r line; done"]);
    let mut child = imds.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    kill(&child);
    // A shell at its `read` looks at the signal when the read returns, or at once.
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn check_shows_every_problem_of_a_toml_file_with_its_place() {
    let file = File::new(
        "wrong.toml",
        "instnace-type = \"t3.micro\"\n\n[metadata-options]\nhttp-put-response-hop-limit = 65\nhttp-tokens = 7\n",
    );
    let output = imds(&["check", file.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let errors = text(&output.stderr);
    let name = file.path.display();
    let unknown = format!(
        "error: unknown field `instnace-type`\n --> {name}:1:1 (instnace-type)\n1 | instnace-type = \"t3.micro\"\n  | ^^^^^^^^^^^^^\nhelp: did you mean `instance-type`?\n"
    );
    assert!(errors.contains(&unknown), "{errors}");
    assert!(errors.contains(&format!("{name}:4:31 (metadata-options.http-put-response-hop-limit)\n")), "{errors}");
    assert!(errors.contains(&format!("{name}:5:15 (metadata-options.http-tokens)\n")), "{errors}");
}

#[test]
fn check_shows_every_problem_of_a_json_file_with_its_place() {
    let file = File::new("wrong.json", "{\"tags\": {\"ä\": \"x\", \"a\": [1]},\n  \"instnace-type\": \"t3.micro\"}\n");
    let output = imds(&["check", file.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("wrong.json:1:26 (tags.a)\n"), "{errors}");
    assert!(errors.contains("wrong.json:2:3 (instnace-type)\n"), "{errors}");
}

#[test]
fn check_shows_where_the_syntax_breaks() {
    for (name, content, place) in [
        ("syntax.toml", "a = 1\nb = \n", "syntax.toml:2:"),
        ("syntax.json", "{\"a\": 1,\n \"b\": }", "syntax.json:2:7"),
        ("by-content", "\n {\"a\": 1,}", "by-content:2:"),
    ] {
        let file = File::new(name, content);
        let output = imds(&["check", file.path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        let errors = text(&output.stderr);
        assert!(errors.starts_with("error: ") && errors.contains(place), "{errors}");
    }
}

#[test]
fn check_never_shows_what_may_be_secret() {
    let file = File::new("secret.toml", "user-data = [\"hunter2\"]\nuser-dta = \"hunter2\"\n");
    let output = imds(&["check", file.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("secret.toml:1:13 (user-data)"), "{errors}");
    assert!(!errors.contains("hunter2"), "{errors}");
}

#[test]
fn check_goes_through_all_files() {
    let (good, bad) = (File::new("good.toml", ""), File::new("bad.toml", "x = 1"));
    let (good, bad) = (good.path.to_str().unwrap().to_owned(), bad.path.to_str().unwrap().to_owned());
    let output = imds(&["check", &bad, &good, "no/such/file.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), format!("{good}: valid\n"));
    assert!(text(&output.stderr).contains("imds: cannot read no/such/file.toml: "));
}

#[test]
fn what_new_prints_is_valid() {
    let new = imds(&["new"]);
    assert!(new.status.success());
    let mut check =
        Command::new(IMDS).args(["check", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    check.stdin.take().unwrap().write_all(&new.stdout).unwrap();
    let output = check.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "-: valid\n");
    assert!(output.status.success());
}

#[test]
fn schema_prints_json() {
    let output = imds(&["schema"]);
    assert!(output.status.success());
    let schema = text(&output.stdout);
    assert!(schema.starts_with('{') && schema.ends_with("}\n"), "{schema}");
}

#[test]
fn wrong_use_and_wrong_descriptions_end_with_2() {
    let file = File::new("wrong-use.toml", "x = 1");
    let path = file.path.to_str().unwrap();
    let short = File::new("short-secret", "short");
    for arguments in [
        &["serve", "--no-such-flag"][..],
        &["no-such-command"],
        &["serve", "--http-tokens", "maybe"],
        &["serve", "--instance", path],
        &["serve", "--instance", "no/such/file.toml"],
        &["serve", "--token-secret-file", short.path.to_str().unwrap()],
        &["run", "--user-data", "no/such/file", "--", "true"],
        &["run"],
        &["check"],
    ] {
        let output = imds(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        assert_ne!(text(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn a_wrong_flag_is_named_in_the_problem() {
    let output = imds(&["run", "--http-put-response-hop-limit", "65", "--", "true"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--> --http-put-response-hop-limit ("));
}

#[test]
fn an_address_in_use_ends_with_1_and_advice() {
    let served = Served::start(&[]);
    let output = imds(&["serve", "--listen", &served.addresses[0]]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("help: another process listens there"));
}

#[test]
fn help_has_examples_for_every_command() {
    for command in ["serve", "run", "check", "new", "schema"] {
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
        let mut served = Self { child, addresses: Vec::new(), lines };
        for _ in 0..listeners {
            let line = served.lines.recv_timeout(DEADLINE).unwrap();
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

    fn terminate(&mut self) -> std::process::ExitStatus {
        kill(&self.child);
        self.child.wait().unwrap()
    }

    /// Ends the process and returns the rest of its standard error.
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
    fn new(name: &str, content: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        Self { path }
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

fn kill(child: &Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
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
