// How the program ends when something went wrong.

use std::fmt;
use std::process::ExitCode;

use super::{print, variables};

/// Wrong use that only shows after the command line was parsed.
#[derive(Debug)]
pub struct WrongUse(pub String);

impl fmt::Display for WrongUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

/// Prints the error; gives 2 for wrong use or a wrong description, else 1.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(imds_host::Error::Invalid(problems)) = error.downcast_ref() {
        print::styled_to_stderr(problems, problems.styled());
    } else {
        print::to_stderr(&format!("imds: {error:#}"));
    }
    if let Some(note) = variables::note() {
        print::to_stderr(&note);
    }
    ExitCode::from(status(error))
}

/// The exit status of an error: 2 for wrong use or a wrong description, else 1.
pub fn status(error: &anyhow::Error) -> u8 {
    if is_wrong_use(error) { 2 } else { 1 }
}

fn is_wrong_use(error: &anyhow::Error) -> bool {
    use imds_host::Error;
    error.is::<WrongUse>() || matches!(error.downcast_ref(), Some(Error::Invalid(_) | Error::Read { .. }))
}
