// `imds run`.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use clap::Args;
use imds_host::{Control, Ec2Api, Instances as _, Metrics, Service, shown};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::runtime::Handle;

use super::asked::{Asked, Attributing};
use super::container::{Container, ContainerFlag};
use super::control::{self, ControlFlag, Controlling, Operands, Operated};
use super::ec2::{Answering, Ec2, Ec2Flag};
use super::environment::{self, Endpoint};
use super::failure;
use super::link_local;
use super::listen::{bind, bind_inside, url_for_clients};
use super::log::Log;
use super::metrics::Page;
use super::network_namespace::NetworkNamespace;
use super::options::Options;
use super::print::to_stderr;
use super::process::{Clients, Processes};
use super::report::{ReportFlags, Reported};
use super::require_v2::Verdict;
use super::signals::{self, Signals};
use super::socket_activation::take_listeners;
use super::variables;
use super::warnings;
use super::welcome::MetadataOptions;

/// Run a command that finds the service by AWS_EC2_METADATA_SERVICE_ENDPOINT, or
/// at 169.254.169.254
#[derive(Args)]
#[command(override_usage = "imds run [OPTIONS] -- <COMMAND>...", after_help = after_help())]
pub struct Run {
    #[command(flatten)]
    options: Options,

    /// Fail unless the command asks with tokens (version 2) and never without, and say what it asked for without,
    /// and, on Linux, which process did
    #[arg(long)]
    require_v2: bool,

    /// Run the command in a network of its own, in which 169.254.169.254 port 80 and, where http-protocol-ipv6 is
    /// enabled, fd00:ec2::254 are the service: for commands that ask no other address. It has no other network
    /// (Linux; without root where users may have namespaces)
    #[arg(long)]
    link_local: bool,

    #[command(flatten)]
    container: ContainerFlag,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    control: ControlFlag,

    #[command(flatten)]
    ec2: Ec2Flag,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{}\n\n{}", environment::HELP, variables::HELP)
}

const EXAMPLES: &str = "\
Examples:
  imds run -- aws configure list           its credentials are of the type iam-role
  imds run -- sh -c 'curl -s $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/instance-type'
  imds run --link-local -- curl -s http://169.254.169.254/latest/meta-data/instance-type
  imds run --instance instance.toml --http-tokens required -- ./integration-tests
  imds run --require-v2 -- ./my-agent --once
  imds run --container -- aws configure list      its credentials are of the type container-role
  imds run --require-v2 --report report.xml -- ./my-agent --once
  imds run --scenario spot-interruption --scenario-speed 10 -- ./my-handler
  imds run --ec2-api -- aws ec2 describe-instances
  imds run --control -- sh -c './my-agent & imds ctl interrupt; wait'

It serves on a free port of 127.0.0.1 while the command runs, passes on signals
that ask it to end, and ends with its exit status: 128 + n where signal n ended
it, 127 where there is no such command, 126 where it cannot be run.

Without --credentials, and without a credentials-source in the description, its
credentials are made up: AWS refuses them, as in aws sts get-caller-identity.

With --require-v2 it lists at the end what was asked for without a session
token, and a command that succeeded ends with 1 then, as does one that asked for
nothing. Requests are answered as always: whether version 1 is, --http-tokens
says.

With --link-local the command reaches the service and its own 127.0.0.1, and no
other host, proxy or name server. --control is there too, at the same address.";

impl Run {
    pub fn run(mut self) -> anyhow::Result<ExitCode> {
        // First, while there are no threads. They are closed, for the command is not to
        // have what was passed to this program.
        drop(take_listeners()?);
        let namespace = if self.link_local { Some(NetworkNamespace::make()?) } else { None };
        self.options.container = self.container.container()?;
        let runtime = signals::runtime()?;
        let signals = {
            let _entered = runtime.enter();
            Signals::for_command()?
        };
        let open = || self.options.open();
        let ((control, description), signals) = signals::starting(&runtime, signals, signals::Asked::status, open)?;
        warnings::tell(&warnings::of_first(&control, &description), self.options.log_format);
        let log = self.options.log(control.runtime())?;
        let report = self.report.open()?;
        let asked = (self.require_v2 || report.is_some()).then(Asked::default);
        let clients = self.control.is_on().then(Clients::default);
        let processes = match &namespace {
            _ if asked.is_none() && clients.is_none() => None,
            Some(namespace) => Processes::inside(namespace)?,
            None => Processes::new(),
        };
        let metrics = self.control.is_on().then(Metrics::new);
        let page = metrics.clone().map(|metrics| {
            metrics.set_instances(1);
            Arc::new(Page { metrics, log: log.clone(), started: SystemTime::now() })
        });
        let attributing = Attributing { processes, asked: asked.clone(), clients: clients.clone() };
        // A journal that nobody can read would cost each request for nothing.
        let journal = self.control.is_on().then(|| control.journal().clone());
        let observer = ((log.clone(), attributing), (metrics, journal));
        let service = self.options.service(control.clone(), control.clock().clone(), observer);
        let (options, is_of_containers) = (&self.options, |name: &str| name.starts_with("AWS_CONTAINER_"));
        environment::note_other_credentials(|name| {
            options.credentials.keeps_out(name) || (options.container.is_some() && is_of_containers(name))
        });
        let (started, since) = (SystemTime::now(), Instant::now());
        let ended = runtime.block_on(self.run_beside(service, &control, (page, &log), clients, namespace, signals));
        let took = since.elapsed();
        // Connections that the command left open are not waited for.
        runtime.shutdown_background();
        let counts = asked.map(|asked| asked.counts()).unwrap_or_default();
        let verdict = match ended {
            Ok(Ended::With(status)) if self.require_v2 => Some(Verdict::of(&counts, status, self.link_local)),
            _ => None,
        };
        log.end_with(verdict.as_ref().map(Verdict::words));
        let (status, has_run) = match ended? {
            Ended::With(status) => (status, true),
            Ended::NotRun(status) => (status, false),
        };
        let verdict = verdict.as_ref();
        if let Some(report) = report {
            let program = self.program();
            report.write(&Reported { program, started, took, status, has_run, verdict, counts: &counts })?;
        }
        Ok(ExitCode::from(verdict.map_or(status, Verdict::status)))
    }

    /// The command without its arguments.
    fn program(&self) -> String {
        let program = self.command.first().map(|program| program.to_string_lossy());
        shown::lines(&program.unwrap_or_default())
    }

    async fn run_beside(
        &self,
        service: Service,
        control: &Control,
        (page, log): (Option<Arc<Page>>, &Log),
        clients: Option<Clients>,
        namespace: Option<NetworkNamespace>,
        mut signals: Signals,
    ) -> anyhow::Result<Ended> {
        let listeners = match &namespace {
            Some(namespace) => listen_inside(namespace, control, self.options.container.as_ref())?,
            None => vec![bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?],
        };
        let url = match (&namespace, &listeners[..]) {
            (None, [listener, ..]) => Some(url_for_clients(listener.local_addr()?)),
            _ => None,
        };
        let server = self.options.server(service);
        for listener in listeners {
            tokio::spawn(server.clone().serve(listener, std::future::pending()));
        }

        let (reload, mut reloads) = control::channel();
        let operands = Operands::One(control.clone());
        let api = self.ec2.is_on().then(|| Ec2Api::of_one(control.clone()));
        let ec2 = api.map(|api| Ec2::new(api, Some(operands.clone()), None));
        let place = self.control.for_command();
        let (beside, alone) = self.ec2.split(ec2, place.as_ref());
        let has_ec2_beside = beside.is_some();
        // It ends with this.
        let controlling = match (place, page, clients) {
            (Some(place), Some(page), Some(clients)) => {
                let operated = Operated { operands, page, clients, reload };
                Some(Controlling::start(&place, operated, beside, namespace.as_ref()).await?)
            }
            _ => None,
        };
        controlling.iter().for_each(|controlling| to_stderr(&controlling.ready()));
        let answering = Answering::start(self.ec2.for_command(), alone, log, namespace.as_ref()).await?;
        answering.iter().for_each(|answering| to_stderr(&answering.ready()));

        let Some((program, arguments)) = self.command.split_first() else {
            // clap lets no empty command through.
            return Ok(Ended::NotRun(2));
        };
        let mut command = Command::new(program);
        command.args(arguments);
        let endpoint = url.as_deref().map_or(Endpoint::LinkLocal, Endpoint::Told);
        self.options.credentials.keep_out(&mut command);
        environment::set(&mut command, endpoint, controlling.as_ref().map(|controlling| controlling.place.to_string()));
        if let Some(container) = &self.options.container {
            container.apply(&mut command, endpoint, control)?;
        }
        let beside = controlling.as_ref().filter(|_| has_ec2_beside).map(|controlling| controlling.place.to_string());
        if let Some(url) = answering.as_ref().map(Answering::url).or(beside) {
            environment::set_ec2(&mut command, &url, control)?;
        }
        let spawned = match &namespace {
            Some(namespace) => {
                let runtime = Handle::current();
                namespace.enter(|| {
                    let _runtime = runtime.enter();
                    command.spawn()
                })?
            }
            None => command.spawn(),
        };
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                if self.options.container.is_some() && ["ecs", "eks"].iter().any(|agent| program == agent) {
                    to_stderr(&format!("help: did you mean --container={}?", program.to_string_lossy()));
                }
                return Ok(Ended::NotRun(not_run(&program.to_string_lossy(), &error)));
            }
        };
        // Without a thread they are made at first need.
        let _ = control.instance().sign_ahead();
        let mut asked_before = false;
        loop {
            tokio::select! {
                status = child.wait() => {
                    if self.require_v2 || self.report.is_given() {
                        // What was sent last may still be on its way.
                        tokio::time::sleep(LAST_REQUESTS).await;
                    }
                    return Ok(Ended::With(exit_code(status.context("cannot wait for the command")?)));
                }
                (_, client) = reloads.next() => {
                    let done = tokio::task::block_in_place(|| self.options.read_again(control));
                    if let Err(error) = &done {
                        failure::report(error);
                    }
                    // It may have gone.
                    let _ = client.send(done.map(|read| read.done));
                }
                asked = signals.any() => {
                    // What the terminal sent, the command has: what happens now is its choice.
                    // It gets the second one in any case, for it may have left the terminal.
                    if asked_before || !asked.is_from_terminal() {
                        asked.pass_on(&child);
                    }
                    asked_before = true;
                }
            }
        }
    }
}

/// Listens where EC2 does, and where the agent of a container does, in a network of
/// its own.
fn listen_inside(
    namespace: &NetworkNamespace,
    control: &Control,
    container: Option<&Container>,
) -> anyhow::Result<Vec<TcpListener>> {
    let serves_ipv6 = MetadataOptions::of(control)?.ipv6;
    let listen = |address: SocketAddr| {
        namespace.add_address(address.ip())?;
        bind_inside(namespace, "--link-local", address)
    };
    let addresses = link_local::addresses(serves_ipv6).into_iter().chain(container.map(Container::address));
    addresses.map(listen).collect()
}

/// A request of a command that ended has come by then.
const LAST_REQUESTS: Duration = Duration::from_millis(100);

/// The command's end, as an exit status.
enum Ended {
    NotRun(u8),
    With(u8),
}

/// As shells do.
fn not_run(program: &str, error: &io::Error) -> u8 {
    to_stderr(&format!("imds: cannot run {program}: {error}"));
    match error.kind() {
        ErrorKind::NotFound => 127,
        _ => 126,
    }
}

#[cfg(unix)]
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
