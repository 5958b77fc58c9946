//! What `imds serve` says when it starts, and how it ends.

use super::*;

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
