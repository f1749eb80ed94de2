//! A port at which a server is reached that listens elsewhere, as behind a load balancer.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// Where the server listens.
#[derive(Clone)]
pub enum Target {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// Carries connections until it is dropped.
pub struct Relay {
    pub port: u16,
    resets: watch::Sender<()>,
    carrier: JoinHandle<()>,
}

impl Relay {
    pub async fn open(at: Ipv4Addr, target: Target) -> Self {
        let listener = TcpListener::bind((at, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (resets, reset) = watch::channel(());
        let carrier = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                    taken = listener.accept() => {
                        let Ok((client, _)) = taken else { continue };
                        open.spawn(carry(client, target.clone(), reset.clone()));
                    }
                    Some(_) = open.join_next() => {}
                }
            }
        });
        Self { port, resets, carrier }
    }

    /// Breaks off all connections without a farewell.
    pub fn reset(&self) {
        self.resets.send_replace(());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

async fn carry(client: TcpStream, target: Target, reset: watch::Receiver<()>) {
    // Small packets go at once, as the servers' own would.
    let _ = client.set_nodelay(true);
    match target {
        Target::Unix(path) => join(client, UnixStream::connect(path).await.ok(), reset).await,
        Target::Tcp(address) => join(client, TcpStream::connect(address).await.ok(), reset).await,
    }
}

/// Between a client and a server; a server that is not there is a connection that is reset.
async fn join<S>(mut client: TcpStream, server: Option<S>, mut reset: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    reset.mark_unchanged();
    if let Some(mut server) = server {
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = reset.changed() => {}
        }
    }
    let _ = client.set_zero_linger();
}
