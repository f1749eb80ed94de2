//! Settings of the server loop.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where and how the server loop listens, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// TLS on the address that is served; without it plain HTTP.
    pub tls: Option<TlsConfig>,
    /// A Unix socket that is served as well, always plain HTTP; whoever may write to it may call.
    pub unix_socket: Option<PathBuf>,
    /// Who may write to the Unix socket, as octal digits of a file mode.
    pub unix_socket_mode: String,
}

/// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate and those between it and the root, PEM, in this order.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// How often the two files are looked at; changed ones serve new connections without a restart.
    #[serde(default = "every_ten_seconds")]
    pub reload_ms: u64,
    /// A handshake that takes longer is given up.
    #[serde(default = "ten_seconds")]
    pub handshake_timeout_ms: u64,
}

fn every_ten_seconds() -> u64 {
    10_000
}

fn ten_seconds() -> u64 {
    10_000
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
            tls: None,
            unix_socket: None,
            unix_socket_mode: "660".to_owned(),
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
        within("grace_ms", millis(self.grace_ms), 0, 600_000)?;
        if let Some(tls) = &self.tls {
            within("tls.reload_ms", millis(tls.reload_ms), 10, 86_400_000)?;
            within("tls.handshake_timeout_ms", millis(tls.handshake_timeout_ms), 10, 600_000)?;
        }
        if let Some(path) = &self.unix_socket {
            // What the kernel has room for.
            within("unix_socket (bytes in its path)", path.as_os_str().len(), 1, 107)?;
        }
        self.socket_mode().map(drop)
    }

    /// The mode of the Unix socket; nobody executes a socket.
    pub(super) fn socket_mode(&self) -> Result<u32, String> {
        let digits = &self.unix_socket_mode;
        let mode = u32::from_str_radix(digits, 8)
            .ok()
            .filter(|mode| (3..=4).contains(&digits.len()) && mode & !0o666 == 0 && mode & 0o600 == 0o600);
        mode.ok_or_else(|| {
            format!(
                "serve.unix_socket_mode must be octal digits like \"600\", \"660\" or \"666\", not {digits:?}"
            )
        })
    }
}
