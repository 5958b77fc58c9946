//! What real credentials are not done with, unless somebody says so.

use super::*;

fn refused(flags: &[&str]) -> String {
    let mut imds = Command::new(IMDS);
    imds.args(["serve"]).args(flags).stdin(Stdio::null());
    let output = imds.output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(!errors.contains("listening"), "{errors}");
    errors
}

#[test]
fn other_machines_are_served_only_where_a_flag_says_so() {
    let stand_in = StandIn::new("exposed", &version_1("EXPOSED", 3600));
    let errors = refused(&["--credentials", &stand_in.flag(), "--listen", "127.0.0.1:0", "--listen", "0.0.0.0:0"]);
    assert!(errors.contains("0.0.0.0:") && errors.contains("--expose-credentials"), "{errors}");
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--credentials", &stand_in.flag(), "--listen", "0.0.0.0:0", "--expose-credentials"]);
    Served::spawn(imds, 1);
    // Made-up ones are no secret.
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "0.0.0.0:0"]);
    let served = Served::spawn(imds, 1);
    if is_delivered("HUP") {
        kill(&served.child, "HUP");
        served.line_with("again: revision");
    }
}

#[test]
fn a_wrong_source_is_not_shown() {
    for wrong in
        [format!("proces:get-creds --password {SECRET}"), format!("process:get-creds '{SECRET}"), SECRET.into()]
    {
        let by_flag = Command::new(IMDS).args(["serve", "--credentials", &wrong]).output().unwrap();
        let by_variable = Command::new(IMDS).args(["run", "true"]).env("IMDS_CREDENTIALS", &wrong).output().unwrap();
        for (output, given_by) in [(by_flag, "--credentials: "), (by_variable, "IMDS_CREDENTIALS: ")] {
            let errors = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{errors}");
            assert!(errors.contains(given_by), "{errors}");
            assert!(errors.contains("expected process:COMMAND") || errors.contains("has no end"), "{errors}");
            assert!(!errors.contains(SECRET) && !errors.contains("password"), "{errors}");
        }
    }
}

#[test]
fn a_file_that_is_read_again_exposes_nothing_either() {
    if !is_delivered("HUP") {
        return;
    }
    let stand_in = StandIn::new("exposed-later", &version_1("EXPOSED", 3600));
    let description = File::new("credentials/exposed.toml", "");
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "0.0.0.0:0", "--instance", description.path.to_str().unwrap()]);
    let served = Served::spawn(imds, 1);
    let source = format!("['sh', '{}']", stand_in.script.path.display());
    fs::write(&description.path, format!("iam-instance-profile.credentials-source.process = {source}\n")).unwrap();
    kill(&served.child, "HUP");
    served.line_with("--expose-credentials");
    served.line_with("imds: nothing was changed");
    assert_eq!(stand_in.asked(), 0);
}

#[test]
fn optional_tokens_are_warned_of() {
    let stand_in = StandIn::new("optional", &version_1("OPTIONAL", 3600));
    let served = Served::spawn(serve(&["--credentials", &stand_in.flag(), "--http-tokens", "optional"]), 1);
    served.line_with("[real-credentials-without-token]");
    let answer = served.request(&format!("GET {ROLE} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(answer.contains("ASIAOPTIONAL"), "{answer}");
}

#[test]
fn nobody_has_commands_run_by_the_control() {
    let marker = File::new("credentials/marker", "");
    let command = format!(r#"{{"process": ["sh", "-c", "echo ran > '{}'"]}}"#, marker.path.display());
    let change = format!(r#"{{"iam-instance-profile": {{"credentials-source": {command}}}}}"#);
    let stand_in = StandIn::new("control", &version_1("CONTROL", 3600));
    for flags in [&[][..], &["--credentials", &stand_in.flag()]] {
        let served = Served::spawn(serve(&[flags, &["--control", "127.0.0.1:0"]].concat()), 1);
        let control = served.line_with("control on ").replace("imds: control on http://", "");
        for method in ["PATCH", "PUT"] {
            let fields =
                format!("Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}", change.len());
            let answer = request(&control, &format!("{method} /v1/instance HTTP/1.1\r\n{fields}\r\n\r\n{change}"));
            assert!(answer.starts_with("HTTP/1.1 422 "), "{method}: {answer}");
            assert!(answer.contains("/iam-instance-profile/credentials-source"), "{answer}");
        }
        assert!(served.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 "));
    }
    assert_eq!(fs::read_to_string(&marker.path).unwrap(), "");
}

#[cfg(target_os = "linux")]
#[test]
fn the_memory_of_the_program_is_nobody_elses() {
    // Root without privileges is a user like others.
    let without_privileges = |program: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all", program]);
        without_aws(&mut command);
        command
    };
    let can_be_read = |flags: &[&str]| {
        let mut imds = without_privileges(IMDS);
        imds.args(["serve", "--listen", "127.0.0.1:0"]).args(flags);
        let served = Served::spawn(imds, 1);
        let environment = format!("/proc/{}/environ", served.child.id());
        without_privileges("cat").arg(environment).output().unwrap().status.success()
    };
    let stand_in = StandIn::new("memory", &version_1("MEMORY", 3600));
    assert!(can_be_read(&[]));
    assert!(!can_be_read(&["--credentials", &stand_in.flag()]));
}

#[test]
fn wrong_flags_are_refused() {
    for flag in ["dev", "process:", "process:sh 'x", "profile:", "env:x"] {
        let errors = refused(&["--credentials", flag]);
        assert!(errors.contains("--credentials"), "{errors}");
    }
    let errors = refused(&["--set", "iam-instance-profile.credentials-source.embedder=true"]);
    assert!(errors.contains("name another source"), "{errors}");
}

#[test]
fn check_looks_at_a_source_and_asks_none() {
    let stand_in = StandIn::new("check", "");
    let path = stand_in.script.path.display();
    let description = File::new(
        "credentials/check.toml",
        format!(
            "metadata-options.http-tokens = 'optional'\niam-instance-profile.credentials-source.process = ['sh', '{path}']\n"
        ),
    );
    let output = imds(&["check", description.path.to_str().unwrap()]);
    let errors = text(&output.stderr) + &text(&output.stdout);
    assert!(output.status.success() && errors.contains("[real-credentials-without-token]"), "{errors}");
    assert_eq!(stand_in.asked(), 0);
}
