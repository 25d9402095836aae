//! The supervisor: what systemd hands over, and what it is told (sd_listen_fds(3), sd_notify(3)).

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::server::Listener;
use crate::{Error, Result};

/// The sockets that were opened for us.
pub(super) fn listeners() -> Result<Vec<Listener>> {
    let mut given = listenfd::ListenFd::from_env();
    (0..given.len()).filter_map(|index| take(&mut given, index).transpose()).collect()
}

fn take(given: &mut listenfd::ListenFd, index: usize) -> Result<Option<Listener>> {
    if let Ok(socket) = given.take_tcp_listener(index) {
        return socket.map(|socket| Listener::adopt(socket.into())).transpose();
    }
    let socket = given.take_unix_listener(index);
    let socket =
        socket.map_err(|source| Error::Io { verb: "listen on", path: "a socket of systemd".into(), source })?;
    socket.map(|socket| Listener::adopt(socket.into())).transpose()
}

/// Tells whoever has started us how we are, if they want to know.
pub(super) fn tell(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let told = address(&socket).and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    // A supervisor that does not listen will find out by itself.
    _ = told;
}

fn address(socket: &OsStr) -> std::io::Result<SocketAddr> {
    match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(socket),
    }
}
