// Listeners, and what to do where there is none to be had.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use anyhow::Context;
use tokio::net::TcpListener;

/// Binds an address.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address}")).map_err(|error| {
        match error.downcast_ref().and_then(|e| advice(e, address)) {
            Some(advice) => anyhow::anyhow!("{error:#}\n{advice}"),
            None => error,
        }
    })
}

/// The URL by which a client on this machine reaches a listener.
pub fn url_for_clients(address: SocketAddr) -> String {
    format!("http://{}", for_clients(address))
}

/// The address by which a client on this machine reaches a listener.
pub fn for_clients(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            IpAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        });
    }
    address
}

fn advice(error: &io::Error, address: SocketAddr) -> Option<String> {
    let ip = address.ip();
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    Some(match error.kind() {
        ErrorKind::AddrInUse => {
            format!("help: another process listens there; stop it, or let imds pick a port: --listen {host}:0")
        }
        ErrorKind::PermissionDenied => format!(
            "help: ports below 1024 take a privilege: run imds as root, or with CAP_NET_BIND_SERVICE, or choose a higher port: --listen {host}:1338"
        ),
        ErrorKind::AddrNotAvailable => format!(
            "help: no network interface of this machine has that address; on Linux `ip address add {ip} dev lo` gives it one"
        ),
        _ => return None,
    })
}
