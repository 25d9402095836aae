//! Listeners: where clients come in.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, sockopt};

use crate::{Error, Result};

/// Clients that may wait to be let in. The system has its own limit, `net.core.somaxconn`.
const WAITING: i32 = 4096;

/// A socket that clients connect to.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: Socket,
    shown: String,
    /// A socket file that we made, and remove.
    path: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl Listener {
    /// Listens on a TCP address, as `127.0.0.1:8000`. Port 0 is a free one.
    ///
    /// # Errors
    /// When the address is none or is in use.
    pub fn tcp(address: impl ToSocketAddrs + fmt::Display) -> Result<Self> {
        let failed = |source| Error::Io { verb: "listen on", path: address.to_string().into(), source };
        let socket = std::net::TcpListener::bind(&address).map_err(failed)?;
        Self::of_tcp(socket).map_err(failed)
    }

    /// Listens on a Unix socket, which is removed when the server ends. A socket that nobody listens on is replaced.
    ///
    /// # Errors
    /// When there is something else of that name, or it cannot be made.
    pub fn unix(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let failed = |source| Error::Io { verb: "listen on", path: path.clone(), source };
        clear(&path).map_err(failed)?;
        let socket = std::os::unix::net::UnixListener::bind(&path).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Self { socket: Socket::Unix(socket), shown: path.display().to_string(), path: Some(path) })
    }

    /// Takes over a socket that listens already: one that systemd has opened, say.
    ///
    /// # Errors
    /// When it is neither a TCP nor a Unix socket.
    pub fn adopt(socket: OwnedFd) -> Result<Self> {
        let failed = |source| Error::Io { verb: "listen on", path: "a socket that was handed over".into(), source };
        match sockopt::socket_domain(socket.as_fd()).map_err(|error| failed(error.into()))? {
            AddressFamily::INET | AddressFamily::INET6 => Self::of_tcp(socket.into()).map_err(failed),
            AddressFamily::UNIX => {
                let socket = std::os::unix::net::UnixListener::from(socket);
                socket.set_nonblocking(true).map_err(failed)?;
                Ok(Self { socket: Socket::Unix(socket), shown: "a unix socket".into(), path: None })
            }
            _ => Err(failed(io::Error::other("it is neither a TCP nor a Unix socket"))),
        }
    }

    fn of_tcp(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // The standard library lets 128 clients wait, and of more it makes each wait for a second.
        rustix::net::listen(&socket, WAITING)?;
        let shown = socket.local_addr()?.to_string();
        Ok(Self { socket: Socket::Tcp(socket), shown, path: None })
    }

    /// Its TCP address, if it has one.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(socket) => socket.local_addr().ok(),
            Socket::Unix(_) => None,
        }
    }

    /// Whether it can be reached from other machines.
    pub fn is_public(&self) -> bool {
        self.address().is_some_and(|address| !address.ip().is_loopback())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A socket file that stays is replaced by the next server.
        _ = self.path.as_ref().map(std::fs::remove_file);
    }
}

/// Removes a socket that a killed server has left.
fn clear(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    Ok(())
}
