// Made without a privilege where the system lets users have namespaces.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{getegid, geteuid};
use rustix::thread::{
    CapabilitySet, LinkNameSpaceType, UnshareFlags, capabilities, move_into_link_name_space, unshare_unsafe,
};

use super::super::listen::is_present;
use super::netlink;
use super::refused::refused;

/// A network namespace. It ends with the last process and the last socket in it.
pub struct NetworkNamespace {
    /// By which threads move into it.
    file: File,
}

/// What a namespace is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    User,
    Network,
}

/// What it takes to make a network namespace, to set it up, and to listen on port
/// 80 in it.
const CAPABILITIES: CapabilitySet =
    CapabilitySet::SYS_ADMIN.union(CapabilitySet::NET_ADMIN).union(CapabilitySet::NET_BIND_SERVICE);

/// It takes Linux milliseconds.
const USABLE_TIME: Duration = Duration::from_secs(5);

impl NetworkNamespace {
    /// Makes one, in which `lo` is up. To be called while the process has one
    /// thread: without the capabilities it makes a user namespace first, which the
    /// whole process moves into, and has them in there.
    pub fn make() -> anyhow::Result<Self> {
        let held = capabilities(None).context("cannot tell the capabilities of this process")?.effective;
        if !held.contains(CAPABILITIES) {
            enter_user_namespace()?;
        }
        // On a thread of its own, so that all others stay in the network that they are in.
        let make = || {
            unshare(Kind::Network).map_err(|error| refused(Kind::Network, geteuid(), error))?;
            netlink::set_lo_up().context("cannot set lo up in the command's network namespace")?;
            File::open("/proc/thread-self/ns/net").context("cannot open the command's network namespace")
        };
        Ok(Self { file: on_a_thread(make)? })
    }

    /// Gives `lo` an address, and waits until packets to it arrive.
    pub fn add_address(&self, ip: IpAddr) -> anyhow::Result<()> {
        let add = || {
            netlink::add_to_lo(ip)?;
            let start = Instant::now();
            // One of IPv6 can be bound before.
            while !is_present((ip, 80).into())? {
                if start.elapsed() > USABLE_TIME {
                    return Err(ErrorKind::TimedOut.into());
                }
                thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        };
        let added: io::Result<()> = self.enter(add)?;
        added.with_context(|| {
            let hint = if ip.is_ipv6() { "; this takes IPv6, which the system may have switched off" } else { "" };
            format!("cannot add {ip} to lo in the command's network namespace{hint}")
        })
    }

    /// Does something on a thread in the namespace. Sockets and processes that are
    /// made there stay in it.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        let inside = || {
            move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network))
                .context("cannot enter the command's network namespace")?;
            Ok(work())
        };
        on_a_thread(inside)
    }
}

fn on_a_thread<T: Send>(work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work).context("cannot start a thread")?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Moves this process into a user namespace of its own, in which it has all
/// capabilities. User and group stay what they are, there too; a program that is
/// run by another user than root has none of the capabilities.
fn enter_user_namespace() -> anyhow::Result<()> {
    let (user, group) = (geteuid(), getegid());
    unshare(Kind::User).map_err(|error| refused(Kind::User, user, error))?;
    for (file, line) in [
        // Or the kernel takes no groups from a user without privileges.
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{0} {0} 1", user.as_raw())),
        ("gid_map", format!("{0} {0} 1", group.as_raw())),
    ] {
        let path = format!("/proc/self/{file}");
        fs::write(&path, line)
            .map_err(|error| refused(Kind::User, user, error).context(format!("cannot write {path}")))?;
    }
    Ok(())
}

/// Moves this thread into a new namespace; of users, the only thread there is.
#[allow(unsafe_code)]
fn unshare(kind: Kind) -> io::Result<()> {
    let flags = match kind {
        Kind::User => UnshareFlags::NEWUSER,
        Kind::Network => UnshareFlags::NEWNET,
    };
    // SAFETY: file descriptors stay shared by all threads, for neither flag is `FILES`.
    unsafe { unshare_unsafe(flags) }.map_err(Into::into)
}
