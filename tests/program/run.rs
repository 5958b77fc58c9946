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
            skipped(&format!("SIG{signal}: it is ignored here, as under nohup"));
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

/// Whether processes started here get the signal: under `nohup` they do not.
fn is_delivered(signal: &str) -> bool {
    let script = format!("trap 'exit 9' {signal}; kill -{signal} $$");
    Command::new("sh").args(["-c", &script]).status().unwrap().code() == Some(9)
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
