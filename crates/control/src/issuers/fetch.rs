//! Reading an issuer's documents over HTTP: bounded in time and size, no redirects, TLS except to this machine.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use reqwest::{Client, Url, redirect::Policy};
use resilience::Retries;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

const TIMEOUT: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 1 << 20;

/// Why an issuer cannot be used now. Never holds what the issuer sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0} is not an https address")]
    Address(String),
    #[error("{0} cannot be read: {1}")]
    Unreachable(String, String),
    #[error("{0} answers with status {1}")]
    Refused(String, u16),
    #[error("{0} is not the document expected")]
    Document(String),
    #[error("the discovery document names another issuer")]
    OtherIssuer,
}

impl FetchError {
    /// Whether asking again may help.
    fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(..) | Self::Refused(_, 429 | 500..))
    }
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// The client; made when first needed, because most installations never need it.
#[derive(Debug)]
pub(super) struct Fetcher {
    client: OnceCell<Client>,
    insecure: bool,
    retries: Retries,
}

impl Fetcher {
    pub(super) fn new(insecure: bool, retries: Retries) -> Self {
        Self { client: OnceCell::new(), insecure, retries }
    }

    /// Whether tokens of `url` may be taken at all: https, or this machine.
    pub(super) fn check_address(&self, url: &str) -> Result<Url, FetchError> {
        let refused = || FetchError::Address(url.chars().take(200).collect());
        let parsed = Url::parse(url).map_err(|_| refused())?;
        let local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let secure = parsed.scheme() == "https" || (parsed.scheme() == "http" && (local || self.insecure));
        let plain = parsed.username().is_empty()
            && parsed.password().is_none()
            && parsed.query().is_none()
            && parsed.fragment().is_none();
        if secure && plain && parsed.has_host() { Ok(parsed) } else { Err(refused()) }
    }

    /// The keys of issuer `url`, by way of its discovery document.
    pub(super) async fn fetch_keys(&self, url: &str) -> Result<JwkSet, FetchError> {
        self.check_address(url)?;
        let place = format!("{}/.well-known/openid-configuration", url.trim_end_matches('/'));
        let discovery: Discovery = self.get(&place).await?;
        if discovery.issuer != url {
            return Err(FetchError::OtherIssuer);
        }
        self.check_address(&discovery.jwks_uri)?;
        self.get(&discovery.jwks_uri).await
    }

    /// Reads a document; again when the issuer does not answer.
    async fn get<T: DeserializeOwned>(&self, place: &str) -> Result<T, FetchError> {
        let reading = self.retries.run(FetchError::is_passing, || self.get_once(place));
        let late =
            |_| FetchError::Unreachable(place.chars().take(200).collect(), "no answer in time".to_owned());
        tokio::time::timeout(TIMEOUT, reading).await.map_err(late)?
    }

    async fn get_once<T: DeserializeOwned>(&self, place: &str) -> Result<T, FetchError> {
        let shown = || place.chars().take(200).collect::<String>();
        let unreachable =
            |error: reqwest::Error| FetchError::Unreachable(shown(), error.without_url().to_string());
        let client = self.client.get_or_try_init(build).await.map_err(unreachable)?;
        let request = client.get(place).header("accept", "application/json");
        let mut answer = request.send().await.map_err(unreachable)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Refused(shown(), answer.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MOST_BYTES {
                return Err(FetchError::Document(shown()));
            }
        }
        serde_json::from_slice(&bytes).map_err(|_| FetchError::Document(shown()))
    }
}

async fn build() -> Result<Client, reqwest::Error> {
    Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(Duration::from_secs(3))
        .redirect(Policy::none())
        .user_agent(concat!("markethall/", env!("CARGO_PKG_VERSION")))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine_is_asked() {
        let retries = || resilience::Breakers::default().retries("test");
        let fetcher = Fetcher::new(false, retries());
        for url in [
            "https://id.example",
            "https://id.example/realms/a",
            "http://127.0.0.1:4000",
            "http://localhost/x",
        ] {
            assert!(fetcher.check_address(url).is_ok(), "{url}");
        }
        for url in
            ["http://id.example", "ftp://id.example", "file:///etc/passwd", "https://a:b@id.example", "x", ""]
        {
            assert!(fetcher.check_address(url).is_err(), "{url}");
        }
        assert!(Fetcher::new(true, retries()).check_address("http://id.example").is_ok());
    }
}
