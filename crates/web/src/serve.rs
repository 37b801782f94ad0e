//! Accepts HTTP connections, plain or TLS, with limits and deadlines, and ends gracefully.

use axum::{Router, body::Body, extract::Request};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Layer, ServiceExt};

/// At most this many connections at once; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 4096;
/// A request's headers must have come within this time, which also ends idle connections.
const HEADER_DEADLINE: Duration = Duration::from_secs(30);
/// The TLS handshake must be done within this time.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// At the end, requests under way have this long.
const GRACE: Duration = Duration::from_secs(5);

/// Who is at the other end of a request's connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// The server's stop, for answers that last.
#[derive(Debug, Clone)]
pub(crate) struct Stop(pub(crate) CancellationToken);

/// Serves `router` on `listener` until `stop`; TLS when `tls` is given.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
    router: Router,
    stop: CancellationToken,
) {
    let acceptor = tls.map(tokio_rustls::TlsAcceptor::from);
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let tasks = TaskTracker::new();
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (socket, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accepting an HTTP connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (router, acceptor, stop) = (router.clone(), acceptor.clone(), stop.clone());
        tasks.spawn(async move {
            let _slot = slot;
            let _ = socket.set_nodelay(true);
            match acceptor {
                None => connection(socket, Peer { address, tls: false }, router, stop).await,
                Some(acceptor) => {
                    let shaken = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(socket)).await;
                    match shaken {
                        Ok(Ok(stream)) => connection(stream, Peer { address, tls: true }, router, stop).await,
                        Ok(Err(error)) => tracing::debug!(%address, %error, "TLS handshake"),
                        Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
                    }
                }
            }
        });
    }
    tasks.close();
    if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!("HTTP connections were cut at the end of the grace period");
    }
}

async fn connection<S>(stream: S, peer: Peer, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let with_peer = axum::Extension(Stop(stop.clone())).layer(axum::Extension(peer).layer(router));
    let service =
        TowerToHyperService::new(with_peer.map_request(
            |request: hyper::Request<hyper::body::Incoming>| -> Request { request.map(Body::new) },
        ));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE).max_buf_size(64 * 1024);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(address = %peer.address, %error, "HTTP connection");
    }
}
