//! Files that never end, that nobody writes or that are none: a sentence for each,
//! and no memory.

use super::*;

/// What the program says of a command with these words, given this standard input.
/// It has 300 MB for all its data, which reading on would fill at once.
fn said(words: &[&str], stdin: &str) -> String {
    let script = "ulimit -d 300000; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, IMDS]).args(words).stdin(fs::File::open(stdin).unwrap());
    let output = shell.output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words:?}: {errors}");
    errors
}

#[test]
fn what_never_ends_is_refused_in_a_sentence() {
    for (words, file, large) in [
        (&["check", "/dev/zero"][..], "/dev/zero", "larger than 1 MiB"),
        (&["check", "-"], "standard input", "larger than 1 MiB"),
        (&["check", "--scenario", "/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["export", "/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["export", "--edit", "@/dev/zero", "/dev/null"], "/dev/zero", "larger than 1 MiB"),
        (&["ctl", "edit", "@/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["certificates", "--identity-keys", "/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["serve", "--instance", "/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["serve", "--scenario", "/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["serve", "--user-data", "/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["serve", "--identity-keys", "/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["serve", "--token-secret-file", "/dev/zero"], "/dev/zero", "larger than 1 MiB"),
        (&["serve", "--instances", "/dev/zero", "--caller", "host"], "/dev/zero", "larger than 1 GiB"),
    ] {
        let errors = said(words, "/dev/zero");
        assert!(errors.contains(&format!("cannot read {file}: it is {large}")), "{words:?}: {errors}");
    }
}

#[test]
fn directories_are_refused_in_a_sentence() {
    for words in [
        &["export", "/"][..],
        &["ctl", "edit", "@/"],
        &["certificates", "--identity-keys", "/"],
        &["serve", "--instance", "/"],
        &["serve", "--scenario", "/"],
        &["serve", "--user-data", "/"],
        &["serve", "--token-secret-file", "/"],
    ] {
        let errors = said(words, "/dev/null");
        assert!(errors.contains("cannot read /: it is a directory"), "{words:?}: {errors}");
    }
}

#[test]
fn a_pipe_that_nobody_writes_is_not_waited_for() {
    let pipe = File::new("pipe", "");
    fs::remove_file(&pipe.path).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe.path).status().unwrap().success());
    let errors = said(&["check", pipe.path.to_str().unwrap()], "/dev/null");
    assert!(errors.contains("it is a pipe, and nobody opened it to write within 2 seconds"), "{errors}");
}

/// As shells pass what a command prints: `imds check <(jq … guest.json)`.
#[test]
fn a_pipe_that_somebody_writes_is_read() {
    let pipe = File::new("written", "");
    fs::remove_file(&pipe.path).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe.path).status().unwrap().success());
    let script = "echo 'instance-type = \"m7g.large\"' > \"$1\" & \"$0\" export \"$1\"; \
                  echo 'instance-type = \"t3.nano\"' | \"$0\" export /dev/fd/0";
    let output = Command::new("sh").args(["-c", script, IMDS]).arg(&pipe.path).output().unwrap();
    let printed = text(&output.stdout);
    assert_eq!(printed, "{\"instance-type\":\"m7g.large\"}\n{\"instance-type\":\"t3.nano\"}\n", "{output:?}");
}
