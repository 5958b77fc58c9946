// Where EC2's service listens, on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;

use super::added_addresses::AddedAddresses;

/// EC2's, for both versions of IP: EC2 user guide, "Access instance metadata for
/// an EC2 instance".
const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254));
const PORT: u16 = 80;

#[derive(Args)]
pub struct LinkLocal {
    /// Listen where EC2 does: on 169.254.169.254 port 80 and, where http-protocol-ipv6
    /// is enabled, on fd00:ec2::254
    #[arg(long)]
    link_local: bool,

    /// Add these addresses to a network interface, lo unless one is named, and
    /// remove them at the end (Linux)
    #[arg(long, value_name = "INTERFACE", requires = "link_local", num_args = 0..=1, require_equals = true, default_missing_value = "lo")]
    add_addresses: Option<String>,
}

impl LinkLocal {
    /// The addresses to listen on; IPv6's only where it is served.
    pub fn addresses(&self, serves_ipv6: bool) -> Vec<SocketAddr> {
        if self.link_local { addresses(serves_ipv6) } else { Vec::new() }
    }

    /// Adds these addresses, if that is asked for.
    pub async fn add(&self, addresses: &[SocketAddr]) -> anyhow::Result<AddedAddresses> {
        let mut added = AddedAddresses::default();
        let Some(interface) = &self.add_addresses else {
            return Ok(added);
        };
        if !cfg!(target_os = "linux") {
            anyhow::bail!(
                "--add-addresses works on Linux only\n\
                 help: give {V4} to a network interface by the means of this system, then leave the flag out"
            );
        }
        for address in addresses {
            added.add(*address, interface).await?;
        }
        Ok(added)
    }
}

/// EC2's addresses; IPv6's only where it is served.
pub fn addresses(serves_ipv6: bool) -> Vec<SocketAddr> {
    let v6 = serves_ipv6.then_some(V6);
    [V4].into_iter().chain(v6).map(|ip| SocketAddr::from((ip, PORT))).collect()
}

/// Whether it is one of EC2's addresses.
pub fn is_one(ip: IpAddr) -> bool {
    [V4, V6].contains(&ip)
}

/// Whether a host of a URL is one of EC2's addresses.
pub fn is_host(host: &str) -> bool {
    host.parse().is_ok_and(is_one)
}

/// Whether clients ask there unless they are told otherwise.
pub fn is_endpoint(address: SocketAddr) -> bool {
    address == SocketAddr::from((V4, PORT))
}

/// The command that gives an address to an interface.
pub fn how_to_add(ip: IpAddr, interface: &str) -> String {
    format!("ip {}", to_add(ip, interface).join(" "))
}

/// What `ip` takes to add an address.
pub fn to_add(ip: IpAddr, interface: &str) -> Vec<String> {
    let more: &[&str] = match ip {
        // Or packets to anywhere could get it as their source.
        IpAddr::V4(ip) if ip.is_link_local() => &["scope", "link"],
        IpAddr::V4(_) => &[],
        // Or it could not be used before nobody else was found to have it.
        IpAddr::V6(_) => &["nodad"],
    };
    let address = with_prefix(ip);
    let words = ["address", "add", &address, "dev", interface];
    words.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

/// The address as a network of its own.
pub fn with_prefix(ip: IpAddr) -> String {
    format!("{ip}/{}", if ip.is_ipv4() { 32 } else { 128 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_is_listened_on_only_where_it_is_served() {
        let asked = LinkLocal { link_local: true, add_addresses: None };
        let addresses = |serves_ipv6| asked.addresses(serves_ipv6).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(addresses(false), ["169.254.169.254:80"]);
        assert_eq!(addresses(true), ["169.254.169.254:80", "[fd00:ec2::254]:80"]);
    }

    #[test]
    fn addresses_are_added_with_what_they_need() {
        assert_eq!(how_to_add(V4, "lo"), "ip address add 169.254.169.254/32 dev lo scope link");
        assert_eq!(how_to_add(V6, "br0"), "ip address add fd00:ec2::254/128 dev br0 nodad");
        assert_eq!(how_to_add([10, 0, 0, 1].into(), "lo"), "ip address add 10.0.0.1/32 dev lo");
    }
}
