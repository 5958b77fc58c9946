// Listeners that a service manager opened: systemd passes them by LISTEN_FDS.

use std::net::TcpListener;

/// Takes the listeners that were passed to this process, with the variables that
/// say so, so that no child takes them for its own.
///
/// To be called before there are threads: it changes the environment.
#[cfg(unix)]
pub fn take_listeners() -> anyhow::Result<Vec<TcpListener>> {
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
