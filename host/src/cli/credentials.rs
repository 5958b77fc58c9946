// Real credentials: `--credentials`, and the sources that descriptions name.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use imds_host::{
    Clock as _, Control, CredentialRefresher, DescribedSource, Description, EnvironmentSource, Fleet, Subscription,
    VirtualClock,
};
use serde_json::{Value, json};
use tokio::process::Command;

use super::failure::WrongUse;
use super::link_local;
use super::log::Format;
use super::print::to_stderr;
use super::secret_file::warn_of_others;
use super::variables::{self, variable};

#[derive(Args)]
pub struct CredentialFlags {
    /// Give the role real credentials, refreshed: those that a command prints as a credential_process does
    /// (process:COMMAND, without a shell), those of a profile of the aws command (profile:NAME), of the AWS_* variables
    /// (env), or of a file that somebody else rewrites (file:PATH). Tokens are required then
    #[arg(long, value_name = "process:COMMAND|profile:NAME|env|file:PATH", help_heading = HEADING)]
    // Read later: what reads the command line shows a value that is wrong, and this may be secret.
    credentials: Option<String>,

    /// With real credentials, listen on addresses that other machines may reach, too
    #[arg(long, help_heading = HEADING)]
    expose_credentials: bool,

    /// What runs.
    #[arg(skip)]
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    sources: Vec<(Arc<DescribedSource>, CredentialRefresher)>,
    /// Of instances of a fleet.
    subscriptions: Vec<Subscription>,
    addresses: Vec<SocketAddr>,
}

const HEADING: &str = "Credentials";

/// A start waits for the first credentials so long. Then it serves without them.
const FIRST: Duration = Duration::from_secs(10);

/// Each has a thread.
const SOURCES_MAX: usize = 256;

/// Puts the flag's source over that of a description.
pub fn apply(source: &Value, description: &mut Description) {
    description.set_json(FIELD, &source.to_string(), "--credentials");
}

const FIELD: &str = "/iam-instance-profile/credentials-source";

/// Reads a source as a flag has it: what a description would say.
fn source(text: &str) -> Result<Value, &'static str> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    match (kind, rest) {
        ("env", "") if text == "env" => Ok(json!({ "environment": true })),
        ("profile", name) if !name.is_empty() => Ok(json!({ "profile": name })),
        ("file", path) if !path.is_empty() => Ok(json!({ "file": path })),
        ("process", command) if !command.trim().is_empty() => match shlex::split(command) {
            Some(words) => Ok(json!({ "process": words })),
            None => Err("a quote in the command has no end"),
        },
        _ => Err("expected process:COMMAND, profile:NAME, env or file:PATH"),
    }
}

impl CredentialFlags {
    /// The flag's source, as a description would say it.
    pub fn source(&self) -> anyhow::Result<Option<Value>> {
        let given_by = || variables::of("credentials").unwrap_or_else(|| "--credentials".to_owned());
        let read = self.credentials.as_deref().map(source).transpose();
        read.map_err(|error| WrongUse(format!("{}: {error}", given_by())).into())
    }

    /// Starts the source that a description names, if it does, and has the control take
    /// its credentials. Waits for the first, but not for ever.
    pub fn start(&self, control: &Control, description: &Description, format: Format) -> anyhow::Result<()> {
        let wanted = described(description)?;
        let kept =
            |running: &Running, wanted: &DescribedSource| running.sources.iter().any(|(source, _)| **source == *wanted);
        let Some(source) = wanted else {
            control.take_no_credentials();
            self.running().sources.clear();
            return Ok(());
        };
        if kept(&self.running(), &source) {
            return Ok(());
        }
        let refresher = started(description, &source, control.clock(), format)?;
        refresher.wait(FIRST);
        control.take_credentials_from(&refresher)?;
        self.running().sources = vec![(Arc::new(source), refresher)];
        Ok(())
    }

    /// Whether a description can be served here: with real credentials, that is not
    /// everywhere.
    pub fn judge(&self, description: &Description) -> anyhow::Result<()> {
        match described(description)? {
            Some(_) => self.refuse_exposed(&self.running().addresses),
            None => Ok(()),
        }
    }

    /// The same for many, some of which have real credentials.
    pub fn judge_many(&self) -> anyhow::Result<()> {
        self.refuse_exposed(&self.running().addresses)
    }

    /// Notes where the service listens, and refuses to give real credentials there.
    pub fn listen(&self, addresses: &[SocketAddr]) -> anyhow::Result<()> {
        let mut running = self.running();
        running.addresses = addresses.to_vec();
        if running.sources.is_empty() {
            return Ok(());
        }
        drop(running);
        self.refuse_exposed(addresses)
    }

    fn refuse_exposed(&self, addresses: &[SocketAddr]) -> anyhow::Result<()> {
        match addresses.iter().find(|address| is_exposed(address.ip())) {
            Some(address) if !self.expose_credentials => Err(WrongUse(format!(
                "{address} may be reached from other machines, and the role's credentials are real\n\
                 help: listen on a loopback or link-local address; if all who reach {} may have them: \
                 --expose-credentials",
                address.ip()
            ))
            .into()),
            _ => Ok(()),
        }
    }

    /// Whether the credentials of the role are real.
    pub fn are_real(&self) -> bool {
        !self.running().sources.is_empty()
    }

    /// Whether the command does not inherit this variable.
    pub fn keeps_out(&self, name: &str) -> bool {
        self.are_real() && all_preferred().any(|preferred| preferred == name)
    }

    /// Takes what SDKs would prefer to the service out of the environment of a command
    /// that is to have the credentials from the service alone.
    pub fn keep_out(&self, command: &mut Command) {
        if self.are_real() {
            for name in all_preferred() {
                command.env_remove(name);
            }
            // The words of a command may be secrets.
            for flag in ["credentials", "set"] {
                command.env_remove(variable(flag));
            }
        }
    }

    /// Starts the sources of many instances, each once, and has these take the
    /// credentials. Those that run already go on; others end.
    pub fn start_many(
        &self,
        instances: &[(String, DescribedSource)],
        clock: &VirtualClock,
        format: Format,
    ) -> anyhow::Result<ManySources> {
        let running: Vec<_> =
            self.running().sources.iter().map(|(source, runs)| (Arc::clone(source), runs.clone())).collect();
        let mut sources: Vec<(Arc<DescribedSource>, CredentialRefresher)> = Vec::new();
        let mut of_instances = Vec::new();
        for (key, source) in instances {
            let is_it = |(other, _): &&(Arc<DescribedSource>, CredentialRefresher)| **other == *source;
            if let Some((_, refresher)) = sources.iter().find(is_it) {
                of_instances.push((key.clone(), refresher.clone()));
                continue;
            }
            if sources.len() == SOURCES_MAX {
                let message = format!("the descriptions name more than {SOURCES_MAX} different sources of credentials");
                return Err(WrongUse(message).into());
            }
            let (source, refresher) = match running.iter().find(is_it) {
                Some((source, refresher)) => (Arc::clone(source), refresher.clone()),
                None => {
                    let mut description = Description::default();
                    description.set_json(FIELD, &source.to_json(), "the description");
                    let Some(source) = described(&description)? else { continue };
                    let refresher = started(&description, &source, clock, format)?;
                    (Arc::new(source), refresher)
                }
            };
            of_instances.push((key.clone(), refresher.clone()));
            sources.push((source, refresher));
        }
        let until = Instant::now() + FIRST;
        for (_, refresher) in &sources {
            refresher.wait(until.saturating_duration_since(Instant::now()));
        }
        Ok(ManySources { sources, of_instances })
    }

    /// From now on these are the sources that run.
    pub fn keep(&self, sources: ManySources, subscriptions: Vec<Subscription>) {
        let ManySources { sources, .. } = sources;
        let mut running = self.running();
        running.sources = sources;
        running.subscriptions = subscriptions;
    }

    /// From now on these run too.
    pub fn keep_beside(&self, sources: ManySources) {
        let mut running = self.running();
        for (source, refresher) in sources.sources {
            if !running.sources.iter().any(|(other, _)| *other == source) {
                running.sources.push((source, refresher));
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sources of many instances.
#[derive(Default)]
pub struct ManySources {
    sources: Vec<(Arc<DescribedSource>, CredentialRefresher)>,
    of_instances: Vec<(String, CredentialRefresher)>,
}

impl ManySources {
    /// Has the instances of a fleet take the credentials.
    pub fn give_to(&self, fleet: &Fleet) -> anyhow::Result<Vec<Subscription>> {
        let give = |(key, refresher): &(String, CredentialRefresher)| fleet.take_credentials_from(key, refresher);
        Ok(self.of_instances.iter().map(give).collect::<Result<_, _>>()?)
    }

    /// Has one instance that operators change take the credentials of the source that
    /// its description names.
    pub fn give_to_one(&self, control: &Control) -> Result<(), imds_host::Error> {
        let named = control.described_source();
        let is_it = |(source, _): &&(Arc<DescribedSource>, CredentialRefresher)| Some(&**source) == named.as_ref();
        match self.sources.iter().find(is_it) {
            Some((_, refresher)) => control.take_credentials_from(refresher),
            None => {
                control.take_no_credentials();
                Ok(())
            }
        }
    }
}

/// SDKs look for credentials there before they ask the service.
const PREFERRED: [&str; 10] = [
    // Names of before.
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// The source that a description names.
pub fn described(description: &Description) -> anyhow::Result<Option<DescribedSource>> {
    let source = DescribedSource::of(description);
    if source.as_ref().is_some_and(DescribedSource::is_of_embedder) {
        let message = "credentials-source: `embedder` is for programs that embed the library; name another source";
        return Err(WrongUse(message.to_owned()).into());
    }
    Ok(source)
}

fn started(
    description: &Description,
    source: &DescribedSource,
    clock: &VirtualClock,
    format: Format,
) -> anyhow::Result<CredentialRefresher> {
    source.file().into_iter().for_each(warn_of_others);
    keep_memory_private();
    let Some(asked) = DescribedSource::of(description) else { anyhow::bail!("the description names no source") };
    let told = Mutex::new(false);
    let now = clock.clone();
    let refresher = CredentialRefresher::start_observed(asked, clock, move |state| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        // Each failure, and that it is over.
        if state.failures > 0 || !*told {
            to_stderr(&format.credentials(state, now.now()));
        }
        *told = state.failures == 0;
    })?;
    Ok(refresher)
}

/// Lets no other process of this user read the memory and the environment of this one,
/// and the system write none of it where it ends badly.
fn keep_memory_private() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Where the system refuses, it is as with any program.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Whether other machines may reach an address.
fn is_exposed(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let is_local = match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    };
    !is_local && !link_local::is_one(ip)
}

fn all_preferred() -> impl Iterator<Item = &'static str> {
    EnvironmentSource::VARIABLES.into_iter().chain(PREFERRED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_says_what_a_description_would() {
        for (text, words) in [
            ("env", json!({ "environment": true })),
            ("profile:dev: two", json!({ "profile": "dev: two" })),
            ("file:/run/a:b.json", json!({ "file": "/run/a:b.json" })),
            (
                "process:aws-vault export 'a b' \"$HOME;x\"",
                json!({ "process": ["aws-vault", "export", "a b", "$HOME;x"] }),
            ),
        ] {
            assert_eq!(source(text), Ok(words), "{text}");
        }
        for text in
            ["", "env:", "env:x", "profile", "profile:", "file:", "process:", "process: ", "process:a 'b", "dev"]
        {
            assert!(source(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_other_machines_may_reach_is_exposed() {
        for (ip, exposed) in [
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("169.254.169.254", false),
            ("::1", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false),
            ("::ffff:127.0.0.1", false),
            ("0.0.0.0", true),
            ("::", true),
            ("10.0.0.1", true),
            ("fd00::1", true),
            ("::ffff:10.0.0.1", true),
        ] {
            assert_eq!(is_exposed(ip.parse().unwrap()), exposed, "{ip}");
        }
    }
}
