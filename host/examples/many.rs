//! Serves many instances from one process, each on a port of its own:
//! `cargo run --example many`.
//!
//! A platform does the same with an address, an interface or a socket for each
//! guest: what a guest cannot forge tells which instance it is.

use std::collections::HashMap;
use std::error::Error;
use std::future::pending;

use hyper::http::request::Parts;
use imds_host::{Caller, Description, Instance, Limits, Runtime, Service, Settings, serve};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let mut instances: HashMap<u16, Instance> = HashMap::new();
    let mut listeners = Vec::new();
    for number in 1..=3 {
        let mut description = Description::default();
        description.set_text("/instance-id", &format!("i-{number:017x}"), "many.rs");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        println!("curl http://{address}/latest/meta-data/instance-id");
        instances.insert(address.port(), runtime.open(&description, &Settings::default())?);
        listeners.push(listener);
    }

    // Whom this picks nothing for gets 403.
    let service = Service::new(move |caller: &Caller, _: &Parts| -> Option<Instance> {
        instances.get(&caller.local?.port()).cloned()
    });
    // Until somebody ends the process; a server of yours has its own signal.
    let served = listeners.into_iter().map(|listener| serve(listener, service.clone(), Limits::default(), pending()));
    JoinSet::from_iter(served).join_all().await;
    Ok(())
}
