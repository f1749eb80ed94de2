//! The server loop: accepts, bounds, cuts off the slow, ends in order (HTTP-11).
//!
//! `axum::serve` has no bound on the time of a request head, on connections or on stalled writers; hyper-util has.

mod guarded;

use std::{sync::Arc, time::Duration};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use serde::Deserialize;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::Service;

use crate::{Edge, gate::Peer};
use guarded::Guarded;

/// Bounds of the server loop.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeConfig {
    /// A connection on which no whole request head arrives for so long is closed, idle ones included.
    pub head_timeout_ms: u64,
    /// A connection that takes none of an answer for so long is closed.
    pub write_timeout_ms: u64,
    /// Connections at once; more wait in the kernel's queue.
    pub max_connections: usize,
    /// The longest request head.
    pub max_head_bytes: usize,
    /// Requests at once on one HTTP/2 connection.
    pub max_streams: u32,
    /// After the signal to stop: how long new connections are still taken while balancers learn of it.
    pub drain_ms: u64,
    /// Then: how long requests may take to finish.
    pub grace_ms: u64,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            head_timeout_ms: 20_000,
            write_timeout_ms: 20_000,
            max_connections: 10_000,
            max_head_bytes: 32_768,
            max_streams: 128,
            drain_ms: 0,
            grace_ms: 30_000,
        }
    }
}

impl ServeConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("serve.{name} must be between {least} and {most}, not {value}"))
            }
        };
        let millis = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        within("head_timeout_ms", millis(self.head_timeout_ms), 10, 600_000)?;
        within("write_timeout_ms", millis(self.write_timeout_ms), 10, 600_000)?;
        within("max_connections", self.max_connections, 1, 1_000_000)?;
        within("max_head_bytes", self.max_head_bytes, 8_192, 1 << 20)?;
        within("max_streams", self.max_streams as usize, 1, 10_000)?;
        within("drain_ms", millis(self.drain_ms), 0, 600_000)?;
        within("grace_ms", millis(self.grace_ms), 0, 600_000)
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Connections that were cut off because they did not finish in time.
    pub cut_off: usize,
}

/// Serves `router` until `stop` is ready, then ends in order: unready, no new connections, at most the grace period
/// for what is in flight.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    edge: &Edge,
    config: &ServeConfig,
    stop: impl Future<Output = ()>,
) -> Ended {
    let places = Arc::new(Semaphore::new(config.max_connections));
    let graceful = GracefulShutdown::new();
    let (cut, _) = watch::channel(false);
    let server = Server { router, builder: builder(config), config, graceful: &graceful, cut: &cut };
    let drained = async {
        stop.await;
        edge.drain();
        tokio::time::sleep(Duration::from_millis(config.drain_ms)).await;
    };
    tokio::select! {
        () = server.accept(&listener, &places) => {}
        () = drained => {}
    }
    drop(listener);
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
    async fn accept(&self, listener: &TcpListener, places: &Arc<Semaphore>) {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => self.spawn(stream, place),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of file handles or memory: others must end first, trying at once would only burn time.
                    tracing::warn!(cause = %error, "cannot accept connections for the moment");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        let Ok(peer) = stream.peer_addr() else { return };
        let _ = stream.set_nodelay(true);
        let peer = Peer(peer.ip().to_canonical());
        let router = self.router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.clone().call(request)
        });
        let io = TokioIo::new(Guarded::new(
            stream,
            Duration::from_millis(self.config.head_timeout_ms),
            Duration::from_millis(self.config.write_timeout_ms),
        ));
        let builder = self.builder.clone();
        let watcher = self.graceful.watcher();
        let mut cut = self.cut.subscribe();
        tokio::spawn(async move {
            let connection = watcher.watch(builder.serve_connection_with_upgrades(io, service).into_owned());
            tokio::select! {
                // How a connection ends is the client's business; requests have logged their own fate.
                _ = connection => {}
                _ = cut.wait_for(|cut| *cut) => {}
            }
            drop(place);
        });
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
