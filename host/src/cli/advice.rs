// What a user meant whose command line cannot be parsed.

use std::path::Path;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Parses the command line; ends the program where that cannot be.
pub fn parse<A: Parser>() -> A {
    A::try_parse().unwrap_or_else(|error| with_tip(error).exit())
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
        ErrorKind::UnknownArgument => text(ContextKind::InvalidArg).filter(is_description).map(to_serve),
        ErrorKind::InvalidSubcommand => text(ContextKind::InvalidSubcommand).filter(is_description).map(to_serve),
        ErrorKind::ArgumentConflict => {
            let command = text(ContextKind::InvalidSubcommand)?;
            Some(format!("options come after the command: imds {command} [OPTIONS]"))
        }
        _ => None,
    }
}

fn is_description(name: &&str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["json", "toml"].contains(&extension))
}

fn to_serve(file: &str) -> String {
    format!("to serve this file: imds serve --instance {file}")
}
