//! Sources that fail.

use super::*;

/// What each way of failing is told as.
fn told_of(name: &str, does: &str, description: &str) -> String {
    let stand_in = StandIn::doing(name, does);
    let path = stand_in.script.path.display();
    let toml = format!("[iam-instance-profile.credentials-source]\nprocess = ['sh', '{path}']\n{description}\n");
    let description = File::new(&format!("credentials/{name}.toml"), toml);
    let served = Served::spawn(serve(&["--instance", description.path.to_str().unwrap(), "--log", "all"]), 1);
    let failed = document(&served);
    assert!(is_failure(&failed), "{failed}");
    let failure = served.notes.iter().find(|note| note.contains("no credentials from the command sh: "));
    failure.unwrap_or_else(|| panic!("{:?}", served.notes)).clone()
}

#[test]
fn a_command_that_fails_leaves_the_role_without_credentials_and_says_why() {
    let printed = version_1("BAD", 3600);
    for (name, does, told) in [
        ("exits", format!("echo '{printed}'; echo {SECRET} >&2; exit 1"), "it ended with exit status 1"),
        ("killed", "kill -9 $$".to_owned(), "a signal ended it"),
        ("garbage", format!("echo '{SECRET} {TOKEN}'"), "it did not return the JSON of a credential_process"),
        ("nothing", "true".to_owned(), "it did not return the JSON of a credential_process"),
        (
            "offset",
            format!("echo '{}'", version_1_ending("BAD", "9999-12-31T23:59:59-99:99")),
            "it gave no usable Expiration",
        ),
        ("ended", format!("echo '{}'", version_1("BAD", -60)), "it gave credentials that have ended"),
        ("long-term", format!("echo '{}'", printed.replace("SessionToken", "Other")), "it gave long-term keys"),
        ("version-2", format!("echo '{}'", printed.replace("\"Version\": 1", "\"Version\": 2")), "no usable Version"),
        ("megabyte", format!("head -c 1048576 /dev/zero | tr '\\0' ' '; echo '{printed}'"), "it gave more than 64 KiB"),
    ] {
        let line = told_of(name, &does, "");
        assert!(line.contains(told) && line.contains("; the role has none; imds will ask again"), "{name}: {line}");
        assert!(!line.contains(SECRET) && !line.contains("BAD"), "{name}: {line}");
    }
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    // Its child holds its output, and would hold it for an hour.
    let pid = File::new("credentials/hangs.pid", "");
    let line = told_of("hangs", &format!("sleep 3600 & echo $! > '{}'; wait", pid.path.display()), "time-limit = '1s'");
    assert!(line.contains("it took more than 1s"), "{line}");
    assert!(is_gone(&pid));
}

#[test]
fn what_a_command_leaves_behind_is_ended_where_it_fails() {
    // Its first process ends at once, in whatever way, and another one stays.
    for (name, end, told) in [
        ("leaves-output-open", "exit 0", "it took more than 1s"),
        ("leaves-and-fails", "exit 3", "it ended with exit status 3"),
        ("leaves-garbage", "echo garbage", "it did not return the JSON"),
    ] {
        let pid = File::new(&format!("credentials/{name}.pid"), "");
        let output = if end == "exit 0" { "" } else { "> /dev/null" };
        let does = format!("sleep 3600 {output} & echo $! > '{}'; {end}", pid.path.display());
        let line = told_of(name, &does, "time-limit = '1s'");
        assert!(line.contains(told), "{line}");
        assert!(is_gone(&pid), "{name}");
    }
}

#[test]
fn a_source_that_is_being_asked_ends_with_the_program() {
    let does = |pid: &File| format!("sleep 3600 & echo $! > '{}'; wait", pid.path.display());
    let pid_of = |name: &str| File::new(&format!("credentials/{name}.pid"), "");
    let is_asked = |pid: &File| {
        let until = Instant::now() + DEADLINE;
        while !fs::read_to_string(&pid.path).unwrap().ends_with('\n') {
            assert!(Instant::now() < until);
            thread::sleep(Duration::from_millis(20));
        }
    };

    // While it starts.
    for (verb, status) in [(&["serve", "--listen", "127.0.0.1:0"][..], 0), (&["run"], 143)] {
        let pid = pid_of("at-the-start");
        let stand_in = StandIn::doing("at-the-start", &does(&pid));
        let mut imds = Command::new(IMDS);
        imds.args(verb).args(["--credentials", &stand_in.flag()]).stderr(Stdio::null());
        if verb == ["run"] {
            imds.args(["--", "true"]);
        }
        without_aws(&mut imds);
        let mut imds = imds.spawn().unwrap();
        is_asked(&pid);
        kill(&imds, "TERM");
        assert_eq!(imds.wait().unwrap().code(), Some(status));
        assert!(is_gone(&pid), "{verb:?}");
    }

    // After the command of `imds run`.
    let pid = pid_of("after-a-command");
    let stand_in = StandIn::doing("after-a-command", &does(&pid));
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--credentials", &stand_in.flag(), "--", "true"]);
    without_aws(&mut imds);
    assert!(imds.output().unwrap().status.success());
    assert!(is_gone(&pid));
}

/// Whether a process ended whose number is in a file.
fn is_gone(pid: &File) -> bool {
    let pid = fs::read_to_string(&pid.path).unwrap();
    let pid = pid.trim();
    assert!(!pid.is_empty());
    // The signal may be on its way. It may stay a zombie of whoever takes orphans here.
    (0..100).any(|_| {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let is_gone = state.is_empty() || state.contains(") Z ");
        if !is_gone {
            thread::sleep(Duration::from_millis(20));
        }
        is_gone
    })
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let directory = env!("CARGO_TARGET_TMPDIR");
    let garbage = File::for_owner("credentials/garbage.json", SECRET);
    let large = File::for_owner("credentials/large.json", &" ".repeat(1 << 20));
    for (path, told) in [
        ("/nowhere/credentials.json", "the file does not exist"),
        (directory, "it cannot be read"),
        ("/dev/zero", "it cannot be read"),
        (garbage.path.to_str().unwrap(), "it did not return the JSON of a credential_process"),
        (large.path.to_str().unwrap(), "it gave more than 64 KiB"),
    ] {
        let served = Served::spawn(serve(&["--credentials", &format!("file:{path}")]), 1);
        assert!(served.notes.iter().any(|note| note.contains(told)), "{path}: {:?}", served.notes);
        assert!(is_failure(&document(&served)));
    }
}

#[test]
fn an_end_after_all_that_can_be_told_is_told_as_the_last() {
    let mut imds = serve(&["--credentials", "env"]);
    imds.env("AWS_ACCESS_KEY_ID", "ASIAX").env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_SESSION_TOKEN", TOKEN);
    imds.env("AWS_CREDENTIAL_EXPIRATION", "9999-12-31T23:59:59-01:00");
    let served = Served::spawn(imds, 1);
    assert!(served.notes.iter().any(|note| note.contains("until 9998-12-31T23:59:59")), "{:?}", served.notes);
    assert_eq!(document(&served)["Expiration"], "9998-12-31T23:59:59Z");
}

#[test]
fn the_environment_without_a_session_token_gives_none() {
    let mut imds = serve(&["--credentials", "env"]);
    imds.env("AWS_ACCESS_KEY_ID", "AKIAX").env("AWS_SECRET_ACCESS_KEY", SECRET);
    let served = Served::spawn(imds, 1);
    assert!(served.notes.iter().any(|note| note.contains("it gave long-term keys")), "{:?}", served.notes);
    assert!(is_failure(&document(&served)));
}

#[test]
fn the_last_good_ones_stay_until_they_end_and_new_ones_come_when_the_source_is_well() {
    let stand_in = StandIn::new("fails-later", &version_1("GOOD", 6));
    let served = Served::spawn(serve(&["--credentials", &stand_in.flag()]), 1);
    stand_in.prints("garbage");
    served.line_with("it did not return the JSON of a credential_process, Version 1; the last ones hold until");
    assert_eq!(document(&served)["AccessKeyId"], "ASIAGOOD");
    let failed = wait_for(&served.addresses[0], is_failure);
    let message = failed["Message"].as_str().unwrap();
    assert!(message.contains("the source of its credentials has given none that are in force"), "{message}");
    stand_in.prints(&version_1("AGAIN", 3600));
    wait_for(&served.addresses[0], |document| document["AccessKeyId"] == "ASIAAGAIN");
    served.line_with("imds: note: the role has the credentials of the command sh, until ");
}
