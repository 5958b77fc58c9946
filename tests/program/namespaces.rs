//! Network namespaces of a test, made by `ip` and removed at its end.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::*;

/// A network namespace; removed when dropped.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// A new one, with `lo` up; none, said aloud, where this process may not make
    /// any. The name is for one test alone.
    pub fn new(name: &str) -> Option<Self> {
        let name = format!("imds-{}-{name}", std::process::id());
        match make(&name) {
            Ok(()) => {
                let namespace = Self { name };
                namespace.ip("link set lo up");
                Some(namespace)
            }
            Err(why) => {
                skipped(&format!("no network namespace with IPv6: {}", why.trim()));
                None
            }
        }
    }

    /// Runs `ip` in it; gives what it prints.
    pub fn ip(&self, words: &str) -> String {
        let output = Command::new("ip").args(["-n", &self.name]).args(words.split(' ')).output().unwrap();
        assert!(output.status.success(), "ip {words}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Connects it to another by an interface at either end, named after what is
    /// there, with networks in which this one has the address 1 and the other 2.
    pub fn join(&self, here: &str, other: &Self, there: &str, v4: &str, v6: &str) {
        self.ip(&format!("link add {there} type veth peer name {here} netns {}", other.name));
        for (namespace, interface, number) in [(self, there, 1), (other, here, 2)] {
            namespace.ip(&format!("address add {v4}.{number}/24 dev {interface}"));
            namespace.ip(&format!("address add {v6}::{number}/64 dev {interface} nodad"));
            namespace.ip(&format!("link set {interface} up"));
        }
    }

    /// A program that is run in it.
    pub fn command(&self, program: &str) -> Command {
        let mut ip = Command::new("ip");
        ip.args(["netns", "exec", &self.name, program]);
        ip
    }

    /// Does something on a thread in it: sockets that are made there stay there.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = File::open(format!("/run/netns/{}", self.name)).unwrap();
        let inside = || {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            work()
        };
        thread::scope(|scope| scope.spawn(inside).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// Or says why it cannot.
fn make(name: &str) -> Result<(), String> {
    if !Path::new("/proc/sys/net/ipv6").exists() {
        return Err("this system has no IPv6".into());
    }
    match Command::new("ip").args(["netns", "add", name]).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("it takes root: {}", text(&output.stderr))),
        Err(error) => Err(format!("it takes `ip` of the package iproute2: {error}")),
    }
}

/// A client and a server with one router between them.
pub struct Network {
    pub client: Namespace,
    pub router: Namespace,
    pub server: Namespace,
}

impl Network {
    /// The router sends to the server what is for the addresses of EC2's service.
    pub fn new(name: &str) -> Option<Self> {
        let namespace = |role| Namespace::new(&format!("{name}-{role}"));
        let network = Self { client: namespace("client")?, router: namespace("router")?, server: namespace("server")? };
        let Self { client, router, server } = &network;
        router.join("router", client, "client", "10.0.1", "fd00:1");
        router.join("router", server, "server", "10.0.2", "fd00:2");
        for (namespace, number) in [(client, 1), (server, 2)] {
            namespace.ip(&format!("route add default via 10.0.{number}.1"));
            namespace.ip(&format!("route add default via fd00:{number}::1"));
        }
        router.ip("route add 169.254.169.254 via 10.0.2.2");
        router.ip("route add fd00:ec2::254 via fd00:2::2");
        router.enter(|| {
            for switch in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                fs::write(format!("/proc/sys/net/{switch}"), "1").unwrap();
            }
        });
        Some(network)
    }

    /// How many packets the router has thrown away because they may not travel
    /// further: of IPv4 and of IPv6.
    pub fn hops_exceeded(&self) -> [u64; 2] {
        let read = |file| self.router.enter(|| fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap());
        let v4 = read("snmp");
        let mut lines = v4.lines().filter_map(|line| line.strip_prefix("Ip: "));
        let mut names = lines.next().unwrap().split(' ');
        let mut counts = lines.next().unwrap().split(' ');
        let v4 = counts.nth(names.position(|name| name == "InHdrErrors").unwrap()).unwrap();
        let v6 = read("snmp6");
        let v6 = v6.lines().find_map(|line| line.strip_prefix("Ip6InHdrErrors")).unwrap();
        [v4, v6].map(|count| count.trim().parse().unwrap())
    }
}

/// Waits until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
