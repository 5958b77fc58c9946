//! `imds run`.

use super::*;

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

/// Runs a command with `--require-v2` that ends with a status after `ask` has asked
/// in its place at its address; gives the status of `imds run`, and what it printed.
fn run_requiring_v2(flags: &[&str], status: u8, ask: impl FnOnce(&str)) -> (Option<i32>, String) {
    let script = format!("echo \"$AWS_EC2_METADATA_SERVICE_ENDPOINT\"; cat; exit {status}");
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--log", "off", "--require-v2"]).args(flags).args(["--", "sh", "-c", &script]);
    let mut child = imds.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    ask(line.trim_end().strip_prefix("http://").unwrap());
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let printed =
        text(&output.stderr).lines().filter(|line| !line.starts_with("imds: note: ")).collect::<Vec<_>>().join("\n");
    (output.status.code(), printed)
}

/// Asks by version 2: for a token, and with it.
fn ask_by_version_2(address: &str) {
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60";
    let answer = request(address, &format!("PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\n{ttl}\r\n\r\n"));
    let token = answer.split("\r\n\r\n").nth(1).unwrap();
    let field = format!("X-aws-ec2-metadata-token: {token}");
    let answer = request(address, &format!("GET /latest/ HTTP/1.1\r\nHost: localhost\r\n{field}\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

/// Asks by version 1, once with a user agent.
fn ask_by_version_1(address: &str) {
    let agent = "User-Agent: old-sdk/1.0";
    request(address, &format!("GET /latest/meta-data/?x HTTP/1.1\r\nHost: localhost\r\n{agent}\r\n\r\n"));
    for _ in 0..2 {
        request(address, "GET /latest/user-data HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
}

/// How the program names the process of these tests, where the system tells.
fn this_process() -> String {
    let arguments: Vec<_> = std::env::args().collect();
    let name = PathBuf::from(&arguments[0]).file_name().unwrap().to_str().unwrap().to_owned();
    if cfg!(target_os = "linux") { format!(", pid {} ({name})", std::process::id()) } else { String::new() }
}

#[test]
fn a_command_that_uses_version_1_fails_where_version_2_is_required() {
    let both = |address: &str| {
        ask_by_version_2(address);
        ask_by_version_1(address);
    };
    for (flags, what) in [(&[][..], "answered"), (&["--http-tokens", "required"], "rejected")] {
        let this = this_process();
        let list = format!(
            "imds: 3 requests used version 1, 2 used version 2:\n\
             imds:   GET /latest/user-data (2 {what}), no user agent{this}\n\
             imds:   GET /latest/meta-data/?… (1 {what}), by old-sdk/1.0{this}\n"
        );
        let (status, printed) = run_requiring_v2(flags, 0, both);
        let end = "imds: the command ended with 0; for --require-v2 this is 1";
        assert_eq!((status, printed), (Some(1), list.clone() + end));

        let (status, printed) = run_requiring_v2(flags, 7, both);
        let end = "imds: the command failed too, and its status is kept: 7";
        assert_eq!((status, printed), (Some(7), list + end));
    }
}

#[test]
fn a_command_that_uses_version_2_alone_keeps_its_status() {
    for status in [0, 7] {
        let (ended, printed) = run_requiring_v2(&[], status, ask_by_version_2);
        assert_eq!((ended, printed.as_str()), (Some(status.into()), "imds: all 2 requests used version 2"));
    }
}

#[test]
fn a_command_that_asks_for_nothing_does_not_pass_as_one_of_version_2() {
    for (status, kept) in [(0, 1), (7, 7)] {
        let (ended, printed) = run_requiring_v2(&[], status, |_| ());
        assert_eq!(ended, Some(kept), "{printed}");
        let wanted = "imds: the command made no request, so --require-v2 cannot tell which version it uses\n";
        assert!(printed.starts_with(wanted), "{printed}");
        assert!(printed.contains("169.254.169.254") && printed.contains("imds run --link-local"), "{printed}");
    }
    // One that was never there has a status of its own.
    let output = imds(&["run", "--require-v2", "--", "no-such-command-anywhere"]);
    assert_eq!(output.status.code(), Some(127));
    assert!(!text(&output.stderr).contains("--require-v2"), "{}", text(&output.stderr));
}

/// `imds run --help` says what works with credentials that are made up.
#[test]
fn the_curl_of_the_help_works() {
    let help = text(&imds(&["run", "--help"]).stdout);
    let example = help.lines().find_map(|line| line.trim().strip_prefix("imds run -- sh -c '")).unwrap();
    let script = example.strip_suffix('\'').unwrap();
    if !Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success()) {
        skipped("the example with curl: there is no curl");
        return;
    }
    let output = imds(&["run", "--", "sh", "-c", script]);
    assert_eq!(text(&output.stdout), "t3.micro");
}

#[test]
fn run_ends_as_shells_do() {
    let run = |command: &[&str]| imds(&[&["run", "--"], command].concat()).status.code();
    assert_eq!(run(&["sh", "-c", "kill -9 $$"]), Some(128 + 9));
    assert_eq!(run(&["no-such-command-anywhere"]), Some(127));
    assert_eq!(run(&[env!("CARGO_MANIFEST_DIR")]), Some(126));
}

#[test]
fn run_keeps_proxies_away() {
    let hosts = |set: &[(&str, &str)]| {
        let mut imds = Command::new(IMDS);
        imds.args(["run", "--", "sh", "-c", "echo \"$NO_PROXY $no_proxy\""]);
        imds.env_remove("NO_PROXY").env_remove("no_proxy").envs(set.iter().copied());
        text(&imds.output().unwrap().stdout)
    };
    assert_eq!(hosts(&[]), "127.0.0.1 127.0.0.1\n");
    assert_eq!(hosts(&[("no_proxy", "a.example")]), "a.example,127.0.0.1 a.example,127.0.0.1\n");
    assert_eq!(hosts(&[("no_proxy", "a"), ("NO_PROXY", "*")]), "* a,127.0.0.1\n");
}

#[test]
fn run_passes_signals_on_and_waits() {
    for signal in ["HUP", "INT", "QUIT", "TERM"] {
        if !is_delivered(signal) {
            continue;
        }
        let mut running =
            Running::start(&format!("trap 'exit 9' {signal}; echo ready; while :; do read -r line; done"));
        running.signal(signal);
        // A shell at its `read` looks at the signal when the read returns, or at once.
        drop(running.child.stdin.take());
        assert_eq!(running.child.wait().unwrap().code(), Some(9), "{signal}");
    }
}

#[test]
fn run_ignores_what_was_ignored_before() {
    let mut running = Running::spawn(Command::new("sh").args([
        "-c",
        "trap '' HUP; exec \"$0\" run -- sh -c 'echo ready; cat; exit 9'",
        IMDS,
    ]));
    running.signal("HUP");
    drop(running.child.stdin.take());
    assert_eq!(running.child.wait().unwrap().code(), Some(9));
}

#[test]
fn run_tells_in_its_help_what_it_sets_and_removes() {
    let help = text(&imds(&["run", "--help"]).stdout);
    for name in ["AWS_EC2_METADATA_SERVICE_ENDPOINT ", "NO_PROXY, no_proxy", "AWS_EC2_METADATA_DISABLED"] {
        assert!(help.contains(name), "{help}");
    }
}

/// A process of `imds run`, outside any terminal, whose command has printed
/// `ready`; killed when dropped.
struct Running {
    child: Child,
}

impl Running {
    fn start(script: &str) -> Self {
        Self::spawn(Command::new(IMDS).args(["run", "--", "sh", "-c", script]))
    }

    fn spawn(command: &mut Command) -> Self {
        use std::os::unix::process::CommandExt;

        let mut child = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self { child }
    }

    fn signal(&self, signal: &str) {
        kill(&self.child, signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
