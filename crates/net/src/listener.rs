//! Accepting connections: bounded in number, one task each, ended gracefully.

use crate::{Connection, connection::HANDSHAKE_DEADLINE};
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_rustls::rustls::ServerConfig;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// At the end, connections have this long to finish what they do.
const GRACE: Duration = Duration::from_secs(5);

/// Opens a listening socket that a restart can take over at once.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    TcpListener::from_std(socket.into())
}

#[derive(Debug)]
struct Counts {
    slots: Arc<Semaphore>,
    per_address: usize,
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

/// How many connections may be open at once, in all and from one address. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Counts>);

impl Gate {
    /// Makes a gate for `connections` in all and `per_address` from each address (an IPv6 /64 counts as one).
    #[must_use]
    pub fn new(connections: usize, per_address: usize) -> Self {
        Self(Arc::new(Counts {
            slots: Arc::new(Semaphore::new(connections)),
            per_address,
            addresses: Mutex::default(),
        }))
    }

    /// Takes a place for a connection from `address`; `None` when there is none left.
    #[must_use]
    pub fn enter(&self, address: IpAddr) -> Option<Entered> {
        let address = place(address);
        let slot = self.0.slots.clone().try_acquire_owned().ok()?;
        let mut addresses = self.0.addresses.lock();
        let count = addresses.entry(address).or_default();
        if *count >= self.0.per_address {
            return None;
        }
        *count += 1;
        Some(Entered { gate: self.clone(), address, _slot: slot })
    }
}

/// An IPv6 /64 is one place: a host has all of it.
pub(crate) fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A place within a [`Gate`], given back when it is dropped.
#[derive(Debug)]
pub struct Entered {
    gate: Gate,
    address: IpAddr,
    _slot: tokio::sync::OwnedSemaphorePermit,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut addresses = self.gate.0.addresses.lock();
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

/// Accepts until `stop`, one task a connection; a panic ends that connection alone. With `tls` the handshake is done before
/// `handle` is called. What exceeds the gate is closed at once.
pub async fn serve<F, Fut>(
    listener: TcpListener,
    gate: Gate,
    stop: CancellationToken,
    tls: Option<Arc<ServerConfig>>,
    handle: F,
) where
    F: Fn(Connection) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, most likely: give those that end a moment.
                tracing::warn!(%error, "accepting a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(entered) = gate.enter(peer.ip()) else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "setting up a connection");
            continue;
        }
        let connection = Connection::plain(socket, peer);
        match &tls {
            None => tasks.spawn(hold(entered, handle(connection))),
            Some(config) => tasks.spawn(hold(entered, with_tls(connection, config.clone(), handle.clone()))),
        };
    }
    tasks.close();
    if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::info!(connections = tasks.len(), "connections were cut at the end of the grace period");
    }
}

async fn hold<Fut: Future<Output = ()>>(entered: Entered, work: Fut) {
    work.await;
    drop(entered);
}

async fn with_tls<F, Fut>(mut connection: Connection, config: Arc<ServerConfig>, handle: F)
where
    F: Fn(Connection) -> Fut,
    Fut: Future<Output = ()>,
{
    let shaken = tokio::time::timeout(HANDSHAKE_DEADLINE, Box::pin(connection.start_tls(&config))).await;
    match shaken {
        Ok(Ok(())) => handle(connection).await,
        Ok(Err(error)) => tracing::debug!(peer = %connection.peer(), %error, "TLS handshake"),
        Err(_) => tracing::debug!(peer = %connection.peer(), "TLS handshake took too long"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_gives_it_back() {
        let gate = Gate::new(3, 2);
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        let first = gate.enter(here);
        let second = gate.enter(here);
        assert!(first.is_some() && second.is_some() && gate.enter(here).is_none());
        assert!(gate.enter("192.0.2.2".parse().unwrap()).is_some());
        drop(first);
        assert!(gate.enter(here).is_some());
    }

    #[test]
    fn an_ipv6_network_is_one_place() {
        let gate = Gate::new(9, 1);
        let _held = gate.enter("2001:db8::1".parse().unwrap());
        assert!(gate.enter("2001:db8::2".parse().unwrap()).is_none());
        assert!(gate.enter("2001:db8:0:1::2".parse().unwrap()).is_some());
    }
}
