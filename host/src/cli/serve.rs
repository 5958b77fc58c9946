// `imds serve`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use imds_host::Metrics;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

use super::control::{self, ControlFlag, Controlling, Operated};
use super::ec2::{Answering, Ec2, Ec2Flag};
use super::failure::{self, WrongUse};
use super::instances::Instances;
use super::link_local::LinkLocal;
use super::listen::{bind, bind_for, bind_present};
use super::log::{Format, Log};
use super::metrics::{self, Page};
use super::notify;
use super::options::Options;
use super::print::to_stderr;
use super::served::Served;
use super::signals::{self, Asked, Signals};
use super::socket_activation::take_listeners;
use super::values::{address, metrics_address};
use super::variables;
use super::watch::Watch;

/// Serve an instance, or many, until SIGINT or SIGTERM; SIGHUP reads the
/// description again
#[derive(Args)]
#[command(after_help = after_help())]
pub struct Serve {
    #[command(flatten)]
    options: Options,

    #[command(flatten)]
    instances: Instances,

    /// Read the description again when its file changes, as SIGHUP does. A wrong
    /// description changes nothing, and the log says why
    #[arg(long)]
    watch: bool,

    /// An address to listen on; repeatable, port 0 picks one. Without it and
    /// without other listeners: 127.0.0.1:1338
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    listen: Vec<SocketAddr>,

    #[command(flatten)]
    link_local: LinkLocal,

    /// An address to serve metrics for Prometheus on, at /metrics; and /health
    #[arg(long, value_name = "ADDR:PORT", value_parser = metrics_address)]
    metrics: Option<SocketAddr>,

    #[command(flatten)]
    control: ControlFlag,

    #[command(flatten)]
    ec2: Ec2Flag,
}

/// Where it listens unless it is told.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1338);

const NOTHING_TO_WATCH: &str = "--watch needs a file to watch: --instance FILE, --instances PATH or --scenario FILE";

const EXAMPLES: &str = "\
Examples:
  imds serve --instance instance.toml --http-tokens required
  imds serve --set instance-type=m7g.large --set tags.Name=web-1
  imds serve --listen 127.0.0.1:0 --listen [::1]:0
  imds serve --instance instance.toml --user-data cloud-init.yaml --log all
  imds serve --scenario spot-interruption --scenario-speed 10
  imds serve --instances guests/ --caller client-address
  imds serve --link-local --add-addresses
  imds serve --metrics 127.0.0.1:1339 --log-format json
  imds serve --control                     and then, elsewhere: imds ctl show
  imds serve --ec2-api                     and then: aws ec2 describe-instances --endpoint-url http://127.0.0.1:1341

When it is ready, it prints one line for each listener to standard error:
  imds: listening on http://127.0.0.1:1338

Sockets that systemd passes by LISTEN_FDS are listened on too.";

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{}", variables::HELP)
}

impl Serve {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        // First, while there are no threads.
        let passed = take_listeners()?;
        if self.watch && self.files().is_empty() {
            return Err(WrongUse(NOTHING_TO_WATCH.to_owned()).into());
        }
        // Before the files are read: what changes from then on is seen.
        let watch = self.watch.then(|| Watch::new(self.files()));
        let runtime = signals::runtime()?;
        let signals = {
            let _entered = runtime.enter();
            Signals::for_server()?
        };
        let open = || {
            Ok(match self.instances.open(&self.options, self.control.is_on() || self.ec2.is_on())? {
                Some(many) => Served::Many(many),
                None => {
                    let (control, description) = self.options.open()?;
                    Served::One(control, description)
                }
            })
        };
        let (served, signals) = signals::starting(&runtime, signals, |_| 0, open)?;
        let log = self.options.log(served.runtime())?;
        let code = runtime.block_on(self.serve(served, passed, watch, signals, &log));
        // Keys that are still being made are not waited for.
        runtime.shutdown_background();
        log.end();
        code
    }

    /// The files that describe what is served.
    fn files(&self) -> Vec<PathBuf> {
        self.options.files().into_iter().chain(self.instances.path().cloned()).collect()
    }

    async fn serve(
        self,
        served: Served,
        passed: Vec<std::net::TcpListener>,
        watch: Option<Watch>,
        mut signals: Signals,
        log: &Log,
    ) -> anyhow::Result<ExitCode> {
        let started = SystemTime::now();
        let metrics = (self.metrics.is_some() || self.control.is_on()).then(Metrics::new);
        let page = metrics.clone().map(|metrics| Arc::new(Page { metrics, log: log.clone(), started }));
        // A journal that nobody can read would cost each request for nothing.
        let journal = served.journal().filter(|_| self.control.is_on()).cloned();
        let clients = self.control.is_on().then(|| served.clients());
        let observer = ((log.clone(), metrics.clone()), (journal, clients.clone()));
        let server = self.options.server(served.service(&self.options, observer));
        // Before anybody knows that it serves: the terminal may be closed right then.
        let had_terminal = signals::has_terminal();
        let link_local = self.link_local.addresses(served.is_over_ipv6(&self.options)?);
        // Removed at the end, whatever comes.
        let _added = self.link_local.add(&link_local).await?;
        let mut listeners = passed.into_iter().map(TcpListener::from_std).collect::<Result<Vec<_>, _>>()?;
        for address in &self.listen {
            listeners.push(bind(*address).await?);
        }
        for address in &link_local {
            listeners.push(bind_present(*address).await?);
        }
        if listeners.is_empty() {
            listeners.push(bind(LISTEN).await?);
        }
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
        self.options.credentials.listen(&addresses)?;
        let metrics_listener = match self.metrics {
            Some(address) => Some(bind_for("--metrics", address).await?),
            None => None,
        };
        let (reload, mut reloads) = control::channel();
        let ec2 = match self.ec2.is_on() {
            true => served.ec2_api(&self.options)?.map(|api| Ec2::new(api, served.operands(), metrics.clone())),
            false => None,
        };
        let place = self.control.for_server();
        let (beside, alone) = self.ec2.split(ec2, place.as_ref());
        let controlling = match (place, served.operands(), page.clone(), clients) {
            (Some(place), Some(operands), Some(page), Some(clients)) => {
                Some(Controlling::start(&place, Operated { operands, page, clients, reload }, beside, None).await?)
            }
            _ => None,
        };
        let answering = Answering::start(self.ec2.for_server(), alone, log, None).await?;

        let (stop, stopped) = watch::channel(());
        let mut serving = JoinSet::new();
        for listener in listeners {
            let mut stopped = stopped.clone();
            let shutdown = async move {
                // Ends when the sender is dropped.
                let _ = stopped.changed().await;
            };
            serving.spawn(server.clone().serve(listener, shutdown));
        }
        let mut telling = JoinSet::new();
        let mut metrics_address = None;
        if let Some(metrics) = &metrics {
            metrics.set_instances(served.instances());
        }
        if let (Some(listener), Some(page)) = (metrics_listener, page) {
            metrics_address = Some(listener.local_addr()?);
            telling.spawn(metrics::serve(listener, page));
        }
        let mut ready = served.ready(&addresses, metrics_address);
        ready.extend(controlling.iter().map(|controlling| format!("\n{}", controlling.ready())));
        ready.extend(answering.iter().map(|answering| format!("\n{}", answering.ready())));
        to_stderr(&match self.options.log_format {
            Format::Text => ready + &served.welcome(&addresses, &self.options)?,
            // Nobody reads it who would want help.
            Format::Json => ready,
        });
        notify::ready();
        served.tell_warnings(self.options.log_format);
        served.make_keys_ahead();

        let serve = Arc::new(self);
        // Where its terminal was closed, nobody is left who wants it.
        let stops = |asked| asked != Asked::Hangup || (had_terminal && !signals::has_terminal());
        let served = Arc::new(served);
        serve.read_again_until_stopped(&served, metrics.as_ref(), watch, (&mut signals, stops), &mut reloads).await;
        notify::stopping();
        drop(stop);
        // Who asks for its health is to know that it ends.
        telling.abort_all();
        drop((controlling, answering));
        tokio::select! {
            () = async { while serving.join_next().await.is_some() {} } => {}
            // Who asks again does not want to wait.
            _ = signals.any() => {}
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Reads the description again when it is asked for, until a signal asks to
    /// stop, which `stops` tells. That signal does not wait for a description that is
    /// being read.
    async fn read_again_until_stopped(
        self: Arc<Self>,
        served: &Arc<Served>,
        metrics: Option<&Metrics>,
        mut watch: Option<Watch>,
        (signals, stops): (&mut Signals, impl Fn(Asked) -> bool),
        reloads: &mut control::Asked,
    ) {
        let mut changed = async || match &mut watch {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        };
        let mut asked_meanwhile = false;
        loop {
            let (mut client, mut key) = (None, None);
            if !std::mem::take(&mut asked_meanwhile) {
                tokio::select! {
                    () = changed() => {}
                    (one, asked) = reloads.next() => (key, client) = (one, Some(asked)),
                    asked = signals.any() => {
                        if stops(asked) {
                            return;
                        }
                    }
                }
            }
            // Many take a while.
            let (serve, again) = (Arc::clone(&self), Arc::clone(served));
            let mut reading =
                spawn_blocking(move || again.read_again(&serve.options, &serve.instances, key.as_deref()));
            let done = loop {
                tokio::select! {
                    done = &mut reading => break done.unwrap_or_else(|failed| Err(failed.into())),
                    asked = signals.any() => {
                        if stops(asked) {
                            return;
                        }
                        asked_meanwhile = true;
                    }
                }
            };
            match &done {
                Ok(done) => to_stderr(&format!("imds: {done}")),
                Err(error) => {
                    failure::report(error);
                    to_stderr("imds: nothing was changed");
                }
            }
            if let Some(metrics) = metrics {
                metrics.set_instances(served.instances());
            }
            if let Some(client) = client {
                // It may have gone.
                let _ = client.send(done.map(|read| read.done));
            }
        }
    }
}
