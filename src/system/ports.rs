//! Ports: who listens where.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use listeners::{Protocol, SocketState};

/// Between two looks at whether anybody still wants to know.
const TICK: Duration = Duration::from_millis(20);

/// Whether somebody takes connections at this port, or why not; `None` when nobody wants to know any more. A host that
/// does not answer is not waited for longer than `patience`.
///
/// Looking up a name cannot be interrupted, so a thread does it, which is left alone when it takes too long.
pub(crate) fn reach(host: &str, port: u16, patience: Duration, is_over: impl Fn() -> bool) -> Option<io::Result<()>> {
    let silence = || Some(Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")));
    let (sender, receiver) = channel();
    let host = host.to_string();
    let connect = move || {
        // Nobody may be waiting any more.
        let _ = sender.send(connected(&host, port, patience));
    };
    if let Err(error) = std::thread::Builder::new().name("procscript-connect".into()).spawn(connect) {
        return Some(Err(error));
    }
    let end = Instant::now() + patience;
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(answer) => return Some(answer),
            Err(RecvTimeoutError::Disconnected) => return silence(),
            Err(RecvTimeoutError::Timeout) if is_over() => return None,
            Err(RecvTimeoutError::Timeout) if Instant::now() >= end => return silence(),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn connected(host: &str, port: u16, patience: Duration) -> io::Result<()> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs().map_err(|_| io::Error::other("the name of the host is not known"))? {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(_) => return Ok(()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
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
