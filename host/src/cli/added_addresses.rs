// Addresses that this program adds to network interfaces of Linux.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::link_local::{how_to_add, to_add, with_prefix};
use super::print::to_stderr;
use super::socket_activation::VARIABLES;

/// Addresses that were added; removed when dropped.
#[derive(Default)]
pub struct AddedAddresses {
    added: Vec<Added>,
}

/// A service in the same data centre takes less than a millisecond.
const ANSWER_TIME: Duration = Duration::from_millis(500);

/// Marks the addresses that this program adds, so that the next start recognises
/// those that a killed one left behind. It is the metric of the route to the
/// address: there is one such route only, so the number has no effect. Unlike
/// labels, IPv6 has it, and interfaces of any name.
const MARK: [&str; 2] = ["metric", "169254"];

/// It takes Linux milliseconds.
const USABLE_TIME: Duration = Duration::from_secs(5);

impl AddedAddresses {
    /// Adds the address, unless an interface has it. One that a killed program left
    /// behind is removed first.
    ///
    /// Adds nothing where something answers at the address: on an instance of a cloud that is the
    /// real service, which this machine could not reach any more.
    pub async fn add(&mut self, address: SocketAddr, interface: &str) -> anyhow::Result<()> {
        let ip = address.ip();
        if let Some(Holder { interface, is_marked }) = holder(ip)? {
            // Another process of this program may serve there now; or this one may not
            // remove the address.
            let is_left_behind = is_marked && !answers(address).await;
            if !is_left_behind || remove(ip, &interface).is_err() {
                to_stderr(&format!("imds: note: {ip} is on {interface} already, and stays there at the end"));
                return Ok(());
            }
            to_stderr(&format!("imds: note: took over {ip}, which a killed imds left on {interface}"));
        }
        if answers(address).await {
            anyhow::bail!(
                "something answers at {address} already, in this network or in the cloud that this machine runs in\n\
                 help: with the address on this machine, nothing on it could reach that any more. Serve in a \
                 network namespace, or, if it is meant, add the address as root:\n  {}",
                how_to_add(ip, interface)
            );
        }
        self.added.push(Added::new(ip, interface)?);
        // An address of IPv6 can be bound before packets to it arrive.
        let usable = async {
            while !is_local(ip) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(USABLE_TIME, usable).await.map_err(|_| {
            anyhow::anyhow!(
                "{ip} was added to {interface}, but packets to it do not arrive here\n\
                 help: ip route get {ip}  # shows where they go"
            )
        })
    }
}

/// An address that was added; removed when dropped.
struct Added {
    ip: IpAddr,
    interface: String,
}

impl Added {
    fn new(ip: IpAddr, interface: &str) -> anyhow::Result<Self> {
        let context = || format!("cannot add {ip} to {interface}");
        if ip_says(&["-o", "link", "show", "dev", interface, "up"]).with_context(context)?.trim().is_empty() {
            anyhow::bail!("{}: it is down\nhelp: as root: ip link set {interface} up", context());
        }
        let words: Vec<String> = to_add(ip, interface).into_iter().chain(MARK.map(str::to_owned)).collect();
        ip_says(&words).with_context(context).map_err(|error| {
            // In the words of the system, which `ip` does not translate.
            if !format!("{error:#}").contains("Operation not permitted") {
                return error;
            }
            anyhow::anyhow!(
                "{error:#}\nhelp: that takes CAP_NET_ADMIN, which `ip` must inherit: run imds as root, or with the \
                 capability in its ambient set, or add the address as root before:\n  {}",
                how_to_add(ip, interface)
            )
        })?;
        Ok(Self { ip, interface: interface.into() })
    }
}

impl Drop for Added {
    fn drop(&mut self) {
        let Self { ip, interface } = self;
        if let Err(error) = remove(*ip, interface) {
            let words = to_remove(*ip, interface).join(" ");
            to_stderr(&format!(
                "imds: warning: {ip} stays on {interface}: {error:#}; to remove it, as root: ip {words}"
            ));
        }
    }
}

/// What `ip` takes to remove an address.
fn to_remove(ip: IpAddr, interface: &str) -> [String; 5] {
    ["address", "del", &with_prefix(ip), "dev", interface].map(str::to_owned)
}

fn remove(ip: IpAddr, interface: &str) -> anyhow::Result<()> {
    ip_says(&to_remove(ip, interface)).map(drop)
}

/// Whether a service answers at the address.
async fn answers(address: SocketAddr) -> bool {
    matches!(timeout(ANSWER_TIME, TcpStream::connect(address)).await, Ok(Ok(_)))
}

/// What has an address.
struct Holder {
    interface: String,
    /// Whether this program added the address.
    is_marked: bool,
}

fn holder(ip: IpAddr) -> anyhow::Result<Option<Holder>> {
    let lines = ip_says(&["-o", "address", "show", "to", &with_prefix(ip)])?;
    // As in `1: lo    inet 169.254.169.254/32 metric 169254 scope link lo`.
    let words: Vec<&str> = lines.lines().next().unwrap_or_default().split_whitespace().collect();
    Ok(words.get(1).map(|interface| Holder {
        interface: (*interface).to_owned(),
        is_marked: words.windows(2).any(|pair| pair == MARK),
    }))
}

/// Whether packets to the address stay here.
fn is_local(ip: IpAddr) -> bool {
    ip_says(&["route", "get", &ip.to_string()]).is_ok_and(|route| route.starts_with("local "))
}

/// Runs the program `ip`: a library that speaks netlink would cost far more.
/// Gives what it prints.
fn ip_says(words: &[impl AsRef<str>]) -> anyhow::Result<String> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let mut command = Command::new("ip");
    command.args(&words).stdin(Stdio::null());
    for name in VARIABLES {
        command.env_remove(name);
    }
    // In a group of its own, so that an interrupt from the terminal does not end it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let output = command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!(
            "there is no program `ip` on the PATH\nhelp: the package iproute2 has it; or add the addresses by other \
             means, and leave out --add-addresses"
        ),
        _ => anyhow::anyhow!("cannot run `ip`: {error}"),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::bail!("`ip {}` says: {}", words.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
