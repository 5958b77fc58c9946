// Listeners that a service manager opened: systemd passes them by LISTEN_FDS.

use std::net::TcpListener;

/// What tells a process which sockets it was passed. To be removed from the
/// environment of a child: what is passed to this process is not passed to it.
pub const VARIABLES: [&str; 3] = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"];

/// Takes the listeners that were passed to this process, so that no child gets
/// them. As with systemd's own library, it is LISTEN_PID that tells whose they
/// are: without it nothing is taken.
///
/// To be called before there are threads: it changes the environment.
#[cfg(unix)]
pub fn take_listeners() -> anyhow::Result<Vec<TcpListener>> {
    // Which the crate would take for a yes.
    if std::env::var_os("LISTEN_PID").is_none_or(|process| process.is_empty()) {
        return Ok(Vec::new());
    }
    let mut passed = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        let listener = passed.take_tcp_listener(index).ok().flatten().filter(is_listening);
        let Some(listener) = listener else {
            anyhow::bail!(
                "socket {} of those in LISTEN_FDS is no listening TCP socket\n\
                 help: a socket unit of systemd has ListenStream=ADDRESS:PORT and Accept=no",
                index + 1
            );
        };
        listener.set_nonblocking(true)?;
        listeners.push(listener);
    }
    Ok(listeners)
}

#[cfg(unix)]
fn is_listening(listener: &TcpListener) -> bool {
    socket2::SockRef::from(listener).is_listener().unwrap_or(false)
}

/// Elsewhere nothing is passed.
#[cfg(not(unix))]
pub fn take_listeners() -> anyhow::Result<Vec<TcpListener>> {
    Ok(Vec::new())
}
