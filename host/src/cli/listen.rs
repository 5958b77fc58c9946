// Listeners, and what to do where there is none to be had.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::{env, fs};

use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::link_local;
use super::network_namespace::NetworkNamespace;

/// Binds an address that `--listen` names.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    bind_for("--listen", address).await
}

/// Binds an address that this flag names.
pub async fn bind_for(flag: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| failed(error, flag, address))
}

/// Binds an address in a network namespace. To be called on a runtime.
pub fn bind_inside(namespace: &NetworkNamespace, flag: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let runtime = Handle::current();
    // The socket is made where it is asked for: on the thread inside.
    namespace.enter(|| runtime.block_on(bind_for(flag, address)))?
}

/// Binds an address that this machine must have. Where nothing is set up yet, as
/// in a new network namespace, Linux lets a socket have any.
pub async fn bind_present(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = bind(address).await?;
    if is_present(address)? {
        return Ok(listener);
    }
    Err(failed(ErrorKind::AddrNotAvailable.into(), "--listen", address))
}

/// Whether packets to an address stay on this machine; none is sent.
pub fn is_present(address: SocketAddr) -> io::Result<bool> {
    let any = match address.ip() {
        IpAddr::V4(_) => IpAddr::from([0; 4]),
        IpAddr::V6(_) => IpAddr::from([0; 16]),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Fails where there is no way to it.
    Ok(socket.connect(address).is_ok() && socket.local_addr()?.ip() == address.ip())
}

fn failed(error: io::Error, flag: &str, address: SocketAddr) -> anyhow::Error {
    let advice = advice(&error, flag, address);
    let error = anyhow::Error::new(error).context(format!("cannot listen on {address}"));
    match advice {
        Some(advice) => anyhow::anyhow!("{error:#}\n{advice}"),
        None => error,
    }
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

fn advice(error: &io::Error, flag: &str, address: SocketAddr) -> Option<String> {
    let ip = address.ip();
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    Some(match error.kind() {
        ErrorKind::AddrInUse => {
            format!(
                "help: another process, or another flag of this one, listens there; stop it, or let imds pick a port: {flag} {host}:0"
            )
        }
        ErrorKind::PermissionDenied => for_low_port(flag, &host),
        ErrorKind::AddrNotAvailable => for_address(ip),
        _ => return None,
    })
}

fn for_low_port(flag: &str, host: &str) -> String {
    // Where not known, what it is unless somebody changed it.
    let first_free = first_free_port().unwrap_or(1024);
    let mut advice = format!("help: ports below {first_free} take a privilege: run imds as root, ");
    if cfg!(target_os = "linux") {
        let program = env::current_exe().map_or_else(|_| "imds".into(), |program| program.display().to_string());
        advice.push_str(&format!(
            "or with CAP_NET_BIND_SERVICE, which `sudo setcap cap_net_bind_service=+ep {program}` gives it, \
             or let systemd open the socket, "
        ));
    }
    let port = first_free.max(1338);
    advice.push_str(&format!("or choose a higher port: {flag} {host}:{port}"));
    advice
}

/// Linux lets an administrator set it.
fn first_free_port() -> Option<u16> {
    fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").ok()?.trim().parse().ok()
}

fn for_address(ip: IpAddr) -> String {
    let mut advice = "help: no network interface that is up has that address".to_owned();
    if cfg!(target_os = "linux") {
        advice.push_str(&format!("; as root:\n  ip link set lo up\n  {}", link_local::how_to_add(ip, "lo")));
        if link_local::is_one(ip) {
            advice.push_str("\nor let imds do so while it serves: --link-local --add-addresses");
        }
    }
    advice
}
