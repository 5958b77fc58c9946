// The environment of the command of `imds run`.

use std::env;
use std::path::PathBuf;

use imds_host::Control;
use imds_host::testing::Environment;
use tokio::process::Command;

use super::control::VARIABLE as CONTROL;
use super::print::to_stderr;
use super::socket_activation::VARIABLES;

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
  AWS_ENDPOINT_URL_EC2                    is set with --ec2-api, and AWS_REGION and AWS_DEFAULT_REGION where
                                          neither is: to the region of the instance
  NO_PROXY, no_proxy                      get 127.0.0.1 added; with --link-local, EC2's addresses
  AWS_EC2_METADATA_DISABLED,
  AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE,
  LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES  are removed
  AWS_CONTAINER_CREDENTIALS_FULL_URI,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
  AWS_CONTAINER_AUTHORIZATION_TOKEN       are set as needed with --container, those inherited removed
and all else stays, credentials too; a note names those that SDKs prefer. With --credentials, or a
credentials-source in the description, keys, profiles and roles are removed, and IMDS_CREDENTIALS and
IMDS_SET.";

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
    let environment = match endpoint {
        Endpoint::Told(url) => Environment::told(url),
        Endpoint::LinkLocal => Environment::link_local(),
    };
    // Where it takes orders is removed too: another instance than this one is at
    // the place that was inherited.
    environment.apply(command.as_std_mut());
    if let Some(place) = control {
        command.env(CONTROL, place);
    }
    for name in VARIABLES {
        command.env_remove(name);
    }
}

/// Lets `command` find EC2's API at a URL, in the region of an instance, unless
/// it was told of another.
pub fn set_ec2(command: &mut Command, url: &str, control: &Control) -> anyhow::Result<()> {
    let document: serde_json::Value = serde_json::from_str(&control.snapshot()?.identity_document)?;
    let region = document["region"].as_str().unwrap_or_default();
    Environment::ec2(url, region).apply(command.as_std_mut());
    Ok(())
}

/// One line where the command will probably not use the role of the instance. `removed`
/// is what the command does not inherit.
pub fn note_other_credentials(removed: impl Fn(&str) -> bool) {
    if let Some(source) = other_credentials_but(removed) {
        to_stderr(&format!("imds: note: {source}; SDKs look for credentials there before they ask this service"));
    }
}

/// Where SDKs find credentials before they ask the service: `AWS_PROFILE is set`.
pub fn other_credentials() -> Option<String> {
    other_credentials_but(|_| false)
}

fn other_credentials_but(removed: impl Fn(&str) -> bool) -> Option<String> {
    match BEFORE_US.into_iter().find(|name| env::var_os(name).is_some() && !removed(name)) {
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
