// `--ec2-api`: EC2's own API, by which unmodified clients operate what is served.

mod http;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use hyper::service::service_fn;
use tokio::task::{JoinHandle, spawn};

pub use self::http::Ec2;
use super::control::Place;
use super::listen::{bind_for, bind_inside};
use super::log::Log;
use super::network_namespace::NetworkNamespace;
use super::operator::{self, Bounds, Listener};

#[derive(Args)]
pub struct Ec2Flag {
    /// Answer EC2's own API, for aws ec2, boto3 and other SDKs on this machine, here: a loopback address. Without a
    /// value, the listener of --control if there is one, else 127.0.0.1:1341 and with imds run a free port
    #[arg(long, value_name = "ADDR:PORT", value_parser = Where::parse, num_args = 0..=1, default_missing_value = "")]
    ec2_api: Option<Where>,
}

/// Where the flag says.
#[derive(Clone, Copy)]
enum Where {
    ByDefault,
    At(SocketAddr),
}

impl Where {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::ByDefault);
        }
        match Place::to_listen_on(text)? {
            Place::Tcp(address) => Ok(Self::At(address)),
            Place::Path(_) => Err("SDKs ask no Unix socket; expected an address such as 127.0.0.1:1341".to_owned()),
        }
    }
}

/// Where `imds serve` has it unless it is told.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1341);

/// An SDK has ten connections at once, and the tests of a machine have some. A call
/// that launches a thousand instances takes seconds.
const BOUNDS: Bounds = Bounds { connections: 64, head: Duration::from_secs(5), connection: Duration::from_secs(60) };

impl Ec2Flag {
    /// Whether the API is to be answered.
    pub fn is_on(&self) -> bool {
        self.ec2_api.is_some()
    }

    /// The API for the listener of `--control`, if that is at this place, and for a
    /// listener of its own: for one of them.
    pub fn split(&self, ec2: Option<Ec2>, control: Option<&Place>) -> (Option<Ec2>, Option<Ec2>) {
        match (self.ec2_api, control) {
            (Some(Where::ByDefault), Some(Place::Tcp(_))) => (ec2, None),
            _ => (None, ec2),
        }
    }

    /// Where `imds serve` answers.
    pub fn for_server(&self) -> Option<SocketAddr> {
        self.or(LISTEN)
    }

    /// Where `imds run` answers.
    pub fn for_command(&self) -> Option<SocketAddr> {
        self.or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    fn or(&self, default: SocketAddr) -> Option<SocketAddr> {
        self.ec2_api.map(|place| match place {
            Where::ByDefault => default,
            Where::At(address) => address,
        })
    }
}

/// The listener; it ends when it is dropped.
pub struct Answering {
    address: SocketAddr,
    serving: Vec<JoinHandle<()>>,
}

impl Answering {
    /// Listens at an address; from then on clients are answered. A command in a network
    /// of its own has the same address in there. None where there is nothing to do.
    pub async fn start(
        address: Option<SocketAddr>,
        ec2: Option<Ec2>,
        log: &Log,
        inside: Option<&NetworkNamespace>,
    ) -> anyhow::Result<Option<Self>> {
        let (Some(address), Some(ec2)) = (address, ec2) else { return Ok(None) };
        let service = service_fn(move |request| {
            let ec2 = ec2.clone();
            async move { Ok::<_, Infallible>(ec2.answer(request).await) }
        });
        let serve = |listener| spawn(operator::serve(Listener::Tcp(listener), BOUNDS, log.clone(), service.clone()));
        let listener = bind_for("--ec2-api", address).await?;
        let address = listener.local_addr()?;
        let mut serving = vec![serve(listener)];
        if let Some(inside) = inside {
            serving.push(serve(bind_inside(inside, "--ec2-api", address)?));
        }
        Ok(Some(Self { address, serving }))
    }

    /// Where SDKs find it.
    pub fn url(&self) -> String {
        Place::Tcp(self.address).to_string()
    }

    /// The line that scripts read when all is ready.
    pub fn ready(&self) -> String {
        ready(&Place::Tcp(self.address))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

/// The line that scripts read when all is ready.
pub fn ready(place: &Place) -> String {
    format!("imds: EC2 API on {place}")
}
