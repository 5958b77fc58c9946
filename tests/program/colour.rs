//! Colour on a terminal, and nowhere else.

use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::*;

const ESCAPE: char = '\u{1b}';

/// What the program prints to a terminal as standard output and standard error.
fn on_a_terminal(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let side = OpenOptions::new().read(true).write(true).open(std::ffi::OsStr::from_bytes(name.as_bytes())).unwrap();
    let mut imds = command(arguments, variables);
    imds.stdin(Stdio::null()).stdout(side.try_clone().unwrap()).stderr(side);
    let mut child = imds.spawn().unwrap();
    // The command has the other side too, until it is dropped.
    drop(imds);
    let mut printed = Vec::new();
    // It fails when the other side is closed.
    let _ = fs::File::from(terminal).read_to_end(&mut printed);
    child.wait().unwrap();
    text(&printed).replace("\r\n", "\n")
}

fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut imds = Command::new(IMDS);
    imds.args(arguments).env("TERM", "xterm-256color");
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        imds.env_remove(name);
    }
    imds.envs(variables.iter().copied());
    imds
}

fn through_pipes(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = command(arguments, variables).stdin(Stdio::null()).output().unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

fn without_colours(printed: &str) -> String {
    let mut parts = printed.split(ESCAPE);
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').unwrap().1).collect::<String>()
}

#[test]
fn a_terminal_gets_colours_and_a_pipe_the_same_words_without() {
    let wrong = File::new("colour-wrong.toml", "instnace-type = 't3.micro'\nstate = 'gone'\n");
    let warned = File::new("colour-warned.toml", "tags = { Name = 'web' }\n");
    let [wrong, warned] = [&wrong, &warned].map(|file| file.path.to_str().unwrap());
    for arguments in [
        &["check", wrong][..],
        &["check", warned],
        &["serve", "--instance", wrong],
        &["run", "--instance", warned, "--", "true"],
        &["check", "--no-such-flag"],
        &["check", "--help"],
    ] {
        let (coloured, plain) = (on_a_terminal(arguments, &[]), through_pipes(arguments, &[]));
        assert!(coloured.contains(ESCAPE) && !plain.contains(ESCAPE), "{arguments:?}\n{coloured}{plain}");
        let words = |printed: &str| {
            let mut lines: Vec<String> = printed.lines().map(|line| line.trim_end().to_owned()).collect();
            // Which of the two streams comes first is not told.
            lines.sort();
            lines
        };
        assert_eq!(words(&without_colours(&coloured)), words(&plain), "{arguments:?}");
        let refused = on_a_terminal(arguments, &[("NO_COLOR", "1")]);
        // Not even in bold.
        assert!(!refused.contains(ESCAPE), "{arguments:?}: {refused}");
    }
}

#[test]
fn what_a_description_says_sends_nothing_to_the_terminal() {
    let file = File::new("colour-escape.json", "{\"tags\": {\"a\\u001b[2J\": 3}, \"x\\u001b[31m\": 1}");
    let coloured = on_a_terminal(&["check", file.path.to_str().unwrap()], &[]);
    let plain = without_colours(&coloured);
    assert!(!coloured.contains("\u{1b}[2J") && plain.contains(r"\u{1b}"), "{coloured}");
}

#[test]
fn listings_for_machines_have_no_colour() {
    for arguments in [
        &["schema"][..],
        &["scenarios"],
        &["scenarios", "--json"],
        &["new"],
        &["check", "--json", "--scenario", "spot-stop"],
    ] {
        assert!(!on_a_terminal(arguments, &[]).contains(ESCAPE), "{arguments:?}");
    }
}
