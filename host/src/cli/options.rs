// The flags that `serve` and `run` share.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use imds_host::{
    Clock, Control, Description, Error, IdentitySigning, Instances, Observer, Problems, Runtime, Secret, Server,
    Service, Settings, VirtualClock,
};
use serde_json::Value;

use super::clock::ClockFlags;
use super::container::Container;
use super::credentials::{self, CredentialFlags};
use super::failure::WrongUse;
use super::file;
use super::identity;
use super::limits::LimitFlags;
use super::log::{Format, Level, Log};
use super::scenarios::{ScenarioFlags, Story, combine};
use super::secret_file::warn_of_others;
use super::setting::{Setting, schema};
use super::values::hops;
use super::warnings::{self, Before, WarningFlags};

#[derive(Args)]
pub struct Options {
    /// The description of the instance, TOML or JSON; - is standard input
    #[arg(long, value_name = "FILE")]
    pub instance: Option<PathBuf>,

    /// A field of the description, over what the file says: instance-type=m7g.large, tags.Name=web-1; repeatable.
    /// `imds schema` has all fields. Other users of the machine can read command lines: secrets are for files
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    scenarios: ScenarioFlags,

    /// Whether requests need a token (version 2)
    #[arg(long, value_name = "optional|required", value_parser = ["optional", "required"], hide_possible_values = true, help_heading = METADATA)]
    http_tokens: Option<String>,

    /// Whether the service answers; disabled, all is 403
    #[arg(long, value_name = "enabled|disabled", value_parser = ["enabled", "disabled"], hide_possible_values = true, help_heading = METADATA)]
    http_endpoint: Option<String>,

    /// How many network hops the answer with a token may travel, 1 to 64
    #[arg(long, value_name = "N", value_parser = hops, allow_negative_numbers = true, help_heading = METADATA)]
    http_put_response_hop_limit: Option<u64>,

    /// Whether requests over IPv6 are answered; disabled, they get 403
    #[arg(long, value_name = "enabled|disabled", value_parser = ["enabled", "disabled"], hide_possible_values = true, help_heading = METADATA)]
    http_protocol_ipv6: Option<String>,

    /// Whether the tags are shown
    #[arg(long, value_name = "enabled|disabled", value_parser = ["enabled", "disabled"], hide_possible_values = true, help_heading = METADATA)]
    instance_metadata_tags: Option<String>,

    /// The bytes of this file as user data
    #[arg(long, value_name = "FILE")]
    user_data: Option<PathBuf>,

    /// The secret of session tokens, all bytes of the file, at least 16;
    /// without it tokens end with the process
    #[arg(long, value_name = "FILE")]
    token_secret_file: Option<PathBuf>,

    /// The keys that sign the identity document; made if the file does not
    /// exist. Without it, those kept for this user by the first start
    #[arg(long, value_name = "FILE")]
    identity_keys: Option<PathBuf>,

    /// Sign the identity document with new keys at each start, and keep none
    #[arg(long, conflicts_with = "identity_keys")]
    forget_identity_keys: bool,

    /// A name that clients may use for this service besides local ones;
    /// repeatable, * is all
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// Keep connections open for more requests, which EC2 does not
    #[arg(long)]
    keep_alive: bool,

    /// Which answers to log to standard error
    #[arg(long, value_name = "off|refusals|all", value_enum, default_value_t = Level::Refusals, hide_possible_values = true)]
    log: Level,

    /// How to write the log: for people, or a JSON object on each line
    #[arg(long, value_name = "text|json", value_enum, default_value_t = Format::Text, hide_possible_values = true)]
    pub log_format: Format,

    #[command(flatten)]
    warnings: WarningFlags,

    #[command(flatten)]
    pub credentials: CredentialFlags,

    #[command(flatten)]
    clock: ClockFlags,

    #[command(flatten)]
    limits: LimitFlags,

    /// What `imds run --container` adds to a description that has none.
    #[arg(skip)]
    pub container: Option<Container>,
}

const METADATA: &str = "Metadata options, over those of the description";

impl Options {
    /// Starts the log.
    pub fn log(&self, runtime: &Runtime) -> anyhow::Result<Log> {
        Log::start(self.log, self.log_format, runtime.clone()).context("cannot start the log")
    }

    /// The service of what was opened, under a clock.
    pub fn service(&self, instances: impl Instances, clock: VirtualClock, observer: impl Observer) -> Service {
        Service::new(instances).clock(clock).keep_alive(self.keep_alive).observer(observer)
    }

    /// The clock of the service, as of now.
    pub fn clock(&self) -> VirtualClock {
        self.clock.clock()
    }

    /// Whether a flag lets all instances answer over IPv6.
    pub fn enables_ipv6(&self) -> bool {
        self.http_protocol_ipv6.as_deref() == Some("enabled")
    }

    /// What puts a service on listeners, within the limits of the flags.
    pub fn server(&self, service: Service) -> Server {
        Server::new(service).limits(self.limits.limits())
    }

    /// Opens the instance. Gives its description, too, as it was given.
    pub fn open(&self) -> anyhow::Result<(Control, Description)> {
        let runtime = Runtime::new()?;
        let description = self.description(&runtime)?;
        let control = Control::open_with(&runtime, &description, &self.settings(&runtime)?, self.clock())?;
        self.credentials.start(&control, &description, self.log_format)?;
        Ok((control, description))
    }

    /// The description that the files and the flags give.
    pub fn description(&self, runtime: &Runtime) -> anyhow::Result<Description> {
        let description = match &self.instance {
            Some(file) => read_description(file)?,
            None => Description::default(),
        };
        Ok(self.changes(runtime)?.apply(runtime, description)?)
    }

    /// Reads the description again, which is served from then on. A wrong one changes
    /// nothing.
    pub fn read_again(&self, control: &Control) -> anyhow::Result<ReadAgain> {
        refuse_pipes(&self.files())?;
        if self.instance.as_deref().is_some_and(is_standard_input) {
            return Err(WrongUse("standard input cannot be read again; give --instance a file".to_owned()).into());
        }
        let instance = control.instance();
        let runtime = instance.runtime();
        let description = self.description(runtime)?;
        self.credentials.judge(&description)?;
        let before = Before::of(control);
        let revision = control.replace(&description)?;
        self.credentials.start(control, &description, self.log_format)?;
        let found = warnings::or_say_why_not(warnings::of(runtime, &description, control.clock().now()));
        warnings::tell(&before.new_ones(found), self.log_format);
        Ok(ReadAgain { done: format!("read {} again", self.source()), outcome: format!("revision {revision}") })
    }

    /// What the description is called.
    fn source(&self) -> String {
        let names: Vec<String> = self.instance.as_deref().map(name).into_iter().chain(self.scenarios.names()).collect();
        if names.is_empty() { "the flags".to_owned() } else { names.join(" with ") }
    }

    /// Whether the command line lets something happen to instances.
    pub fn has_scenario(&self) -> bool {
        !self.scenarios.names().is_empty()
    }

    /// The files from which the description comes.
    pub fn files(&self) -> Vec<PathBuf> {
        let files = [&self.instance, &self.user_data].into_iter().flatten();
        files.chain(self.scenarios.files()).filter(|file| !is_standard_input(file)).cloned().collect()
    }

    /// The settings that the flags give, which the service has judged.
    pub fn settings(&self, runtime: &Runtime) -> anyhow::Result<Settings> {
        let mut settings = Settings::default().allowed_hosts(self.allow_host.clone());
        judge(runtime, &settings, "--allow-host", None)?;
        if let Some(file) = &self.token_secret_file {
            warn_of_others(file);
            settings = settings.token_secret(Secret::new(read_bytes(file)?));
            let flag = format!("--token-secret-file {}", file.display());
            judge(runtime, &settings, &flag, Some("`head -c 32 /dev/urandom` gives a good one"))?;
        }
        Ok(settings.identity_signing(match &self.identity_keys {
            Some(file) => IdentitySigning::With(Arc::new(identity::read_or_make(file)?)),
            None if self.forget_identity_keys => IdentitySigning::AtFirstNeed,
            None => identity::kept(),
        }))
    }

    /// What the flags set over descriptions.
    pub fn changes(&self, runtime: &Runtime) -> anyhow::Result<Changes<'_>> {
        let user_data = match &self.user_data {
            Some(file) => Some((read_bytes(file)?, format!("--user-data {}", file.display()))),
            None => None,
        };
        self.warnings.judge(runtime)?;
        let schema = if self.set.is_empty() { Value::Null } else { schema(runtime)? };
        let settings = Setting::all(&self.set)?;
        let (credentials, scenarios) = (self.credentials.source()?, self.scenarios.read(runtime)?);
        Ok(Changes { options: self, settings, schema, scenarios, credentials, user_data })
    }
}

/// Has the service judge settings; what is wrong is told of the flag that gave it.
fn judge(runtime: &Runtime, settings: &Settings, flag: &str, help: Option<&str>) -> Result<(), Error> {
    match runtime.open_with(&Description::default(), settings) {
        Err(Error::Invalid(mut problems)) => {
            for problem in &mut problems.list {
                problem.help = problem.help.take().or_else(|| help.map(str::to_owned));
            }
            Err(Error::Invalid(Problems { source: flag.to_owned(), ..problems }))
        }
        opened => opened.map(drop),
    }
}

/// What the flags set over descriptions.
pub struct Changes<'o> {
    options: &'o Options,
    settings: Vec<Setting>,
    /// What their fields are.
    schema: Value,
    scenarios: Vec<Story>,
    /// The source of real ones.
    credentials: Option<Value>,
    /// The bytes, and what names them.
    user_data: Option<(Vec<u8>, String)>,
}

impl Changes<'_> {
    /// Whether they leave every description as it is.
    pub fn is_empty(&self) -> bool {
        let mut description = Description::default();
        self.set(&mut description);
        self.scenarios.is_empty() && description.to_json() == Description::default().to_json()
    }

    /// A description with the scenarios over it, and over these what other flags
    /// set.
    pub fn apply(&self, runtime: &Runtime, mut description: Description) -> Result<Description, Error> {
        if !self.scenarios.is_empty() {
            // First without them, so that what is wrong has its place in the file.
            let mut alone = description.clone();
            self.set(&mut alone);
            runtime.open(&alone)?;
            description = combine(runtime, description, &self.scenarios)?;
        }
        self.set(&mut description);
        Ok(description)
    }

    fn set(&self, description: &mut Description) {
        let Self { options, settings, schema, user_data, .. } = self;
        for setting in settings {
            setting.set(schema, description, "--set ");
        }
        for (name, value) in [
            ("http-tokens", &options.http_tokens),
            ("http-endpoint", &options.http_endpoint),
            ("http-protocol-ipv6", &options.http_protocol_ipv6),
            ("instance-metadata-tags", &options.instance_metadata_tags),
        ] {
            if let Some(value) = value {
                let field = format!("/metadata-options/{name}");
                description.set_text(&field, value, &format!("--{name}"));
            }
        }
        if let Some(hop_limit) = options.http_put_response_hop_limit {
            let field = "/metadata-options/http-put-response-hop-limit";
            description.set_number(field, hop_limit, "--http-put-response-hop-limit");
        }
        if let Some(source) = &self.credentials {
            credentials::apply(source, description);
        }
        options.warnings.apply(description);
        if let Some(container) = &options.container {
            container.set(description);
        }
        if let Some((bytes, by)) = user_data {
            description.set_user_data(bytes, by);
        }
    }
}

/// Reads a description; `-` is standard input.
pub fn read_description(file: &Path) -> Result<Description, Error> {
    if is_standard_input(file) {
        return Description::read_from(&name(file), io::stdin().lock());
    }
    file::description(file)
}

/// What was done where something was asked to be read again.
pub struct ReadAgain {
    /// In words, with the name of what was read.
    pub done: String,
    /// What is served since then: the revision, or how many instances.
    pub outcome: String,
}

impl fmt::Display for ReadAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.done, self.outcome)
    }
}

/// Refuses files that are read again and have nothing to read: who waits for a
/// pipe hears no signal.
pub fn refuse_pipes<'f>(files: impl IntoIterator<Item = &'f PathBuf>) -> anyhow::Result<()> {
    for file in files {
        if fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(WrongUse(format!("{} is no regular file, which could be read again", file.display())).into());
        }
    }
    Ok(())
}

/// Reads a change that was typed: TOML or JSON text, or `@` and a file; `-` is
/// standard input.
pub fn read_change(typed: &str) -> Result<Description, Error> {
    match typed.strip_prefix('@') {
        Some(file) => read_description(Path::new(file)),
        None if typed == "-" => read_description(Path::new("-")),
        None => Description::parse("the change", typed),
    }
}

/// What a description's file is called.
pub fn name(file: &Path) -> String {
    if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() }
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

fn read_bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    file::read(file).with_context(|| WrongUse(format!("cannot read {}", file.display())))
}
