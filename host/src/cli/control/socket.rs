// A Unix socket that belongs to its owner, and goes with the program.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::Context;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

use super::super::failure::WrongUse;

/// Removes its file when it is dropped, unless that is somebody else's by now.
pub struct SocketFile {
    path: PathBuf,
    device_and_inode: (u64, u64),
}

/// Nobody but the owner.
const MODE: u32 = 0o600;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;

/// Listens at a path. A socket that nobody listens at any more is replaced.
pub fn bind(path: &Path) -> anyhow::Result<(UnixListener, SocketFile)> {
    make_room(path)?;
    let message = || {
        format!(
            "cannot listen on {}\nhelp: its directory must exist and be yours to write in, and the path have fewer than \
             100 bytes",
            path.display()
        )
    };
    let listener = listen(path).with_context(message)?;
    let metadata = fs::symlink_metadata(path).with_context(message)?;
    let file = SocketFile { path: path.to_owned(), device_and_inode: (metadata.dev(), metadata.ino()) };
    Ok((listener, file))
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // On Linux the file gets the mode that the socket has, so that there is no moment
    // in which others could connect. Elsewhere this fails, and only what is below holds.
    let socket = File::from(OwnedFd::from(socket));
    let _ = socket.set_permissions(Permissions::from_mode(MODE));
    let socket = Socket::from(OwnedFd::from(socket));
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(OwnedFd::from(socket).into())
}

/// Takes away the socket of a server that is gone; fails where anything else is
/// there.
fn make_room(path: &Path) -> anyhow::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    let shown = path.display();
    if !metadata.file_type().is_socket() {
        return Err(WrongUse(format!("{shown} is there and no socket; give --control another path")).into());
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).with_context(|| format!("cannot replace {shown}, at which nobody listens"))
        }
        Ok(_) => anyhow::bail!(
            "cannot listen on {shown}\nhelp: another process listens there; stop it, or give --control another path"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot tell whether somebody listens on {shown}")),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.device_and_inode);
        if is_ours {
            // Who removed it meanwhile did what this wants.
            let _ = fs::remove_file(&self.path);
        }
    }
}
