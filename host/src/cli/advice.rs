// What a user meant whose command line cannot be parsed.

use std::env;
use std::path::Path;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::variables;

/// Parses the command line; ends the program where that cannot be.
pub fn parse<A: Parser>() -> A {
    let command = A::command();
    let arguments = variables::arguments(&command);
    // Those of `imds serve`, which `imds` takes without a command too, have a screen of
    // their own.
    let command = command.mut_args(|flag| flag.hide(true));
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| A::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| with_tip(error).exit())
}

fn with_tip(mut error: Error) -> Error {
    if let Some(tip) = tip(&error) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn tip(error: &Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let argument = text(ContextKind::InvalidArg)?;
            let is_address = || names_address(argument) && takes_address();
            is_description(&argument).then(|| to_serve(argument)).or_else(|| is_address().then(|| TO_LISTEN.to_owned()))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::TooManyValues => {
            let flag = text(ContextKind::InvalidArg)?.trim_start_matches('-').split([' ', '=', '[']).next()?;
            Some(format!("the value comes from the variable {}", variables::of(flag)?))
        }
        ErrorKind::ArgumentConflict if text(ContextKind::InvalidSubcommand).is_none() => variables::note(),
        ErrorKind::InvalidSubcommand => text(ContextKind::InvalidSubcommand).filter(is_description).map(to_serve),
        ErrorKind::ArgumentConflict => {
            let command = text(ContextKind::InvalidSubcommand)?;
            Some(format!("options come after the command: imds {command} [OPTIONS]"))
        }
        _ => None,
    }
}

const TO_LISTEN: &str = "to serve at another address or port: --listen 127.0.0.1:1338";

/// Whether a flag is what other programs call the address that they listen on.
fn names_address(flag: &str) -> bool {
    const FLAGS: [&str; 9] =
        ["-p", "-P", "-l", "--port", "--address", "--addr", "--bind", "--host", "--listen-address"];
    FLAGS.contains(&flag.split('=').next().unwrap_or_default())
}

/// Whether the command is one that serves.
fn takes_address() -> bool {
    let command = env::args().nth(1).unwrap_or_default();
    command.starts_with('-') || ["serve", "run"].contains(&command.as_str())
}

fn is_description(name: &&str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["json", "toml"].contains(&extension))
}

fn to_serve(file: &str) -> String {
    format!("to serve this file: imds serve --instance {file}")
}
