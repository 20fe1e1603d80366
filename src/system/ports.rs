//! Ports: who listens where.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use listeners::{Protocol, SocketState};

/// Between two looks at whether anybody still wants to know.
const TICK: Duration = Duration::from_millis(20);

/// Whether somebody takes connections at this port; `None` when nobody wants to know any more. A host that does not
/// answer is not waited for longer than `patience`.
///
/// Looking up a name cannot be interrupted, so a thread does it, which is left alone when it takes too long.
pub(crate) fn is_open(host: &str, port: u16, patience: Duration, is_over: impl Fn() -> bool) -> Option<bool> {
    let (sender, receiver) = channel();
    let host = host.to_string();
    let connect = move || {
        let addresses = (host.as_str(), port).to_socket_addrs().into_iter().flatten();
        let is_open = addresses.into_iter().any(|address| TcpStream::connect_timeout(&address, patience).is_ok());
        // Nobody may be waiting any more.
        let _ = sender.send(is_open);
    };
    if std::thread::Builder::new().name("procscript-connect".into()).spawn(connect).is_err() {
        return Some(false);
    }
    let end = Instant::now() + patience;
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(is_open) => return Some(is_open),
            Err(RecvTimeoutError::Disconnected) => return Some(false),
            Err(RecvTimeoutError::Timeout) if is_over() => return None,
            Err(RecvTimeoutError::Timeout) if Instant::now() >= end => return Some(false),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// A port that nobody has just now; somebody may take it before it is used.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The processes that listen at a port, TCP or UDP, as far as we may see: those of others show only to root.
pub(crate) fn holders(port: u16) -> io::Result<BTreeSet<u32>> {
    let all = listeners::get_all().map_err(|error| io::Error::other(error.to_string()))?;
    let is_there = |listener: &&listeners::Listener| {
        let waits = listener.state == SocketState::Listen || listener.protocol == Protocol::UDP;
        listener.socket.port() == port && waits
    };
    Ok(all.iter().filter(is_there).map(|listener| listener.process.pid).collect())
}
