// What `ip link set lo up` and `ip address add` do, said to the kernel directly:
// two messages of rtnetlink(7), for a command is not to need iproute2.

use std::io;
use std::net::IpAddr;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

/// `lo` is the first interface of every network namespace.
const LO: u32 = 1;

// Numbers of <linux/netlink.h>, <linux/rtnetlink.h>, <linux/if.h> and <linux/if_addr.h>.
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const IFF_UP: u32 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_F_NODAD: u8 = 2;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;

/// The bytes of `struct nlmsghdr`.
const HEADER: usize = 16;

/// Sets `lo` of this thread's network namespace up, which gives it 127.0.0.1 and
/// ::1.
pub fn set_lo_up() -> io::Result<()> {
    // `struct ifinfomsg`: family, padding, type; index; flags; which of them change.
    let body = [[0; 4], LO.to_ne_bytes(), IFF_UP.to_ne_bytes(), IFF_UP.to_ne_bytes()].concat();
    ask(RTM_NEWLINK, 0, &body)
}

/// Gives `lo` of this thread's network namespace an address.
pub fn add_to_lo(ip: IpAddr) -> io::Result<()> {
    let (family, scope, bytes) = match ip {
        IpAddr::V4(ip) => (AddressFamily::INET, RT_SCOPE_LINK, ip.octets().to_vec()),
        IpAddr::V6(ip) => (AddressFamily::INET6, RT_SCOPE_UNIVERSE, ip.octets().to_vec()),
    };
    // Both are below 256.
    let (family, prefix) = (family.as_raw() as u8, (bytes.len() * 8) as u8);
    // `struct ifaddrmsg`: family, prefix length, flags, scope; index.
    let mut body = [[family, prefix, IFA_F_NODAD, scope], LO.to_ne_bytes()].concat();
    for kind in [IFA_LOCAL, IFA_ADDRESS] {
        let length = 4 + bytes.len() as u16;
        body.extend([length.to_ne_bytes(), kind.to_ne_bytes()].concat());
        body.extend(&bytes);
    }
    ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body)
}

/// Sends one message, and waits until the kernel has done what it says.
fn ask(kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    // What is no protocol is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&socket, &message(kind, flags, body), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 1024];
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    outcome(&answer[..length.min(answer.len())])
}

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    // Sequence number and sender: there is one message on this socket.
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// What the kernel says: an error, which may be none.
fn outcome(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let code = answer.get(HEADER..HEADER + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        _ => Err(io::Error::other("the kernel's answer is none that rtnetlink has")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_answer_is_read() {
        let answer = |code: i32| [&message(NLMSG_ERROR, 0, &code.to_ne_bytes())[..], &[0; 16]].concat();
        assert!(outcome(&answer(0)).is_ok());
        assert_eq!(outcome(&answer(-1)).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        for broken in [&[][..], &[0; 3], &answer(0)[..HEADER], &answer(i32::MIN), &message(RTM_NEWLINK, 0, &[0; 16])] {
            assert!(outcome(broken).is_err());
        }
    }
}
