// `--control`: what an operator asks and changes while the instance is served, on a
// listener of its own. `/openapi.json` describes it.

mod body;
mod clock;
mod document;
mod guard;
mod instance;
mod instances;
mod item;
mod operands;
mod place;
mod precondition;
mod reload;
mod reply;
mod requests;
mod routes;
mod secret;
mod shapes;
#[cfg(unix)]
mod socket;
mod turns;
mod web_page;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use hyper_util::service::TowerToHyperService;
use tokio::task::{JoinHandle, spawn};

pub use self::operands::Operands;
pub use self::place::{DEFAULT, Place, VARIABLE};
use self::reload::Reload;
pub use self::reload::{Asked, NoFile, channel};
use super::ec2::{self, Ec2};
use super::listen::{bind_for, bind_inside};
use super::metrics::Page;
use super::network_namespace::NetworkNamespace;
use super::operator::{self, Bounds, Listener};
use super::process::Clients;

#[derive(Args)]
pub struct ControlFlag {
    /// Take orders from imds ctl and others on this machine, here: a loopback address, or a path for a Unix
    /// socket. Without a value, imds serve takes 127.0.0.1:1340 and imds run a free port
    #[arg(long, value_name = "ADDR:PORT|PATH", value_parser = Where::parse, num_args = 0..=1, default_missing_value = "")]
    control: Option<Where>,
}

/// Where the flag says.
#[derive(Clone)]
enum Where {
    ByDefault,
    At(Place),
}

impl Where {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(Self::ByDefault) } else { Place::to_listen_on(text).map(Self::At) }
    }
}

/// People with a browser, programs that wait for requests to come, and changes.
/// The oldest goes for one more. A connection lives no longer than a client may
/// wait, and some seconds for the rest.
const BOUNDS: Bounds = Bounds {
    connections: 64,
    head: Duration::from_secs(5),
    connection: requests::WAIT_MAX.saturating_add(Duration::from_secs(15)),
};

/// What the listener tells of and changes.
pub struct Operated {
    pub operands: Operands,
    pub page: Arc<Page>,
    /// The processes that ask by version 1.
    pub clients: Clients,
    pub reload: Reload,
}

/// The listener; it ends, and its socket goes, when it is dropped.
pub struct Controlling {
    /// Where it is.
    pub place: Place,
    has_ec2: bool,
    serving: Vec<JoinHandle<()>>,
    #[cfg(unix)]
    _file: Option<socket::SocketFile>,
}

impl ControlFlag {
    /// Whether there is to be such a listener.
    pub fn is_on(&self) -> bool {
        self.control.is_some()
    }

    /// Where `imds serve` has it.
    pub fn for_server(&self) -> Option<Place> {
        self.or(DEFAULT)
    }

    /// Where `imds run` has it.
    pub fn for_command(&self) -> Option<Place> {
        self.or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    fn or(&self, default: SocketAddr) -> Option<Place> {
        self.control.as_ref().map(|place| match place {
            Where::ByDefault => Place::Tcp(default),
            Where::At(place) => place.clone(),
        })
    }
}

impl Controlling {
    /// Listens at a place; from then on clients are answered. A command in a network
    /// of its own has the same place in there. Calls of EC2's API are answered too, if
    /// that is given.
    pub async fn start(
        place: &Place,
        operated: Operated,
        ec2: Option<Ec2>,
        inside: Option<&NetworkNamespace>,
    ) -> anyhow::Result<Self> {
        let log = operated.page.log.clone();
        let (router, has_ec2) = (routes::router(operated)?, ec2.is_some());
        let router = match ec2 {
            Some(ec2) => ec2.beside(router),
            None => router,
        };
        let service = TowerToHyperService::new(router);
        let serve = |listener| spawn(operator::serve(listener, BOUNDS, log.clone(), service.clone()));
        match place {
            Place::Tcp(address) => {
                let listener = bind_for("--control", *address).await?;
                let address = listener.local_addr()?;
                let place = Place::Tcp(address);
                let mut serving = vec![serve(Listener::Tcp(listener))];
                if let Some(inside) = inside {
                    serving.push(serve(Listener::Tcp(bind_inside(inside, "--control", address)?)));
                }
                #[cfg(unix)]
                return Ok(Self { place, has_ec2, serving, _file: None });
                #[cfg(not(unix))]
                return Ok(Self { place, has_ec2, serving });
            }
            #[cfg(unix)]
            Place::Path(path) => {
                // A command may go to another directory and look for it there.
                let path = std::path::absolute(path)?;
                let (listener, file) = socket::bind(&path)?;
                let serving = vec![serve(Listener::Unix(listener))];
                Ok(Self { place: Place::Path(path), has_ec2, serving, _file: Some(file) })
            }
            #[cfg(not(unix))]
            Place::Path(_) => anyhow::bail!("there are no Unix sockets on this system"),
        }
    }

    /// The lines that scripts read when all is ready.
    pub fn ready(&self) -> String {
        let control = format!("imds: control on {}", self.place);
        if self.has_ec2 { format!("{control}\n{}", ec2::ready(&self.place)) } else { control }
    }
}

impl Drop for Controlling {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}
