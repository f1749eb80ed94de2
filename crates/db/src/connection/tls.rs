//! What a server's certificate is checked for, by rustls.

use std::{
    fs,
    io::Read as _,
    path::Path,
    sync::{Arc, LazyLock},
};

use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, WantsVerifier,
    client::{
        WantsClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{ConnectionError, Files, Proof};

/// The name for the authorities that the system trusts.
pub(super) const SYSTEM: &str = "system";
/// The longest file that is read.
const MOST_BYTES: u64 = 1 << 20;

/// Encrypts without asking who is there; also given to the driver where nothing is encrypted, for it wants somebody.
pub(super) fn unverified() -> MakeRustlsConnect {
    static UNVERIFIED: LazyLock<MakeRustlsConnect> = LazyLock::new(|| {
        let verifier = Arc::new(Lenient { roots: None });
        let config = builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        MakeRustlsConnect::new(config)
    });
    UNVERIFIED.clone()
}

/// Encrypts after the server has proved as much as is asked of it.
pub(super) fn connector(proof: Proof, files: &Files) -> Result<MakeRustlsConnect, ConnectionError> {
    let authorities = || authorities(files.roots.as_deref());
    let verified = match proof {
        Proof::Nothing => {
            builder().dangerous().with_custom_certificate_verifier(Arc::new(Lenient { roots: None }))
        }
        Proof::Authority => {
            let roots = Some(authorities()?);
            builder().dangerous().with_custom_certificate_verifier(Arc::new(Lenient { roots }))
        }
        Proof::Name => builder().with_root_certificates(authorities()?),
    };
    let mut config = identified(verified, files)?;
    // For `sslnegotiation=direct`; older servers take no notice.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

#[expect(clippy::expect_used, reason = "the provider is compiled in, with suites for both versions of TLS")]
fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("suites for both versions of TLS")
}

/// With our own certificate, for servers that want one.
fn identified(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    files: &Files,
) -> Result<ClientConfig, ConnectionError> {
    let (cert, key) = match (&files.cert, &files.key) {
        (None, None) => return Ok(builder.with_no_client_auth()),
        (Some(cert), Some(key)) => (cert, key),
        (Some(_), None) => {
            return Err(ConnectionError::Setting { setting: "sslkey", wanted: "given with sslcert" });
        }
        (None, Some(_)) => {
            return Err(ConnectionError::Setting { setting: "sslcert", wanted: "given with sslkey" });
        }
    };
    let chain = certificates("sslcert", cert)?;
    let bytes = read("sslkey", key)?;
    let private = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| unusable("sslkey", key, "holds no private key in PEM format"))?;
    builder
        .with_client_auth_cert(chain, private)
        .map_err(|error| unusable("sslcert", cert, &format!("cannot be used: {error}")))
}

/// Whom to trust: those in the file, else the system's.
fn authorities(path: Option<&Path>) -> Result<RootCertStore, ConnectionError> {
    let mut roots = RootCertStore::empty();
    match path.filter(|path| path.as_os_str() != SYSTEM) {
        Some(path) => {
            for certificate in certificates("sslrootcert", path)? {
                let added = roots.add(certificate);
                added.map_err(|error| unusable("sslrootcert", path, &format!("cannot be used: {error}")))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                let cause = "the system trusts no authorities; name a file".to_owned();
                return Err(ConnectionError::File { setting: "sslrootcert", cause });
            }
        }
    }
    Ok(roots)
}

fn certificates(setting: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectionError> {
    let bytes = read(setting, path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    chain.ok_or_else(|| unusable(setting, path, "holds no certificates in PEM format"))
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, ConnectionError> {
    let wrong = |error: std::io::Error| unusable(setting, path, &format!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(wrong)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unusable(setting, path, "is longer than a mebibyte"));
    }
    Ok(bytes)
}

fn unusable(setting: &'static str, path: &Path, cause: &str) -> ConnectionError {
    ConnectionError::File { setting, cause: format!("{} {cause}", path.display()) }
}

/// Asks for no name: takes a certificate of these authorities, or of anybody. The server proves in any case that it
/// has the key of the certificate that it shows.
#[derive(Debug)]
struct Lenient {
    roots: Option<RootCertStore>,
}

impl Lenient {
    fn algorithms() -> WebPkiSupportedAlgorithms {
        aws_lc_rs::default_provider().signature_verification_algorithms
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = Self::algorithms().all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &Self::algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &Self::algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Self::algorithms().supported_schemes()
    }
}
