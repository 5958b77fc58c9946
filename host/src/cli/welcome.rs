// What `imds serve` prints when it is ready.

use std::env;
use std::net::SocketAddr;
use std::path::Path;

use imds_host::{CallerKey, Control, Instances as _, Outcome, Runtime};

use super::instances::Many;
use super::link_local;
use super::listen::{for_clients, url_for_clients};
use super::options::name;

/// A line for each listener, and one for the metrics. `what_can_be_had` says what
/// those get who can reach a listener.
pub fn ready(addresses: &[SocketAddr], what_can_be_had: &str, metrics: Option<SocketAddr>) -> String {
    let mut lines: Vec<String> =
        addresses.iter().map(|address| format!("imds: listening on http://{address}")).collect();
    for address in addresses.iter().filter(|address| !address.ip().is_loopback()) {
        lines.push(format!("imds: warning: any client that can reach {address} {what_can_be_had}"));
    }
    if let Some(address) = metrics {
        lines.push(format!("imds: metrics on http://{address}/metrics"));
        if !address.ip().is_loopback() {
            lines.push(format!("imds: warning: any client that can reach {address} can read the metrics"));
        }
    }
    lines.join("\n")
}

/// What a newcomer needs next.
pub fn welcome(addresses: &[SocketAddr], options: &MetadataOptions, description: Option<&Path>) -> String {
    let mut lines = vec![String::new()];
    let answering = addresses.iter().find(|address| options.refusal(**address).is_none());
    lines.push(match (answering, addresses.first().and_then(|address| options.refusal(*address))) {
        (Some(address), _) => how_to_ask(*address),
        (None, Some(refusal)) => format!("\nEvery request gets 403: {refusal}"),
        (None, None) => String::new(),
    });
    lines.push(match description {
        Some(file) => format!("The instance was read from {}", name(file)),
        None => {
            let program = program();
            format!(
                "This is the default instance. To change it:\n  \
                 {program} new > instance.toml\n  \
                 {program} serve --instance instance.toml"
            )
        }
    });
    lines.push(String::new());
    lines.join("\n")
}

/// How many instances there are, and whose is whose.
pub fn welcome_many(Many { guests, path, .. }: &Many) -> String {
    let callers = guests.callers();
    let by = match callers {
        CallerKey::ClientAddress => "the client's address",
        CallerKey::Listener => "the address that it came to",
        CallerKey::Header(_) => "the header field",
        _ => "the name in Host",
    };
    let (number, path) = (guests.len(), name(path));
    format!(
        "\n\
         Instances read from {path}: {number}\n\
         The instance that answers depends on {by} (--caller {callers}); callers without an instance get 403\n"
    )
}

/// Which of the metadata options are enabled now. A request would tell less, where
/// the instance does not run, and would count as one of a client.
pub struct MetadataOptions {
    runtime: Runtime,
    endpoint: bool,
    pub ipv6: bool,
}

impl MetadataOptions {
    pub fn of(control: &Control) -> anyhow::Result<Self> {
        let options = control.snapshot()?.metadata_options;
        Ok(Self {
            runtime: control.runtime().clone(),
            endpoint: options.http_endpoint == "enabled",
            ipv6: options.http_protocol_ipv6 == "enabled",
        })
    }

    /// Why nobody gets an answer at this address.
    fn refusal(&self, address: SocketAddr) -> Option<String> {
        let reason = |outcome| &self.runtime.explain(outcome).reason;
        if !self.endpoint {
            return Some(reason(Outcome::EndpointDisabled).clone());
        }
        let over_ipv6 = for_clients(address).ip().to_canonical().is_ipv6();
        (over_ipv6 && !self.ipv6)
            .then(|| format!("{}; to allow it: --http-protocol-ipv6 enabled", reason(Outcome::Ipv6Disabled)))
    }
}

// Quoted for shells in which the brackets of an IPv6 address are a pattern.
fn how_to_ask(address: SocketAddr) -> String {
    let url = url_for_clients(address);
    let sdks = if link_local::is_endpoint(address) {
        "SDKs and the AWS CLI find it by themselves".to_owned()
    } else {
        format!("SDKs and the AWS CLI use it after\n  export AWS_EC2_METADATA_SERVICE_ENDPOINT={url}")
    };
    format!(
        "\n{sdks}\n\
         By hand, version 2:\n  \
         curl -H \"X-aws-ec2-metadata-token: $(curl -sX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' '{url}/latest/api/token')\" '{url}/latest/meta-data/'"
    )
}

/// How the program was called, so that the lines above can be pasted.
fn program() -> String {
    let called = env::args_os().next().and_then(|name| name.into_string().ok());
    let plain =
        |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    called.filter(plain).unwrap_or_else(|| "imds".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_reach_is_warned_of() {
        let [here, everywhere] = ["127.0.0.1:1338", "0.0.0.0:1339"].map(|address| address.parse().unwrap());
        let warnings = |listener, metrics| {
            let lines = ready(&[listener], "gets all", Some(metrics));
            lines.lines().filter_map(|line| line.strip_prefix("imds: warning: ")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(warnings(here, here), [""; 0]);
        assert_eq!(warnings(everywhere, here), ["any client that can reach 0.0.0.0:1339 gets all"]);
        assert_eq!(warnings(here, everywhere), ["any client that can reach 0.0.0.0:1339 can read the metrics"]);
    }
}
