// The flags of `imds serve` as environment variables, for containers and units.

use std::env;
use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

/// For `imds serve --help`.
pub const HELP: &str = "\
Each flag is a variable too, which counts where the flag is not given: IMDS_HTTP_TOKENS for --http-tokens,
IMDS_CONTROL_LISTEN for --control. Of what is repeatable, commas part the values, and lines those of IMDS_SET.
A flag without a value is set by true. An empty variable is none.";

/// The arguments of this process, with flags from the environment where it serves.
pub fn arguments(command: &Command) -> Vec<OsString> {
    let mut typed: Vec<OsString> = env::args_os().collect();
    let first = typed.get(1).and_then(|argument| argument.to_str()).unwrap_or_default();
    let at = match first {
        "serve" => 2,
        "-h" | "--help" | "-V" | "--version" => return typed,
        _ if first.is_empty() || first.starts_with('-') => 1,
        _ => return typed,
    };
    let Some(serve) = command.find_subcommand("serve") else { return typed };
    let at = at.min(typed.len());
    let given = typed.split_off(at);
    let flags = serve.get_arguments().filter(|flag| !is_given(flag, &given)).filter_map(from_variable);
    typed.extend(flags.flatten().collect::<Vec<_>>());
    typed.extend(given);
    typed
}

/// The variable of a flag.
pub fn variable(flag: &str) -> String {
    // IMDS_CONTROL tells `imds ctl` where to ask.
    let flag = if flag == "control" { "control-listen" } else { flag };
    format!("IMDS_{}", flag.to_uppercase().replace('-', "_"))
}

/// Whether the command line has a flag.
fn is_given(flag: &Arg, given: &[OsString]) -> bool {
    let short = flag.get_short().map(|short| format!("-{short}"));
    let long = flag.get_long().map(|long| format!("--{long}"));
    given.iter().take_while(|argument| *argument != "--").filter_map(|argument| argument.to_str()).any(|argument| {
        let is_long = long.as_deref().is_some_and(|long| argument.split('=').next() == Some(long));
        is_long || short.as_deref().is_some_and(|short| argument.starts_with(short))
    })
}

/// A flag as its variable gives it.
fn from_variable(flag: &Arg) -> Option<Vec<OsString>> {
    let long = flag.get_long().filter(|long| !["help", "version"].contains(long))?;
    let value = env::var_os(variable(long)).filter(|value| !value.is_empty())?;
    let with = |value: OsString| {
        let mut argument = OsString::from(format!("--{long}="));
        argument.push(value);
        argument
    };
    Some(match (flag.get_action(), value.to_str()) {
        (ArgAction::SetTrue, Some("true" | "1" | "yes" | "on")) => vec![format!("--{long}").into()],
        (ArgAction::SetTrue, Some("false" | "0" | "no" | "off")) => Vec::new(),
        // What a flag with an optional value has without one.
        (ArgAction::Set, Some("true")) if flag.get_num_args().is_some_and(|number| number.min_values() == 0) => {
            vec![format!("--{long}").into()]
        }
        (ArgAction::Append, Some(values)) => {
            let end = if long == "set" { '\n' } else { ',' };
            values.split(end).map(str::trim).filter(|value| !value.is_empty()).map(|value| with(value.into())).collect()
        }
        // Neither true nor false is told of the flag.
        _ => vec![with(value)],
    })
}
