// `imds serve`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::Args;
use imds_host::Instance;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::link_local::{self, LinkLocal};
use super::listen::{bind, bind_present};
use super::log::Log;
use super::notify;
use super::options::Options;
use super::print::to_stderr;
use super::signals::{self, Signals};
use super::socket_activation::take_listeners;
use super::values::address;
use super::welcome::{refusal, welcome};

/// Serve an instance until SIGINT, SIGTERM or SIGHUP
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    #[command(flatten)]
    options: Options,

    /// An address to listen on; repeatable, port 0 picks one. Without it and
    /// without other listeners: 127.0.0.1:1338
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    listen: Vec<SocketAddr>,

    #[command(flatten)]
    link_local: LinkLocal,
}

/// Where it listens unless it is told.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1338);

const EXAMPLES: &str = "\
Examples:
  imds serve --instance instance.toml --http-tokens required
  imds serve --listen 127.0.0.1:0 --listen [::1]:0
  imds serve --instance instance.toml --user-data cloud-init.yaml --log all
  imds serve --link-local --add-addresses

When it is ready, it prints one line for each listener to standard error:
  imds: listening on http://127.0.0.1:1338

Sockets that systemd passes by LISTEN_FDS are listened on too.";

impl Serve {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        // First, while there are no threads.
        let passed = take_listeners()?;
        let instance = self.options.open()?;
        let log = self.options.log()?;
        let runtime = signals::runtime()?;
        let code = runtime.block_on(self.serve(instance, passed, &log));
        // Keys that are still being made are not waited for.
        runtime.shutdown_background();
        log.end();
        code
    }

    async fn serve(
        self,
        instance: Instance,
        passed: Vec<std::net::TcpListener>,
        log: &Log,
    ) -> anyhow::Result<ExitCode> {
        let service = self.options.service(instance.clone(), log);
        let mut signals = Signals::that_stop()?;
        let link_local = self.link_local.addresses(refusal(&instance, link_local::over_ipv6()).is_none());
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

        let mut addresses = Vec::new();
        let (stop, stopped) = watch::channel(());
        let mut serving = JoinSet::new();
        for listener in listeners {
            addresses.push(listener.local_addr()?);
            let mut stopped = stopped.clone();
            let shutdown = async move {
                // Ends when the sender is dropped.
                let _ = stopped.changed().await;
            };
            serving.spawn(imds_host::serve(listener, service.clone(), self.options.limits(), shutdown));
        }
        to_stderr(&welcome(&addresses, &instance, self.options.instance.as_deref()));
        notify::ready();

        signals.any().await;
        notify::stopping();
        drop(stop);
        tokio::select! {
            () = async { while serving.join_next().await.is_some() {} } => {}
            // Who asks again does not want to wait.
            _ = signals.any() => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}
