//! `imds serve --instances`: many instances in one process.

use super::*;

/// A description whose instance can be told from others.
fn id(number: usize) -> String {
    format!("i-{number:017x}")
}

fn toml(number: usize) -> String {
    format!("instance-id = '{}'\n", id(number))
}

fn line(caller: &str, number: usize) -> String {
    format!("{{\"caller\": \"{caller}\", \"instance\": {{\"instance-id\": \"{}\"}}}}\n", id(number))
}

/// A directory of this test run with these files; removed when dropped.
struct Directory {
    path: PathBuf,
}

impl Directory {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        for (name, content) in files {
            fs::write(path.join(name), content).unwrap();
        }
        Self { path }
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn refused(arguments: &[&str]) -> String {
    let output = imds(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(!errors.contains("listening"), "{errors}");
    errors
}

fn get_as(served: &Served, fields: &str) -> String {
    served.request(&format!("GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"))
}

#[test]
fn a_directory_has_a_file_for_each_caller() {
    let files = [("vm-1.toml", &*toml(1)), ("vm-2.json", &format!("{{\"instance-id\": \"{}\"}}", id(2)))];
    let directory = Directory::new("instances", &files);
    let served = Served::start(&["--instances", directory.name(), "--caller", "header:X-Guest"]);
    assert!(served.line_with("Instances read from ").ends_with("/instances: 2"));
    served.line_with("(--caller header:x-guest); callers without an instance get 403");
    for number in [1, 2] {
        let answer = get_as(&served, &format!("x-guest: vm-{number}\r\n"));
        assert!(answer.ends_with(&format!("\r\n\r\n{}", id(number))), "{answer}");
    }
    for fields in ["", "X-Guest: vm-3\r\n", "X-Guest: vm-1\r\nX-Guest: vm-1\r\n", "X-Guest: vm-1\r\nX-Guest: vm-2\r\n"]
    {
        let answer = get_as(&served, fields);
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{fields}: {answer}");
        served.line_with(": no instance belongs to this caller");
    }
}

#[test]
fn a_file_has_a_line_for_each_caller() {
    let file = File::new("instances.jsonl", line("vm-1", 1) + "\n" + &line("127.0.0.1", 7));
    let errors = refused(&["--instances", file.path.to_str().unwrap(), "--caller", "client-address"]);
    assert!(errors.contains("no caller can have the key `vm-1`: expected an IP address"), "{errors}");
    assert!(errors.contains("instances.jsonl:1:1\n"), "{errors}");

    let file = File::new("instances-2.jsonl", line("10.0.0.7", 1) + &line("::ffff:127.0.0.1", 7));
    let served = Served::start(&["--instances", file.path.to_str().unwrap(), "--caller", "client-address"]);
    let answer = get_as(&served, "");
    assert!(answer.ends_with(&format!("\r\n\r\n{}", id(7))), "{answer}");
}

#[test]
fn a_listener_can_be_a_caller() {
    let file = File::new("listeners.jsonl", line("127.0.0.1", 1));
    let served = Served::start(&["--instances", file.path.to_str().unwrap(), "--caller", "listener"]);
    let answer = get_as(&served, "");
    assert!(answer.ends_with(&format!("\r\n\r\n{}", id(1))), "{answer}");
    let file = File::new("listeners-2.jsonl", line("127.0.0.1:1", 1));
    let served = Served::start(&["--instances", file.path.to_str().unwrap(), "--caller", "listener"]);
    assert!(get_as(&served, "").starts_with("HTTP/1.1 403 "), "that is another port");
}

#[test]
fn a_token_of_one_caller_is_worth_nothing_at_another() {
    let file = File::new("tokens.jsonl", line("vm-1", 1) + &line("vm-2", 2));
    let secret = File::for_owner("instances-secret", "0123456789abcdef0123456789abcdef");
    let start = || {
        let flags = ["--caller", "header:x-guest", "--http-tokens", "required"];
        let secret = ["--token-secret-file", secret.path.to_str().unwrap()];
        Served::start(&[&["--instances", file.path.to_str().unwrap()], &flags[..], &secret].concat())
    };
    let put = "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nX-Guest: vm-1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
    let answer = start().request(put);
    let token = answer.split("\r\n\r\n").nth(1).unwrap();
    // The secret is kept: so tokens are good at the next start.
    let served = start();
    for (guest, status) in [("vm-1", "200"), ("vm-2", "401")] {
        let answer = get_as(&served, &format!("X-Guest: {guest}\r\nX-aws-ec2-metadata-token: {token}\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{guest}: {answer}");
    }
    assert!(get_as(&served, "X-Guest: vm-1\r\n").starts_with("HTTP/1.1 401 "), "flags hold for all");
}

#[test]
fn wrong_ones_are_named_and_refused_whole_or_skipped() {
    let files = [
        ("vm-1.toml", &*toml(1)),
        ("vm-1.json", "{}"),
        ("vm-2.toml", "\ninstnace-type = 't3.micro'\n"),
        ("vm 3.toml", ""),
        ("vm-4.tmol", ""),
        ("vm-5.toml", &toml(5)),
        (".hidden.toml", "x = 1"),
    ];
    let directory = Directory::new("wrong-instances", &files);
    fs::create_dir(directory.path.join("sub")).unwrap();
    let flags = ["--instances", directory.name(), "--caller", "header:x-guest"];
    let name = directory.name();
    let wrong = [
        format!("error: the caller `vm-1` was given before, by {name}/vm-1.json\n --> {name}/vm-1.toml\n"),
        format!("error: unknown field `instnace-type`\n --> {name}/vm-2.toml:2:1 (instnace-type)\n"),
        "error: no caller can have the key `vm 3`: expected 1 to 253 visible ASCII characters\n".to_owned(),
        format!("imds: warning: what is no description in {name} is left out: sub, vm-4.tmol; descriptions are named "),
        format!("imds: warning: what is hidden in {name} is left out: .hidden.toml\n"),
    ];
    let errors = refused(&flags);
    for wanted in &wrong {
        assert!(errors.contains(wanted), "{wanted}\nis not in\n{errors}");
    }
    let end =
        format!("imds: 3 of 5 descriptions in {name} cannot be used; to serve the others: --wrong-instances skip\n");
    assert!(errors.ends_with(&end), "{errors}");

    let output = skipping(&flags);
    for wanted in &wrong {
        assert!(output.contains(wanted), "{wanted}\nis not in\n{output}");
    }
    assert!(output.contains(&format!("imds: warning: 3 of 5 descriptions in {name} are left out\n")), "{output}");
    assert!(output.contains(&format!("Instances read from {name}: 2\n")), "{output}");
}

/// What a start that leaves out wrong descriptions prints until it is ready.
fn skipping(flags: &[&str]) -> String {
    let mut child = Command::new(IMDS);
    child.args(["serve", "--listen", "127.0.0.1:0", "--wrong-instances", "skip"]).args(flags);
    let mut child = child.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut printed = String::new();
    // Ends at the end of what is printed too, should it never be ready.
    for line in lines.by_ref() {
        printed.push_str(&line);
        printed.push('\n');
        if line.contains("callers without an instance get 403") {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    printed
}

#[test]
fn of_many_wrong_ones_the_first_are_shown_and_the_others_named() {
    let lines: String = (0..1000).map(|number| line(&format!("vm-{number}"), 1).replace("-id", "-di")).collect();
    let file = File::new("all-wrong.jsonl", lines);
    let errors = refused(&["--instances", file.path.to_str().unwrap(), "--caller", "header:x"]);
    assert_eq!(errors.matches("error: ").count(), 1000, "{errors}");
    assert_eq!(errors.matches("help: did you mean").count(), 20, "{errors}");
    let place = |line: usize| {
        format!("all-wrong.jsonl:{line}:{} (instance-di)\n", r#"{"caller": "vm-0", "instance": {""#.len())
    };
    assert!(errors.contains(&place(1)) && errors.contains(&place(10)), "{errors}");
    assert!(errors.contains("\n\nimds: none of the 1000 descriptions in "), "{errors}");
}

#[test]
fn flags_that_are_wrong_for_all_are_named_once() {
    let file = File::new("flags.jsonl", line("vm-1", 1) + &line("vm-2", 2));
    let path = file.path.to_str().unwrap();
    let errors = refused(&["--instances", path, "--caller", "host", "--http-put-response-hop-limit", "65"]);
    assert_eq!(errors.matches("--> --http-put-response-hop-limit").count(), 1, "{errors}");
}

#[test]
fn flags_that_do_not_go_together_end_with_2() {
    let (file, empty) = (File::new("together.jsonl", line("vm-1", 1)), Directory::new("no-instances", &[]));
    let path = file.path.to_str().unwrap();
    for (arguments, message) in [
        (&["--instances", path][..], "--caller"),
        (&["--caller", "host"], "--instances"),
        (&["--instances", path, "--caller", "host", "--instance", path], "cannot be used with"),
        (&["--instances", path, "--caller", "one"], "expected client-address, listener, host, or header:NAME"),
        (&["--instances", "no/such/place", "--caller", "host"], "cannot read no/such/place: "),
        (&["--instances", empty.name(), "--caller", "host"], "there is no description in "),
    ] {
        let errors = refused(arguments);
        assert!(errors.contains(message), "{errors}");
    }
}

#[test]
fn callers_are_told_apart_by_no_field_that_the_service_reads() {
    let directory = Directory::new("fields", &[("vm-7.toml", "")]);
    for (name, instead) in [("X-Forwarded-For", "let the proxy set another"), ("Host", "use --caller host")] {
        let errors = refused(&["--instances", directory.name(), "--caller", &format!("header:{name}")]);
        assert!(errors.contains("the service itself reads this field") && errors.contains(instead), "{errors}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let directory = Directory::new("pipe", &[("10.0.0.1.toml", "")]);
    let made = Command::new("mkfifo").arg(directory.path.join("10.0.0.2.toml")).status().unwrap();
    assert!(made.success());
    let errors = refused(&["--instances", directory.name(), "--caller", "client-address"]);
    assert!(errors.contains("this is no regular file"), "{errors}");
}

#[test]
fn two_that_state_one_id_are_wrong_and_both_are_named() {
    let lines = [line("vm-1", 1), line("vm-2", 2), line("vm-3", 1)].concat();
    let file = File::new("same-id.jsonl", &lines);
    let arguments = ["--instances", file.path.to_str().unwrap(), "--caller", "header:X-Guest"];
    let errors = refused(&arguments);
    assert!(
        errors.contains("error: `vm-3` and `vm-1` in ")
            && errors.contains(&format!(" have the same instance id, {}\n", id(1)))
            && errors.contains("same-id.jsonl:3\n")
            && errors.contains("same-id.jsonl:1 have the same"),
        "{errors}"
    );
    let output = skipping(&arguments);
    assert!(output.contains("imds: warning: 1 of 3 descriptions in "), "{output}");

    let checked = imds(&["check", file.path.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        text(&checked.stderr).contains(&format!("have the same instance id, {}", id(1))),
        "{}",
        text(&checked.stderr)
    );
}

#[test]
fn guests_that_say_nothing_differ_and_have_the_address_that_they_come_from() {
    let lines = "{\"caller\": \"10.0.0.7\", \"instance\": {}}\n{\"caller\": \"10.0.0.8\", \"instance\": {}}\n";
    let file = File::new("nothing-said.jsonl", lines);
    let served = Served::start(&["--instances", file.path.to_str().unwrap(), "--caller", "header:X-Guest"]);
    let get = |guest: &str, path: &str| {
        let request = format!("GET /latest/meta-data/{path} HTTP/1.1\r\nHost: localhost\r\nX-Guest: {guest}\r\n\r\n");
        let answer = served.request(&request);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        answer.split("\r\n\r\n").nth(1).unwrap().to_owned()
    };
    for path in ["instance-id", "mac", "local-ipv4", "public-ipv4", "iam/security-credentials/imds"] {
        assert_ne!(get("10.0.0.7", path), get("10.0.0.8", path), "{path}");
    }
    assert_eq!(get("10.0.0.7", "local-ipv4"), "10.0.0.7");
    assert_eq!(get("10.0.0.7", "instance-id"), get("10.0.0.7", "instance-id"));
}
