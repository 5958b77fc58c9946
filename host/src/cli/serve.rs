// `imds serve`.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use imds_host::{Limits, Service};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::listen::{bind, url_for_clients};
use super::options::Options;
use super::print::to_stderr;
use super::signals::{self, Signals};

/// Serve an instance until SIGINT or SIGTERM
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    #[command(flatten)]
    options: Options,

    /// An address to listen on; repeatable, port 0 picks one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1338")]
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
        let service = self.options.service()?;
        signals::runtime()?.block_on(self.serve(service))
    }

    async fn serve(self, service: Service) -> anyhow::Result<ExitCode> {
        let mut signals = Signals::new()?;
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
            serving.spawn(imds_host::serve(listener, service.clone(), Limits::default(), shutdown));
        }
        to_stderr(&self.welcome(&addresses));

        signals.any().await;
        drop(stop);
        while serving.join_next().await.is_some() {}
        Ok(ExitCode::SUCCESS)
    }

    /// What a newcomer needs next.
    fn welcome(&self, addresses: &[SocketAddr]) -> String {
        let mut lines: Vec<String> =
            addresses.iter().map(|address| format!("imds: listening on http://{address}")).collect();
        for address in addresses.iter().filter(|address| !address.ip().is_loopback()) {
            lines.push(format!(
                "imds: warning: whoever can reach {address} gets the credentials and user data of the description"
            ));
        }
        let Some(address) = addresses.first() else {
            return lines.join("\n");
        };
        let url = url_for_clients(*address);
        let program = program();
        lines.push(format!(
            "\n\
             SDKs and the AWS CLI use it after\n  \
             export AWS_EC2_METADATA_SERVICE_ENDPOINT={url}\n\
             By hand, version 2:\n  \
             curl -H \"X-aws-ec2-metadata-token: $(curl -sX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' {url}/latest/api/token)\" {url}/latest/meta-data/"
        ));
        lines.push(match &self.options.instance {
            Some(file) => format!("The instance is described in {}", file.display()),
            None => format!(
                "This is the default instance. To change it:\n  \
                 {program} new > instance.toml\n  \
                 {program} serve --instance instance.toml"
            ),
        });
        lines.push(String::new());
        lines.join("\n")
    }
}

/// How the program was called, so that the lines above can be pasted.
fn program() -> String {
    let called = env::args_os().next().and_then(|name| name.into_string().ok());
    let plain =
        |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    called.filter(plain).unwrap_or_else(|| "imds".into())
}
