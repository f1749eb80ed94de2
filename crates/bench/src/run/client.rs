//! A blocking HTTP client for setting things up: one request, one connection, JSON both ways.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::load::parse_response;

/// Makes every key one of its own.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) address: SocketAddr,
    pub(super) tenant: String,
    pub(super) token: String,
}

impl Session {
    /// What stands at `path`.
    ///
    /// # Errors
    /// On anything but a 2xx answer, with its text.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, None)
    }

    /// Creates something at `path`, with an idempotency key of its own.
    ///
    /// # Errors
    /// On anything but a 2xx answer, with its text.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, Some(body))
    }

    /// Replaces what stands at `path`.
    ///
    /// # Errors
    /// On anything but a 2xx answer, with its text.
    pub(super) fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("PUT", path, Some(body))
    }

    /// The headers that say who asks.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        vec![
            ("authorization".to_owned(), format!("Bearer {}", self.token)),
            ("x-tenant".to_owned(), self.tenant.clone()),
        ]
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in self.headers() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
            head.push_str(&format!("idempotency-key: bench-{}-{number}\r\n", std::process::id()));
            head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
        }
        let (status, text) = exchange(self.address, &format!("{head}\r\n{body}"))?;
        if !(200..300).contains(&status) {
            bail!("{method} {path}: {status} {text}");
        }
        if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).context("not JSON") }
    }
}

/// The status of a plain GET; an error while nobody answers.
pub(super) fn probe(address: SocketAddr, path: &str) -> Result<u16> {
    Ok(plain(address, path)?.0)
}

/// The text of a plain GET.
pub(super) fn fetch(address: SocketAddr, path: &str) -> Result<String> {
    Ok(plain(address, path)?.1)
}

fn plain(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n"))
}

fn exchange(address: SocketAddr, request: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes())?;
    let mut received = Vec::new();
    let mut block = [0; 16 * 1024];
    loop {
        if let Some(response) = parse_response(&received)? {
            let body = &received[response.body..response.length];
            return Ok((response.status, String::from_utf8_lossy(body).into_owned()));
        }
        match stream.read(&mut block)? {
            0 => bail!("the server closed the connection"),
            size => received.extend_from_slice(&block[..size]),
        }
    }
}
