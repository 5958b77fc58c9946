//! `imds capture`: files, exit statuses, and what it says.

use super::*;

/// A directory of a test's own that is not there yet.
fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("capture-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    directory
}

fn capture(arguments: &[&str]) -> (String, String, i32) {
    let output = imds(&[&["capture"], arguments].concat());
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

fn endpoint(served: &Served) -> String {
    format!("http://{}", served.addresses[0])
}

#[test]
fn a_capture_is_a_description_that_serves_the_same() {
    let served = Served::start(&["--http-tokens", "required", "--set", "instance-type=m7g.large"]);
    let directory = directory("whole");
    let out = directory.to_str().unwrap();
    let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (stdout, stderr, status) = capture(&["--out", out, &endpoint(&served)]);
    assert_eq!((&*stderr, status), ("", 0));
    assert_eq!(stdout.lines().count(), 3, "{stdout}");

    let description = fs::read_to_string(file("instance.toml")).unwrap();
    assert!(description.contains("instance-type = \"m7g.large\"  # meta-data/instance-type\n"), "{description}");
    assert!(description.contains("http-tokens = \"required\""), "{description}");
    let report = fs::read_to_string(file("report.md")).unwrap();
    assert!(report.contains("Nothing: it serves all that was captured."), "{report}");
    let checked = imds(&["check", "--strict", &file("instance.toml")]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));

    // What is served from it, what serves it, and the service itself answer the same.
    let again = Served::start(&["--instance", &file("instance.toml")]);
    for place in [vec![], vec![endpoint(&again)], vec![endpoint(&served)]] {
        let transcript = file("transcript.jsonl");
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let (stdout, stderr, status) = capture(&[&["--compare", &transcript][..], &place].concat());
        assert_eq!((&*stderr, status), ("", 0), "{stdout}");
        assert!(stdout.ends_with(" requests compared: no answer differs\n"), "{stdout}");
    }
    let other = Served::start(&["--set", "instance-type=t3.nano"]);
    let (transcript, other) = (file("transcript.jsonl"), endpoint(&other));
    // The judge of any service says the same.
    for arguments in [["capture", "--compare", &transcript, &other], ["conform", "--transcript", &transcript, &other]] {
        let output = imds(&arguments);
        let stdout = text(&output.stdout);
        let line = "GET /*/meta-data/instance-type with a token (latest, 2007-08-29 and ";
        assert!(
            stdout.contains(line) && stdout.contains("body: captured \"m7g.large\", got \"t3.nano\"\n"),
            "{stdout}"
        );
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    }

    // Nobody else may read it, and nothing is replaced unasked.
    #[cfg(unix)]
    for (path, mode) in [(directory.clone(), 0o700), (directory.join("transcript.jsonl"), 0o600)] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    let (_, stderr, status) = capture(&["--out", out, &endpoint(&served)]);
    assert!(stderr.ends_with("exists: name another directory with --out, or replace it with --force\n"), "{stderr}");
    assert_eq!(status, 2);
    let (_, stderr, status) = capture(&["--out", out, "--force", "--anonymize", &endpoint(&served)]);
    assert_eq!((&*stderr, status), ("", 0));
    let anonymous =
        fs::read_to_string(file("transcript.jsonl")).unwrap() + &fs::read_to_string(file("instance.toml")).unwrap();
    for original in ["i-0123456789abcdef0", "123456789012", "10.0.0.10", "127.0.0.1"] {
        // The service's own address names nobody.
        assert_eq!(anonymous.contains(original), original == "127.0.0.1", "{original}");
    }
    let (_, stderr, status) = capture(&["--compare", &transcript, &endpoint(&served)]);
    assert!(stderr.starts_with("imds: warning: ids, addresses and names of the transcript are made up"), "{stderr}");
    assert_eq!(status, 1);
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_capture_that_is_not_whole_says_so() {
    let served = Served::start(&[]);
    let directory = directory("missing");
    // An address that is not of this machine alone: it says first what it will send.
    let endpoint =
        endpoint(&served).replace("127.0.0.1", if cfg!(target_os = "linux") { "0.0.0.0" } else { "127.0.0.1" });
    let (_, stderr, status) = capture(&["--time", "1s", "--out", directory.to_str().unwrap(), &endpoint]);
    if cfg!(target_os = "linux") {
        let announcement =
            format!("imds: this sends some thousand requests to {endpoint}, one after another, at most 50 a second");
        assert!(stderr.starts_with(&announcement), "{stderr}");
    }
    assert_eq!(status, 1);
    assert!(stderr.contains("imds: the capture is not whole: "), "{stderr}");
    assert!(stderr.contains(": the capture's time of 1s was over\n"), "{stderr}");
    let report = fs::read_to_string(directory.join("report.md")).unwrap();
    assert!(report.contains(" and all that is below it: the capture's time of 1s was over\n"), "{report}");
    let checked = imds(&["check", directory.join("instance.toml").to_str().unwrap()]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    fs::remove_dir_all(directory).unwrap();
}

#[cfg(unix)]
#[test]
fn an_interrupted_capture_writes_what_it_has() {
    if !is_delivered("INT") {
        return;
    }
    let served = Served::start(&[]);
    let directory = directory("interrupted");
    let arguments = ["capture", "--rate", "20", "--out", directory.to_str().unwrap(), &endpoint(&served)];
    let child = Command::new(IMDS).args(arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    kill(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("the capture was interrupted before"), "{}", text(&output.stderr));
    let transcript = fs::read_to_string(directory.join("transcript.jsonl")).unwrap();
    assert!(transcript.lines().next().unwrap().contains("the capture was interrupted before"));
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn wrong_use_is_told_before_anything_is_asked() {
    let begun = std::time::Instant::now();
    let (nobody, refuses) = (directory("nobody"), directory("disabled"));
    let (_, stderr, status) = capture(&["--timeout", "1s", "--out", nobody.to_str().unwrap(), "http://127.0.0.1:9"]);
    assert!(stderr.starts_with("imds: no answer from http://127.0.0.1:9"), "{stderr}");
    assert_eq!(status, 3);
    // Where nothing listens, it does not wait for it.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let disabled = Served::start(&["--set", "metadata-options.http-endpoint=disabled"]);
    let (_, stderr, status) = capture(&["--out", refuses.to_str().unwrap(), &endpoint(&disabled)]);
    assert!(stderr.contains(": this is no metadata service: ") && stderr.contains("may be disabled"), "{stderr}");
    assert_eq!(status, 1);
    assert!(!nobody.exists() && !refuses.exists(), "nothing is left behind");
    let file = File::new("transcript.jsonl", b"{}\n");
    let (_, stderr, status) = capture(&["--compare", file.path.to_str().unwrap()]);
    assert!(stderr.contains(": line 1: it is not the header of a transcript: missing field"), "{stderr}");
    assert_eq!(status, 2);
    for arguments in [&["--instance", "x.toml"][..], &["--compare", "x", "--anonymize"], &["https://127.0.0.1"]] {
        assert_eq!(capture(arguments).2, 2, "{arguments:?}");
    }
}
