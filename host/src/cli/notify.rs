// What a service manager is told, if one asks by NOTIFY_SOCKET.

/// All listeners take connections.
#[cfg(unix)]
pub fn ready() {
    notify(sd_notify::NotifyState::Ready);
}

/// The program ends as soon as open requests do.
#[cfg(unix)]
pub fn stopping() {
    notify(sd_notify::NotifyState::Stopping);
}

#[cfg(unix)]
fn notify(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        super::print::to_stderr(&format!("imds: warning: cannot tell the service manager by NOTIFY_SOCKET: {error}"));
    }
}

#[cfg(not(unix))]
pub fn ready() {}

#[cfg(not(unix))]
pub fn stopping() {}
