//! Accepts HTTP connections, plain or TLS, with limits and deadlines, and ends gracefully.

use crate::patience::Patient;
use axum::{Router, body::Body, extract::Request};
use congvu_net::Gate;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Layer, ServiceExt};

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
    /// Whether nothing says that a proxy stands between.
    pub is_direct: bool,
}

/// How a listening socket is served.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// TLS from the first byte; without it the socket speaks in clear.
    pub tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
    /// How many connections, in all and from one address.
    pub gate: Gate,
}

/// The server's stop, for answers that last.
#[derive(Debug, Clone)]
pub(crate) struct Stop(pub(crate) CancellationToken);

/// Serves `router` on `listener` until `stop`. What exceeds the gate is closed at once.
pub async fn serve(listener: TcpListener, options: ServeOptions, router: Router, stop: CancellationToken) {
    let acceptor = options.tls.map(tokio_rustls::TlsAcceptor::from);
    let tasks = TaskTracker::new();
    loop {
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
        let Some(entered) = options.gate.enter(address.ip()) else {
            tracing::debug!(%address, "too many HTTP connections");
            continue;
        };
        let (router, acceptor, stop) = (router.clone(), acceptor.clone(), stop.clone());
        tasks.spawn(async move {
            let _entered = entered;
            let _ = socket.set_nodelay(true);
            match acceptor {
                None => connection(socket, Peer { address, tls: false, is_direct: true }, router, stop).await,
                Some(acceptor) => {
                    let shaken = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(socket)).await;
                    match shaken {
                        Ok(Ok(stream)) => {
                            connection(stream, Peer { address, tls: true, is_direct: true }, router, stop)
                                .await
                        }
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
    let connection = builder.serve_connection(TokioIo::new(Patient::new(stream)), service).with_upgrades();
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
