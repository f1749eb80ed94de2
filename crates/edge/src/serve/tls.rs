//! TLS by rustls: the certificate is read again when its files change.

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::Path,
    sync::{Arc, Mutex, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::MissedTickBehavior,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{ListenError, ServeConfig, TlsConfig};

/// The longest file of certificates that is read.
const MOST_BYTES: u64 = 1 << 20;
const RELOADS: &str = "markethall_tls_reloads_total";

/// How connections become encrypted.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
    config: TlsConfig,
}

impl Tls {
    /// Reads the files.
    pub(super) fn new(config: &TlsConfig) -> Result<Self, ListenError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = read(config)?;
        let key = parse(config, &files, &provider)?;
        let certificate = Arc::new(Certificate {
            provider: provider.clone(),
            current: RwLock::new(Arc::new(key)),
            seen: Mutex::new(Some(files.hash())),
        });
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ListenError::Tls { cause: error.to_string() })?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: Arc::new(server).into(), certificate, config: config.clone() })
    }

    /// The handshake, given up when it takes too long.
    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let limit = Duration::from_millis(self.config.handshake_timeout_ms);
        tokio::time::timeout(limit, self.acceptor.accept(stream)).await?
    }

    /// Looks at the files again and again, until dropped.
    pub(super) async fn keep(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(self.config.reload_ms));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (certificate, config) = (self.certificate.clone(), self.config.clone());
            // Files may lie on a slow volume.
            let _ = tokio::task::spawn_blocking(move || certificate.reload(&config)).await;
        }
    }
}

/// Reads the certificate of `config`, if any, and refuses one that cannot be used, without listening.
///
/// # Errors
/// The setting, the file and what is wrong with it.
pub fn check_files(config: &ServeConfig) -> Result<(), ListenError> {
    config.tls.as_ref().map(Tls::new).transpose().map(drop)
}

/// The certificate in force.
struct Certificate {
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    /// What was last read, good or bad, so that each change is tried and told of once; `None` when it was unreadable.
    seen: Mutex<Option<[u8; 32]>>,
}

impl Certificate {
    /// Puts a changed certificate in force; one that cannot be used is told of, and the old one stays.
    fn reload(&self, config: &TlsConfig) {
        let read = read(config);
        let Ok(mut seen) = self.seen.lock() else { return };
        let hash = read.as_ref().ok().map(Files::hash);
        if *seen == hash {
            return;
        }
        *seen = hash;
        let key = read.and_then(|files| parse(config, &files, &self.provider));
        let outcome = match key {
            Ok(key) => {
                if let Ok(mut current) = self.current.write() {
                    *current = Arc::new(key);
                }
                tracing::info!("the changed certificate is in force for new connections");
                "changed"
            }
            Err(error) => {
                tracing::warn!(error = %error, "the changed certificate cannot be used, the old one stays in force");
                "refused"
            }
        };
        metrics::counter!(RELOADS, "outcome" => outcome).increment(1);
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.read().ok().map(|current| current.clone())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

/// What the two files hold.
struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    fn hash(&self) -> [u8; 32] {
        let cert = Sha256::digest(&self.cert);
        Sha256::new().chain_update(cert).chain_update(&self.key).finalize().into()
    }
}

fn read(config: &TlsConfig) -> Result<Files, ListenError> {
    let read = |setting: &str, path: &Path| {
        let wrong = |cause: String| ListenError::Tls {
            cause: format!("serve.tls.{setting}: cannot read {}: {cause}", path.display()),
        };
        let mut bytes = Vec::new();
        let file = fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(wrong("it is longer than a mebibyte".to_owned()));
        }
        Ok(bytes)
    };
    Ok(Files { cert: read("cert", &config.cert)?, key: read("key", &config.key)? })
}

fn parse(config: &TlsConfig, files: &Files, provider: &CryptoProvider) -> Result<CertifiedKey, ListenError> {
    let wrong = |setting: &str, path: &Path, cause: &str| ListenError::Tls {
        cause: format!("serve.tls.{setting}: {} {cause}", path.display()),
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&files.cert).collect();
    let chain = chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| wrong("cert", &config.cert, "holds no certificates in PEM format"))?;
    let key = PrivateKeyDer::from_pem_slice(&files.key)
        .map_err(|_| wrong("key", &config.key, "holds no private key in PEM format"))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            wrong("key", &config.key, "is not the key of the certificate in serve.tls.cert")
        }
        // rustls says what is wrong with the form, never what is in the key.
        error => wrong("cert", &config.cert, &format!("cannot be used: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey as Made, KeyPair, generate_simple_self_signed};

    use super::*;

    // HTTP-13
    #[test]
    fn changed_files_that_cannot_be_used_leave_the_old_certificate_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let config = TlsConfig {
            cert: folder.path().join("cert.pem"),
            key: folder.path().join("key.pem"),
            reload_ms: 10_000,
            handshake_timeout_ms: 10_000,
        };
        let issue = || -> Made<KeyPair> {
            let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            fs::write(&config.cert, made.cert.pem()).unwrap();
            fs::write(&config.key, made.signing_key.serialize_pem()).unwrap();
            made
        };
        let first = issue();
        let tls = Tls::new(&config).unwrap();
        let shown = |reload: bool| {
            if reload {
                tls.certificate.reload(&config);
            }
            tls.certificate.current.read().unwrap().cert[0].clone()
        };
        assert_eq!(shown(true), *first.cert.der());
        // A key that is not the certificate's, nonsense, nothing at all.
        fs::write(&config.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert_eq!(shown(true), *first.cert.der());
        fs::write(&config.cert, "nonsense").unwrap();
        assert_eq!(shown(true), *first.cert.der());
        fs::remove_file(&config.cert).unwrap();
        assert_eq!(shown(true), *first.cert.der());
        let second = issue();
        assert_eq!(shown(false), *first.cert.der());
        assert_eq!(shown(true), *second.cert.der());
    }
}
