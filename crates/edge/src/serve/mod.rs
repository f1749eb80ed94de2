//! The server loop: accepts, bounds, cuts off the slow, ends in order (HTTP-11).
//!
//! `axum::serve` has no bound on the time of a request head, on connections or on stalled writers; hyper-util has.
//! Listens on an address, by TLS when configured, and on a Unix socket beside it (HTTP-13).

mod config;
mod guarded;
mod listen;
mod tls;
mod unix;

use std::{sync::Arc, time::Duration};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::Service;

use crate::{Edge, gate::Peer};
pub use config::{ServeConfig, TlsConfig};
use guarded::Guarded;
use listen::Arrived;
pub use listen::{ListenError, Listeners};
use tls::Tls;
pub use tls::check_files;

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Connections that were cut off because they did not finish in time.
    pub cut_off: usize,
}

/// Serves `router` until `stop` is ready, then ends in order: unready, no new connections, at most the grace period
/// for what is in flight.
pub async fn serve(
    listeners: impl Into<Listeners>,
    router: Router,
    edge: &Edge,
    config: &ServeConfig,
    stop: impl Future<Output = ()>,
) -> Ended {
    let listeners = listeners.into();
    let places = Arc::new(Semaphore::new(config.max_connections));
    let graceful = GracefulShutdown::new();
    let (cut, _) = watch::channel(false);
    let server = Server { router, builder: builder(config), config, graceful: &graceful, cut: &cut };
    let drained = async {
        stop.await;
        edge.drain();
        tokio::time::sleep(Duration::from_millis(config.drain_ms)).await;
    };
    let renewed = async {
        match &listeners.tls {
            Some(tls) => tls.keep().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = server.accept(&listeners, &places) => {}
        () = renewed => {}
        () = drained => {}
    }
    drop(listeners);
    let grace = Duration::from_millis(config.grace_ms);
    let finished = tokio::time::timeout(grace, graceful.shutdown()).await.is_ok();
    let left = if finished { 0 } else { config.max_connections - places.available_permits() };
    if left > 0 {
        tracing::warn!(connections = left, "connections did not finish in time and are cut off");
        let _ = cut.send(true);
    }
    Ended { cut_off: left }
}

struct Server<'a> {
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    config: &'a ServeConfig,
    graceful: &'a GracefulShutdown,
    cut: &'a watch::Sender<bool>,
}

impl Server<'_> {
    async fn accept(&self, listeners: &Listeners, places: &Arc<Semaphore>) {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listeners.accept().await {
                Ok(Arrived::Tcp(stream, address)) => {
                    let _ = stream.set_nodelay(true);
                    self.spawn(stream, listeners.tls.clone(), Some(Peer(address)), place);
                }
                // Whoever is behind it has no address.
                Ok(Arrived::Unix(stream)) => self.spawn(stream, None, None, place),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of file handles or memory: others must end first, trying at once would only burn time.
                    tracing::warn!(cause = %error, "cannot accept connections for the moment");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Serves one connection in the background.
    fn spawn<S>(&self, stream: S, tls: Option<Arc<Tls>>, peer: Option<Peer>, place: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = Connection {
            router: self.router.clone(),
            builder: self.builder.clone(),
            peer,
            first: Duration::from_millis(self.config.head_timeout_ms),
            stall: Duration::from_millis(self.config.write_timeout_ms),
            watcher: self.graceful.watcher(),
        };
        let mut cut = self.cut.subscribe();
        tokio::spawn(async move {
            let served = async {
                match tls {
                    None => connection.serve(stream).await,
                    // A failed handshake is the client's business: scanners make many, and there is no request to log.
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            connection.serve(stream).await;
                        }
                    }
                }
            };
            tokio::select! {
                () = served => {}
                _ = cut.wait_for(|cut| *cut) => {}
            }
            drop(place);
        });
    }
}

/// What one connection needs.
struct Connection {
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    peer: Option<Peer>,
    first: Duration,
    stall: Duration,
    watcher: Watcher,
}

impl Connection {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let (router, peer) = (self.router, self.peer);
        let service = service_fn(move |mut request: Request<Incoming>| {
            if let Some(peer) = peer {
                request.extensions_mut().insert(peer);
            }
            router.clone().call(request)
        });
        let io = TokioIo::new(Guarded::new(stream, self.first, self.stall));
        let connection = self.builder.serve_connection_with_upgrades(io, service).into_owned();
        // How a connection ends is the client's business; requests have logged their own fate.
        let _ = self.watcher.watch(connection).await;
    }
}

fn builder(config: &ServeConfig) -> Arc<Builder<TokioExecutor>> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.head_timeout_ms))
        .max_buf_size(config.max_head_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.max_streams)
        .max_header_list_size(u32::try_from(config.max_head_bytes).unwrap_or(u32::MAX))
        .max_send_buf_size(256 * 1024)
        .keep_alive_interval(Duration::from_millis(config.head_timeout_ms))
        .keep_alive_timeout(Duration::from_millis(config.write_timeout_ms));
    Arc::new(builder)
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
