// `imds serve`.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use imds_host::Instance;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::listen::bind;
use super::log::Log;
use super::options::Options;
use super::print::to_stderr;
use super::signals::{self, Signals};
use super::values::address;
use super::welcome::welcome;

/// Serve an instance until SIGINT or SIGTERM
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    #[command(flatten)]
    options: Options,

    /// An address to listen on; repeatable, port 0 picks one
    #[arg(long, value_name = "ADDR:PORT", value_parser = address, default_value = "127.0.0.1:1338")]
    listen: Vec<SocketAddr>,
}

const EXAMPLES: &str = "\
Examples:
  imds serve --instance instance.toml --http-tokens required
  imds serve --listen 127.0.0.1:0 --listen [::1]:0
  imds serve --instance instance.toml --user-data cloud-init.yaml --log all

When it is ready, it prints one line for each listener to standard error:
  imds: listening on http://127.0.0.1:1338";

impl Serve {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let instance = self.options.open()?;
        let log = self.options.log()?;
        let runtime = signals::runtime()?;
        let code = runtime.block_on(self.serve(instance, &log));
        // Keys that are still being made are not waited for.
        runtime.shutdown_background();
        log.end();
        code
    }

    async fn serve(self, instance: Instance, log: &Log) -> anyhow::Result<ExitCode> {
        let service = self.options.service(instance.clone(), log);
        let mut signals = Signals::that_stop()?;
        let mut listeners = Vec::new();
        for address in &self.listen {
            listeners.push(bind(*address).await?);
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

        signals.any().await;
        drop(stop);
        tokio::select! {
            () = async { while serving.join_next().await.is_some() {} } => {}
            // Who asks again does not want to wait.
            _ = signals.any() => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}
