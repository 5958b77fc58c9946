//! Connections from a listener: admission, and the end of all.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::engine::Limits;
use crate::observe::Trouble;
use crate::serve::admission::Bounds;
use crate::serve::caller::Caller;
use crate::serve::connection::Connection;
use crate::serve::service::Service;
use crate::serve::socket_options;

/// Serves on a listener until `shutdown` completes, then lets open requests
/// end for up to `limits.stop_time`.
///
/// The caller owns the listener and the signal, and runs this in tokio, with
/// its timers and input and output enabled. A connection that cannot be
/// accepted is told to the service's observer and tried again, after up to a
/// second.
///
/// On several listeners, serve clones of one service: they share the
/// `limits.connections`.
///
/// ```
/// use imds_host::{Limits, Runtime, Service, serve};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// println!("http://{}", listener.local_addr()?);
/// let shutdown = async { /* for instance tokio::signal::ctrl_c().await */ };
/// serve(listener, Service::new(instance), Limits::default(), shutdown).await;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub async fn serve(listener: TcpListener, service: Service, limits: Limits, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    socket_options::bound(&listener, &limits);
    let listens_on = listener.local_addr().ok();
    let limits = Arc::new(limits);
    let bounds = Bounds { places: limits.connections.max(1), share: limits.connections_per_caller.max(1) };
    let (stop, stopped) = watch::channel(());
    let mut open = JoinSet::new();
    loop {
        let admitting = async {
            let (stream, peer) = accept(&listener, &service).await;
            let address = peer.ip().to_canonical();
            // Until there is one, more connections wait in the backlog.
            (stream, peer, service.admission().take_in_turn(address, bounds).await)
        };
        let (stream, peer, place) = tokio::select! {
            admitted = admitting => admitted,
            () = &mut shutdown => break,
        };
        let (service, limits, mut stopped) = (service.clone(), Arc::clone(&limits), stopped.clone());
        let caller = caller(&stream, peer, listens_on);
        match place {
            Some(place) => {
                open.spawn(Connection::new(stream, caller, place, service, limits, stopped).run());
            }
            None => match service.admission().waiting_room() {
                Some(room) => {
                    open.spawn(async move {
                        let place = tokio::select! {
                            place = service.admission().take(peer.ip().to_canonical(), bounds) => place,
                            _ = stopped.changed() => return,
                        };
                        drop(room);
                        Connection::new(stream, caller, place, service, limits, stopped).run().await;
                    });
                }
                None => {
                    drop(stream);
                    service.trouble(&Trouble::SentAway);
                }
            },
        }
        // Clears what the ended ones leave behind.
        while open.try_join_next().is_some() {}
    }
    // From here on nobody can connect.
    drop(listener);
    drop(stop);
    let all_ended = async { while open.join_next().await.is_some() {} };
    // What is still open then is closed with the set.
    let _ = timeout(limits.stop_time, all_ended).await;
}

async fn accept(listener: &TcpListener, service: &Service) -> (TcpStream, SocketAddr) {
    let mut wait = Duration::from_millis(10);
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The peer's doing: the next connection is not affected.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                let is_full = cfg!(unix) && matches!(error.raw_os_error(), Some(OPEN_FILES_OF_PROCESS | OPEN_FILES));
                service.trouble(&Trouble::Accept(error));
                if is_full && service.admission().make_room().await {
                    continue;
                }
                sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// `EMFILE` and `ENFILE`, which are the same numbers on every Unix.
const OPEN_FILES_OF_PROCESS: i32 = 24;
const OPEN_FILES: i32 = 23;

/// What is known of a connection's two ends without asking the system again.
fn caller(stream: &TcpStream, peer: SocketAddr, listens_on: Option<SocketAddr>) -> Caller {
    let local = listens_on.filter(|local| !local.ip().is_unspecified()).or_else(|| stream.local_addr().ok());
    Caller::new(Some(peer), local)
}

#[cfg(test)]
mod tests;
