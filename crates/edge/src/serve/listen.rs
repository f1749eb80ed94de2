//! Where connections come from: an address, encrypted or not, and a Unix socket beside it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::{ServeConfig, tls::Tls, unix::UnixSocket};

/// Nobody can be served there.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {cause}")]
    Address {
        /// Which.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// The Unix socket cannot be had.
    #[error("serve.unix_socket: cannot listen on {}: {cause}", .path.display())]
    UnixSocket {
        /// Which.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// The certificate cannot be used.
    #[error("{cause}")]
    Tls {
        /// The setting, the file and what is wrong with it.
        cause: String,
    },
    /// Settings that cannot work.
    #[error("{0}")]
    Config(String),
}

/// All that is listened on; given to [`super::serve`].
pub struct Listeners {
    tcp: TcpListener,
    pub(super) tls: Option<std::sync::Arc<Tls>>,
    unix: Option<UnixSocket>,
}

/// Somebody has connected.
pub(super) enum Arrived {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl From<TcpListener> for Listeners {
    /// Plain HTTP on one address.
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, tls: None, unix: None }
    }
}

impl Listeners {
    /// Listens on `address` and on the Unix socket of `config`, if any, and reads the certificate, if any. Whoever
    /// connects waits until [`super::serve`] is called.
    ///
    /// # Errors
    /// A sentence for the operator: what cannot be had or read, and why.
    pub async fn bind(address: SocketAddr, config: &ServeConfig) -> Result<Self, ListenError> {
        let mode = config.socket_mode().map_err(ListenError::Config)?;
        let tls = config.tls.as_ref().map(Tls::new).transpose()?.map(Into::into);
        let tcp = TcpListener::bind(address).await;
        let tcp = tcp.map_err(|cause| ListenError::Address { address, cause })?;
        let unix = config.unix_socket.as_deref().map(|path| UnixSocket::bind(path, mode)).transpose()?;
        Ok(Self { tcp, tls, unix })
    }

    /// The address, with the port that the system chose when 0 was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Whether clients of the address speak TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// The Unix socket.
    #[must_use]
    pub fn unix_socket(&self) -> Option<&Path> {
        self.unix.as_ref().map(UnixSocket::path)
    }

    /// The next connection, from wherever it comes.
    pub(super) async fn accept(&self) -> io::Result<Arrived> {
        let over_tcp = async {
            let (stream, peer) = self.tcp.accept().await?;
            Ok(Arrived::Tcp(stream, peer.ip().to_canonical()))
        };
        let Some(unix) = &self.unix else { return over_tcp.await };
        tokio::select! {
            arrived = over_tcp => arrived,
            stream = unix.accept() => stream.map(Arrived::Unix),
        }
    }
}
