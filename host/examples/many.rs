//! Serves many instances from one process, each on a port of its own:
//! `cargo run --example many`.
//!
//! A platform does the same with an address, an interface or a socket for each
//! guest: what a guest cannot forge tells which instance it is.

use std::error::Error;
use std::future::pending;

use imds_host::{CallerKey, Description, Fleet, Runtime, Server, Service};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let fleet = Fleet::new(&Runtime::new()?, CallerKey::Listener)?;
    let mut listeners = Vec::new();
    for number in 1..=3 {
        let mut description = Description::default();
        description.set_text("/instance-id", &format!("i-{number:017x}"), "many.rs");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        println!("curl http://{address}/latest/meta-data/instance-id");
        fleet.insert(&address.to_string(), &description)?;
        listeners.push(listener);
    }
    fleet.make_keys_ahead()?;

    // Who has no instance gets 403. A clone of the fleet takes in more, and takes out, while these are served.
    let server = Server::new(Service::new(fleet));
    // Until somebody ends the process; a server of yours has its own signal.
    let served = listeners.into_iter().map(|listener| server.clone().serve(listener, pending()));
    JoinSet::from_iter(served).join_all().await;
    Ok(())
}
