//! Wrong use: exit codes and advice.

use super::*;

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
        &["serve", "--listen", "1338"],
        &["serve", "--allow-host", "*.example.com"],
        &["serve", "--connections", "0"],
        &["serve", "--head-time", "10"],
    ] {
        let output = imds(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        assert_ne!(text(&output.stderr), "", "{arguments:?}");
    }
}

/// Each flag that takes a number or a time, at its ends: it is refused in a
/// sentence, or the service answers.
#[test]
fn no_number_is_too_large_for_a_flag() {
    let help = text(&imds(&["serve", "--help"]).stdout);
    let flags: Vec<&str> = help
        .lines()
        .filter_map(|line| line.trim_start().split_once(" <"))
        .filter(|(flag, value)| flag.starts_with("--") && ["N>", "TIME>", "BYTES>"].contains(value))
        .map(|(flag, _)| flag)
        .collect();
    assert!(flags.contains(&"--head-time") && flags.contains(&"--clock-speed") && flags.len() > 12, "{flags:?}");
    for flag in flags {
        for value in ["18446744073709551615s", "18446744073709551615", "99999999999999999999", "0", "1e300"] {
            let mut imds = Command::new(IMDS);
            imds.args(["serve", "--listen", "127.0.0.1:0", &format!("{flag}={value}")]);
            let mut child = imds.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            if let Some(address) = first.strip_prefix("imds: listening on http://") {
                let answer = request(address, "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
                assert!(answer.starts_with("HTTP/1.1 "), "{flag}={value}: {answer}");
                child.kill().unwrap();
                child.wait().unwrap();
            } else {
                assert_eq!(child.wait().unwrap().code(), Some(2), "{flag}={value}: {first}");
                assert!(first.starts_with("error: "), "{flag}={value}: {first}");
            }
            assert!(lines.all(|line| !line.contains("panicked")), "{flag}={value}");
        }
    }
}

#[test]
fn a_wrong_flag_is_named_in_the_problem() {
    let output = imds(&["run", "--http-put-response-hop-limit", "65", "--", "true"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("\n --> --http-put-response-hop-limit\n"));
}

#[test]
fn an_address_in_use_ends_with_1_and_advice() {
    let served = Served::start(&[]);
    let output = imds(&["serve", "--listen", &served.addresses[0]]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("help: another process, or another flag of this one, listens there"));
}

#[test]
fn advice_says_what_was_meant() {
    for (arguments, advice) in [
        (&["serve", "my.toml"][..], "to serve this file: imds serve --instance my.toml"),
        (&["my.json"], "to serve this file: imds serve --instance my.json"),
        (&["--http-tokens", "required", "serve"], "options come after the command: imds serve [OPTIONS]"),
        (&["serve", "--watch"], "--watch needs a file to watch: --instance FILE"),
        (&["serve", "--listen", "example.com:80"], "such as 127.0.0.1:1338 or [::1]:1338"),
        (&["serve", "--listen", "1338"], "this is a port alone; did you mean 127.0.0.1:1338?"),
        (&["serve", "--listen", "127.0.0.1:99999"], "the port 99999 is not a number from 0 to 65535"),
        (&["serve", "--port", "1338"], "to serve at another address or port: --listen 127.0.0.1:1338"),
        (&["serve", "--port=1338"], "to serve at another address or port: --listen 127.0.0.1:1338"),
        (&["-p", "1338"], "to serve at another address or port: --listen 127.0.0.1:1338"),
        (&["run", "-p", "1338", "--", "true"], "to serve at another address or port: --listen 127.0.0.1:1338"),
        (&["serve", "--clock-speed", "-1"], "time does not run backwards; expected a number such as 60"),
        (&["serve", "--clock-speed", "0"], "expected a number above zero; to let the clock stand: --clock-paused"),
        (&["serve", "--http-put-response-hop-limit", "two"], "expected a whole number from 1 to 64, such as 2"),
        (&["serve", "--http-put-response-hop-limit", "-1"], "expected a whole number from 1 to 64, such as 2"),
        (&["serve", "--allow-host", "http://a.b"], "help: write a name without a scheme and a port"),
        (&["serve", "--write-time", "1"], "expected a time above zero with its unit, such as 10s"),
    ] {
        let output = imds(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let errors = text(&output.stderr);
        assert!(errors.contains(advice), "{errors}");
    }
}

#[test]
fn user_data_that_is_too_long_is_named_by_its_flag_and_file() {
    let file = File::new("long-user-data", "x".repeat(20_000));
    let path = file.path.to_str().unwrap();
    let errors = text(&imds(&["run", "--user-data", path, "--", "true"]).stderr);
    assert!(errors.ends_with(&format!("\n --> --user-data {path}\n")), "{errors}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_named() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(IMDS).arg("new").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.starts_with("imds: cannot write the description to standard output: "), "{errors}");
}
