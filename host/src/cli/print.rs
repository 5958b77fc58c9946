// What goes to standard output and standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use imds_host::{Runtime, shown};

/// `imds new`.
pub fn new() -> anyhow::Result<ExitCode> {
    to_stdout(include_str!("../new.toml"), "the description")
}

/// `imds schema`.
pub fn schema() -> anyhow::Result<ExitCode> {
    let schema = Runtime::new()?.schema()?;
    to_stdout(&format!("{}\n", schema.trim_end()), "the schema")
}

/// Prints a text. A reader that has read enough, such as `head`, is no failure.
pub fn to_stdout(text: &str, what: &str) -> anyhow::Result<ExitCode> {
    bytes_to_stdout(text.as_bytes(), what)
}

/// The same of bytes.
pub fn bytes_to_stdout(bytes: &[u8], what: &str) -> anyhow::Result<ExitCode> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).with_context(|| format!("cannot write {what} to standard output"))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Prints a text with colours as it stands if standard output is a terminal or
/// CLICOLOR_FORCE asks for them, and otherwise without them. It may contain no characters
/// of others that a terminal obeys.
pub fn styled_to_stdout(styled: &str, what: &str) -> anyhow::Result<ExitCode> {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => to_stdout(&without_styles(styled), what),
        _ => to_stdout(styled, what),
    }
}

/// A text without the marks of its colours.
pub fn without_styles(styled: &str) -> String {
    strip_str(styled).to_string()
}

/// Prints the form with colours if standard error is a terminal or CLICOLOR_FORCE asks for
/// it, and the plain one otherwise or with NO_COLOR. Neither may contain characters of
/// others that a terminal obeys.
pub fn styled_to_stderr(plain: impl Display, styled: impl Display) {
    let stderr = io::stderr();
    let written = match AutoStream::choice(&stderr) {
        ColorChoice::Never => return to_stderr(&plain.to_string()),
        choice => AutoStream::new(stderr, choice).write_all(format!("{styled}\n").as_bytes()),
    };
    // Where standard error is closed, there is nobody to tell.
    drop(written);
}

/// Prints lines, with escapes for what a terminal would obey: names of files
/// stand in them. Where standard error is closed, there is nobody to tell.
pub fn to_stderr(lines: &str) {
    let lines = shown::lines(lines);
    // In one piece: the command of `imds run` writes there too.
    let _ = io::stderr().write_all(format!("{lines}\n").as_bytes());
}
