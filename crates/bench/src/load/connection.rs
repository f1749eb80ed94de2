//! One kept-alive connection with one request under way.

use std::io;

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::response;

/// Opens itself again after an error.
pub(super) struct Connection {
    address: String,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

impl Connection {
    pub(super) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None, received: Vec::with_capacity(16 * 1024) }
    }

    /// Sends `request` and waits for its whole answer; gives the status, and the body of what is no success.
    ///
    /// # Errors
    /// When the connection cannot be opened, breaks, or the answer is no HTTP.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<(u16, Option<String>)> {
        let result = self.try_exchange(request).await;
        if result.is_err() {
            self.stream = None;
        }
        result
    }

    async fn try_exchange(&mut self, request: &[u8]) -> Result<(u16, Option<String>)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(open(&self.address).await?),
        };
        stream.write_all(request).await?;
        self.received.clear();
        let response = loop {
            if stream.read_buf(&mut self.received).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(response) = response::parse(&self.received)? {
                break response;
            }
        };
        if response.length != self.received.len() {
            bail!("more than one answer to one request");
        }
        if response.closes {
            self.stream = None;
        }
        let body = (response.status >= 400)
            .then(|| String::from_utf8_lossy(&self.received[response.body..]).into_owned());
        Ok((response.status, body))
    }
}

async fn open(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true).map_err(io::Error::other)?;
    Ok(stream)
}
