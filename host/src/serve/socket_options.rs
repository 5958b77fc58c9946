//! What the operating system keeps for a connection, which is memory too.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use crate::serve::limits::ConnectionLimits;

/// Above it no system has a use for more.
const BYTES_MAX: usize = 1 << 30;

/// 24 days, the longest that Linux counts in milliseconds.
#[cfg(target_os = "linux")]
const TIME_MAX: Duration = Duration::from_millis(i32::MAX as u64);

/// Bounds what the system keeps for each connection that the listener accepts
/// from now on. Otherwise Linux lets the buffers of one connection grow to several
/// megabytes, where a client sends requests and takes no answer.
///
/// Where the system refuses, its own bounds hold.
pub(crate) fn bound(listener: &TcpListener, limits: &ConnectionLimits) {
    let socket = SockRef::from(listener);
    let bytes = limits.buffer_bytes.clamp(1, BYTES_MAX);
    // Connections inherit these.
    let _ = socket.set_send_buffer_size(bytes);
    let _ = socket.set_recv_buffer_size(bytes);
    // The last answer may be on its way still when the server closes a connection.
    // From then on the system alone waits for the client, for minutes by default.
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(limits.write_time.clamp(Duration::from_millis(1), TIME_MAX)));
}

/// Sets the hop limit with which packets are sent: IPv4's, IPv6's, or both on a
/// socket that takes IPv4 under IPv6.
pub(crate) fn set_hop_limit(stream: &TcpStream, hop_limit: u8) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let (v4, v6) = match stream.local_addr()? {
        SocketAddr::V4(_) => (true, false),
        // IPv4 through a socket for both sends with the limit of IPv4.
        SocketAddr::V6(local) => (local.ip().to_ipv4_mapped().is_some(), true),
    };
    if v4 {
        socket.set_ttl_v4(hop_limit.into())?;
    }
    if v6 {
        socket.set_unicast_hops_v6(hop_limit.into())?;
    }
    Ok(())
}

/// Whether the client's system has acknowledged all that was sent: then no reset
/// takes any of it away. False where the system does not tell.
pub(crate) fn is_acknowledged(stream: &TcpStream) -> bool {
    unacknowledged_bytes(stream) == Some(0)
}

// Linux gives the request another number on other processors.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
#[allow(unsafe_code)]
fn unacknowledged_bytes(stream: &TcpStream) -> Option<i32> {
    const SIOCOUTQ: rustix::ioctl::Opcode = 0x5411;
    // Sound: by this number the system writes one `int`, and does nothing else.
    unsafe { rustix::ioctl::ioctl(stream, rustix::ioctl::Getter::<SIOCOUTQ, i32>::new()) }.ok()
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
fn unacknowledged_bytes(_: &TcpStream) -> Option<i32> {
    None
}

/// Has the connection reset when it is closed, so that the system forgets at once
/// what its client does not take.
pub(crate) fn abandon(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}
