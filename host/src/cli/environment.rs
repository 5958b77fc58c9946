// The environment of the command of `imds run`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use tokio::process::Command;

use super::control::VARIABLE as CONTROL;
use super::print::to_stderr;
use super::socket_activation::VARIABLES;

const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/// These would keep SDKs from the service.
const AGAINST_US: [&str; 2] = ["AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"];

/// A proxy cannot reach the service. Some programs read one of them, some the
/// other.
const WITHOUT_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// SDKs look for credentials there before they ask the service.
const BEFORE_US: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// For `imds run --help`.
pub const HELP: &str = "\
In the command's environment
  AWS_EC2_METADATA_SERVICE_ENDPOINT       is set to the service; with --link-local it is removed
  IMDS_CONTROL                            is set for imds ctl with --control, else removed
  NO_PROXY, no_proxy                      get 127.0.0.1 added; with --link-local, EC2's addresses
  AWS_EC2_METADATA_DISABLED,
  AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE,
  LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES  are removed
and all else stays, credentials too; a note tells of those that SDKs prefer.";

/// Where a command finds the service.
#[derive(Clone, Copy)]
pub enum Endpoint<'a> {
    /// At this URL on 127.0.0.1, which its environment tells.
    Told(&'a str),
    /// Where EC2 has it.
    LinkLocal,
}

/// Lets `command` find the service, and where it takes orders, if it does.
pub fn set(command: &mut Command, endpoint: Endpoint<'_>, control: Option<String>) {
    let hosts: &[&str] = match endpoint {
        Endpoint::Told(url) => {
            command.env(ENDPOINT, url);
            &["127.0.0.1"]
        }
        Endpoint::LinkLocal => {
            // One that was inherited tells of another service, which is out of reach.
            command.env_remove(ENDPOINT);
            // In brackets and without: programs differ in what they compare.
            &["169.254.169.254", "fd00:ec2::254", "[fd00:ec2::254]"]
        }
    };
    match control {
        Some(place) => command.env(CONTROL, place),
        // Another instance than this one is at the place that it may tell.
        None => command.env_remove(CONTROL),
    };
    for name in AGAINST_US.into_iter().chain(VARIABLES) {
        command.env_remove(name);
    }
    let [upper, lower] = WITHOUT_PROXY.map(|name| env::var_os(name).filter(|value| !value.is_empty()));
    // Who reads both takes the other where the first is missing.
    for (name, before) in
        WITHOUT_PROXY.iter().zip([upper.as_ref().or(lower.as_ref()), lower.as_ref().or(upper.as_ref())])
    {
        command.env(name, with_us(before.map(OsString::as_os_str), hosts));
    }
}

/// The hosts that are reached without a proxy, and these.
fn with_us(before: Option<&OsStr>, hosts: &[&str]) -> OsString {
    let mut list = before.unwrap_or_default().to_owned();
    for host in hosts {
        if list.to_string_lossy().split(',').any(|known| [*host, "*"].contains(&known.trim())) {
            continue;
        }
        if !list.is_empty() {
            list.push(",");
        }
        list.push(host);
    }
    list
}

/// One line where the command will probably not use the role of the instance.
pub fn note_other_credentials() {
    if let Some(source) = other_credentials() {
        to_stderr(&format!("imds: note: {source}; SDKs look for credentials there before they ask this service"));
    }
}

/// Where SDKs find credentials before they ask the service: `AWS_PROFILE is set`.
pub fn other_credentials() -> Option<String> {
    match BEFORE_US.into_iter().find(|name| env::var_os(name).is_some()) {
        Some(name) => Some(format!("{name} is set")),
        None => credentials_file().map(|file| format!("{} exists", file.display())),
    }
}

fn credentials_file() -> Option<PathBuf> {
    let file = match env::var_os("AWS_SHARED_CREDENTIALS_FILE") {
        Some(file) => PathBuf::from(file),
        None => env::home_dir()?.join(".aws/credentials"),
    };
    file.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_added_once() {
        for (before, after) in [
            (None, "127.0.0.1"),
            (Some("a.example, .b"), "a.example, .b,127.0.0.1"),
            (Some("x, 127.0.0.1"), "x, 127.0.0.1"),
            (Some("*"), "*"),
        ] {
            assert_eq!(with_us(before.map(OsStr::new), &["127.0.0.1"]), after);
        }
        assert_eq!(with_us(Some(OsStr::new("b")), &["a", "b", "c"]), "b,a,c");
    }
}
