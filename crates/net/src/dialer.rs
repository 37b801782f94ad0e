//! Connecting to another server.

use crate::Connection;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// A connection that was made, and to where.
#[derive(Debug)]
pub struct Dialed {
    /// The connection.
    pub connection: Connection,
    /// Where to.
    pub address: SocketAddr,
}

/// Connects to the first of `addresses` that answers, each within `within`.
pub async fn dial(addresses: &[SocketAddr], within: Duration) -> io::Result<Dialed> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "no address to connect to");
    for address in addresses {
        match timeout(within, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                socket.set_nodelay(true)?;
                return Ok(Dialed { connection: Connection::plain(socket, *address), address: *address });
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
