//! Where a database is, who signs in, and how the way there is protected (DPR-5): the URLs of libpq with `sslmode`,
//! `sslrootcert`, `sslcert` and `sslkey`, and with several servers of which one takes writes.

mod servers;
mod tls;

use std::{
    fmt,
    ops::{Deref, DerefMut},
    path::PathBuf,
    str::FromStr,
};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Client, Config, Connection, Error, Socket,
    config::{Host, SslMode},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) use servers::Connector;

/// A connection of ours: encrypted or not, as the server and the settings have it.
pub(crate) type Wire = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// How much a server has to prove, as libpq has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Nothing: encrypted against listeners, not against impostors.
    Nothing,
    /// A certificate of a trusted authority, for whatever name.
    Authority,
    /// A certificate of a trusted authority for the name that was asked for.
    Name,
}

/// What a connection string says that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// It cannot be read. It is not shown: it holds a password.
    #[error("must be a URL like postgres://user:password@host:5432/postgres")]
    Unreadable,
    /// A setting has no meaning.
    #[error("{setting} must be {wanted}")]
    Setting {
        /// As in the URL.
        setting: &'static str,
        /// What it may be.
        wanted: &'static str,
    },
    /// A file of TLS cannot be used.
    #[error("{setting}: {cause}")]
    File {
        /// As in the URL.
        setting: &'static str,
        /// The file and what is wrong with it.
        cause: String,
    },
}

/// How to reach a database. Reads the URLs of libpq; the driver's own settings can be reached through it.
#[derive(Clone)]
pub struct ConnectionConfig {
    driver: Config,
    tls: MakeRustlsConnect,
    last: servers::Last,
}

impl ConnectionConfig {
    /// Nowhere yet, and nothing encrypted.
    #[must_use]
    pub fn new() -> Self {
        let mut driver = Config::new();
        driver.ssl_mode(SslMode::Disable);
        Self { driver, tls: tls::unverified(), last: servers::Last::default() }
    }

    /// Connects; the second part is to be polled for anything to happen. Of several servers the one that takes writes
    /// is found, even where another one has vanished.
    pub(crate) async fn open(&self) -> Result<(Client, Wire), Error> {
        servers::connect(&self.driver, &self.tls, &self.last).await
    }
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for ConnectionConfig {
    type Target = Config;
    fn deref(&self) -> &Config {
        &self.driver
    }
}

impl DerefMut for ConnectionConfig {
    fn deref_mut(&mut self) -> &mut Config {
        &mut self.driver
    }
}

impl fmt::Debug for ConnectionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The driver leaves the password out.
        f.debug_tuple("ConnectionConfig").field(&self.driver).finish()
    }
}

impl FromStr for ConnectionConfig {
    type Err = ConnectionError;

    fn from_str(text: &str) -> Result<Self, ConnectionError> {
        let (bare, wanted) = Wanted::take_from(text)?;
        let mut driver: Config = bare.parse().map_err(|_| ConnectionError::Unreadable)?;
        servers::want_writes(&mut driver)?;
        let last = servers::Last::default();
        if driver.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
            // Nobody listens in between, and PostgreSQL encrypts nothing there.
            driver.ssl_mode(SslMode::Disable);
            return Ok(Self { driver, tls: tls::unverified(), last });
        }
        let given = driver.get_ssl_mode();
        let (mode, proof) = wanted.protection(given)?;
        driver.ssl_mode(mode);
        Ok(Self { driver, tls: tls::connector(proof, &wanted.files)?, last })
    }
}

/// What a URL says about TLS that the driver does not know.
#[derive(Debug, Default)]
struct Wanted {
    mode: Option<String>,
    files: Files,
}

/// The files named in a URL.
#[derive(Debug, Default)]
struct Files {
    /// Authorities to trust; the system's when none is named.
    roots: Option<PathBuf>,
    /// Our own certificate, for servers that want one.
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Wanted {
    /// The URL without what the driver does not know, and that. Strings of keywords are the driver's own.
    fn take_from(text: &str) -> Result<(String, Self), ConnectionError> {
        let mut wanted = Self::default();
        let Some((place, query)) = text.split_once('?').filter(|(place, _)| place.contains("://")) else {
            return Ok((text.to_owned(), wanted));
        };
        let mut rest = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = || {
                let text = percent_decode_str(value).decode_utf8().map_err(|_| ConnectionError::Unreadable);
                text.map(|text| text.into_owned())
            };
            match name {
                "sslmode" => wanted.mode = Some(plain()?),
                "sslrootcert" => wanted.files.roots = Some(plain()?.into()),
                "sslcert" => wanted.files.cert = Some(plain()?.into()),
                "sslkey" => wanted.files.key = Some(plain()?.into()),
                // libpq's other word for it.
                "target_session_attrs" if value == "primary" => rest.push("target_session_attrs=read-write"),
                _ => rest.push(pair),
            }
        }
        let bare = if rest.is_empty() { place.to_owned() } else { format!("{place}?{}", rest.join("&")) };
        Ok((bare, wanted))
    }

    /// The driver's mode, and how much the server has to prove.
    fn protection(&self, given: SslMode) -> Result<(SslMode, Proof), ConnectionError> {
        let rooted = self.files.roots.is_some();
        // With an authority at hand libpq verifies even when only encryption was asked for.
        let proof = if rooted { Proof::Authority } else { Proof::Nothing };
        let (mode, proof) = match self.mode.as_deref() {
            None => (given, proof),
            Some("disable") => (SslMode::Disable, Proof::Nothing),
            Some("prefer") => (SslMode::Prefer, proof),
            Some("require") => (SslMode::Require, proof),
            Some("verify-ca") => (SslMode::Require, Proof::Authority),
            Some("verify-full") => (SslMode::Require, Proof::Name),
            Some(_) => {
                let wanted = "disable, prefer, require, verify-ca or verify-full";
                return Err(ConnectionError::Setting { setting: "sslmode", wanted });
            }
        };
        let system = self.files.roots.as_ref().is_some_and(|path| path.as_os_str() == tls::SYSTEM);
        if system && proof != Proof::Name {
            // Anybody can have a certificate of a public authority, for a name of his own.
            return Err(ConnectionError::Setting {
                setting: "sslmode",
                wanted: "verify-full with sslrootcert=system",
            });
        }
        Ok((mode, proof))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(SslMode, Proof), ConnectionError> {
        let text = format!("postgres://u:p@db.example:5432/postgres{query}");
        let (bare, wanted) = Wanted::take_from(&text)?;
        let driver: Config = bare.parse().map_err(|_| ConnectionError::Unreadable)?;
        wanted.protection(driver.get_ssl_mode())
    }

    // DPR-5: as libpq reads them.
    #[test]
    fn what_a_server_has_to_prove_is_read_from_the_url() {
        for (query, mode, proof) in [
            ("", SslMode::Prefer, Proof::Nothing),
            ("?connect_timeout=3", SslMode::Prefer, Proof::Nothing),
            ("?sslmode=disable", SslMode::Disable, Proof::Nothing),
            ("?sslmode=prefer&connect_timeout=3", SslMode::Prefer, Proof::Nothing),
            ("?sslmode=require", SslMode::Require, Proof::Nothing),
            ("?sslmode=require&sslrootcert=/ca.pem", SslMode::Require, Proof::Authority),
            ("?sslmode=verify-ca", SslMode::Require, Proof::Authority),
            ("?connect_timeout=3&sslmode=verify-full", SslMode::Require, Proof::Name),
            ("?sslrootcert=system&sslmode=verify-full", SslMode::Require, Proof::Name),
        ] {
            assert_eq!(read(query).unwrap(), (mode, proof), "{query}");
        }
        for query in
            ["?sslmode=verify", "?sslmode=", "?sslrootcert=system", "?sslmode=verify-ca&sslrootcert=system"]
        {
            let refused = read(query).unwrap_err().to_string();
            assert!(refused.starts_with("sslmode must be "), "{query}: {refused}");
        }
        assert!(matches!(read("?nonsense=1"), Err(ConnectionError::Unreadable)));
    }

    #[test]
    fn paths_are_decoded_and_the_rest_is_left_to_the_driver() {
        let text =
            "postgres://u:p%40ss@h/db?sslrootcert=/a%20b/ca.pem&application_name=x%26y&sslcert=c&sslkey=k";
        let (bare, wanted) = Wanted::take_from(text).unwrap();
        assert_eq!(bare, "postgres://u:p%40ss@h/db?application_name=x%26y");
        let files = wanted.files;
        assert_eq!(files.roots, Some("/a b/ca.pem".into()));
        assert_eq!((files.cert, files.key), (Some("c".into()), Some("k".into())));
        let words = "host=/run/postgresql user=u password='a sslmode=x b'";
        assert_eq!(Wanted::take_from(words).unwrap().0, words);
        let socket: ConnectionConfig = "postgres://u:p@%2Frun%2Fpg/db?sslmode=verify-full".parse().unwrap();
        assert_eq!(socket.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let config: ConnectionConfig = "postgres://u:hunter2@h/db".parse().unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        for text in ["hunter2", "postgres://u:hunter2@h:port/db", "postgres://u:hunter2@h/db?sslmode=x"] {
            let refused = text.parse::<ConnectionConfig>().unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{text}");
        }
    }
}
