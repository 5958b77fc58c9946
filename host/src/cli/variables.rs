// The flags of `imds serve` and `imds run` as environment variables, for containers and units.

use std::env;
use std::ffi::OsString;
use std::sync::OnceLock;

use clap::{Arg, ArgAction, Command};

use super::print::to_stderr;

/// For `imds serve --help` and `imds run --help`.
pub const HELP: &str = "\
Each flag has an environment variable, used if the flag is not given: IMDS_HTTP_TOKENS for --http-tokens,
IMDS_CONTROL_LISTEN for --control. Separate repeated values by commas, in IMDS_SET by line ends. The value true sets a
flag that has none. An empty variable does not count.";

/// The variables that gave a flag.
static USED: OnceLock<Vec<String>> = OnceLock::new();

/// Those of other programs of this project and of `imds ctl`.
const OTHERS: [&str; 4] = ["IMDS_CONTROL", "IMDS_CONTROL_TOKEN_FILE", "IMDS_PROGRAM", "IMDS_COMPONENT"];

/// The arguments of this process, with flags from the environment where it serves.
pub fn arguments(command: &Command) -> Vec<OsString> {
    let mut typed: Vec<OsString> = env::args_os().collect();
    let first = typed.get(1).and_then(|argument| argument.to_str()).unwrap_or_default();
    let (name, at) = match first {
        "serve" | "run" => (first, 2),
        _ if first.is_empty() || first.starts_with('-') => ("serve", 1),
        _ => return typed,
    };
    let asks = |argument: &OsString| ["-h", "--help", "-V", "--version"].iter().any(|help| argument == help);
    if typed.iter().take_while(|argument| *argument != "--").any(asks) {
        return typed;
    }
    let Some(serving) = command.find_subcommand(name) else { return typed };
    let at = at.min(typed.len());
    let given = typed.split_off(at);
    let mut used = Vec::new();
    for flag in serving.get_arguments().filter(|flag| !is_given(flag, &given)) {
        if let Some(flags) = from_variable(flag) {
            used.extend(flag.get_long().map(variable));
            typed.extend(flags);
        }
    }
    typed.extend(given);
    if let Some(serve) = command.find_subcommand("serve") {
        note_misspelt(serve);
    }
    let _ = USED.set(used);
    typed
}

/// The variable that gave a flag, if one did.
pub fn of(flag: &str) -> Option<String> {
    let variable = variable(flag);
    USED.get()?.contains(&variable).then_some(variable)
}

/// What to add to an error, since nobody typed what a variable gave.
pub fn note() -> Option<String> {
    let used = USED.get().filter(|used| !used.is_empty())?;
    Some(format!("note: flags come from the environment too: {}", used.join(", ")))
}

/// A line for each variable that is nearly one of those that count.
fn note_misspelt(serve: &Command) {
    let known: Vec<String> = serve.get_arguments().filter_map(Arg::get_long).map(variable).collect();
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("IMDS_") && !OTHERS.contains(name)) else {
            continue;
        };
        let nearly = known.iter().find(|known| *known != name && strsim::damerau_levenshtein(known, name) <= 2);
        if let (false, Some(nearly)) = (known.iter().any(|known| known == name), nearly) {
            to_stderr(&format!("imds: note: the variable {name} counts for nothing; did you mean {nearly}?"));
        }
    }
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
    let word = value.to_str().map(str::to_ascii_lowercase);
    Some(match (flag.get_action(), value.to_str()) {
        (ArgAction::SetTrue, _) if word.as_deref().is_some_and(|word| ["true", "1", "yes", "on"].contains(&word)) => {
            vec![format!("--{long}").into()]
        }
        (ArgAction::SetTrue, _) if word.as_deref().is_some_and(|word| ["false", "0", "no", "off"].contains(&word)) => {
            Vec::new()
        }
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
