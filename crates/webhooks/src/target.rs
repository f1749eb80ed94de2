//! Where a webhook may lead: which URLs, and which addresses their hosts may have.
//!
//! The same resolver answers when a webhook is made and whenever a connection is opened, and the connection goes to the
//! very addresses that were looked at: a name that changes its mind in between (DNS rebinding) gains nothing.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::sync::Semaphore;

use crate::{address::is_public, config::WebhooksConfig, model::URL_MAX};

/// Look-ups at once. The system's resolver cannot be interrupted: each occupies a thread until it is done.
const LOOKUPS_MAX: usize = 16;
/// How long a look-up is waited for.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// Addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 64;

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is no URL, or too long.
    #[error("it must be a URL of at most 2048 characters")]
    NoUrl,
    /// Neither https, nor http where that is allowed.
    #[error("it must begin with https://")]
    Scheme,
    /// It carries a user, a password or a fragment.
    #[error("it must have no user, password or fragment")]
    Extras,
    /// Its host has no address now.
    #[error("its host cannot be found")]
    Unknown,
    /// Its host's address is not on the public internet.
    #[error("its host is not on the public internet")]
    Closed,
}

/// Answers for names of hosts, with addresses that may be called only. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Resolver {
    lookups: Arc<Semaphore>,
    allow_private: bool,
    allow_http: bool,
}

impl Resolver {
    pub(crate) fn new(config: &WebhooksConfig) -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            allow_private: config.allow_private_networks,
            allow_http: config.allow_http,
        }
    }

    /// Reads a URL that may be called as far as it says itself; names are not looked up.
    pub(crate) fn read(&self, text: &str) -> Result<Url, TargetError> {
        if text.len() > URL_MAX || text.chars().any(char::is_control) {
            return Err(TargetError::NoUrl);
        }
        let url = Url::parse(text).map_err(|_| TargetError::NoUrl)?;
        if !(url.scheme() == "https" || self.allow_http && url.scheme() == "http") {
            return Err(TargetError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(TargetError::Extras);
        }
        if url.as_str().len() > URL_MAX || url.port() == Some(0) {
            return Err(TargetError::NoUrl);
        }
        if let Some(address) = literal(&url) {
            self.admit(&[address])?;
        }
        Ok(url)
    }

    /// [`Self::read`], and looks its host up.
    pub(crate) async fn check(&self, text: &str) -> Result<Url, TargetError> {
        let url = self.read(text)?;
        if literal(&url).is_none() {
            self.look_up(url.host_str().ok_or(TargetError::NoUrl)?).await?;
        }
        Ok(url)
    }

    /// One address that is not public closes the whole name: who mixes them is up to something.
    fn admit(&self, addresses: &[IpAddr]) -> Result<(), TargetError> {
        if addresses.is_empty() {
            return Err(TargetError::Unknown);
        }
        let open = self.allow_private || addresses.iter().all(|address| is_public(*address));
        if open { Ok(()) } else { Err(TargetError::Closed) }
    }

    async fn look_up(&self, host: &str) -> Result<Vec<SocketAddr>, TargetError> {
        let (host, lookups) = (host.to_owned(), self.lookups.clone());
        // The permit stays with the thread that looks up, also when nobody waits for it any more.
        let looking = async move {
            let permit = lookups.acquire_owned().await.map_err(|_| TargetError::Unknown)?;
            tokio::spawn(async move {
                let found = tokio::net::lookup_host((host, 0)).await;
                drop(permit);
                found.map(|found| found.take(ADDRESSES_MAX).collect::<Vec<_>>())
            })
            .await
            .map_err(|_| TargetError::Unknown)?
            .map_err(|_| TargetError::Unknown)
        };
        let found = tokio::time::timeout(LOOKUP_TIMEOUT, looking).await;
        let found = found.map_err(|_| TargetError::Unknown)??;
        let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
        self.admit(&addresses)?;
        Ok(found)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.look_up(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The address that stands in place of a name, in whatever notation it was written.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The refusal of a target within `error`, however deep.
pub(crate) fn refusal(error: &(dyn Error + 'static)) -> Option<TargetError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refused) = error.downcast_ref::<TargetError>() {
            return Some(*refused);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict() -> Resolver {
        Resolver::new(&WebhooksConfig::default())
    }

    // HTTP-14: whatever notation hides it, a private address is refused.
    #[test]
    fn urls_that_lead_to_private_places_are_refused_in_every_notation() {
        let closed = [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://0/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1:8443/hook",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:a00:1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://①②⑦.0.0.1/",
        ];
        for url in closed {
            assert_eq!(strict().read(url).unwrap_err(), TargetError::Closed, "{url}");
        }
        for url in ["https://93.184.215.14/hook?a=b", "https://shop.example:8443/", "https://[2606:4700::1]/"]
        {
            strict().read(url).unwrap();
        }
    }

    #[test]
    fn only_plain_https_urls_are_taken_unless_http_is_allowed() {
        let refused = |url: &str| strict().read(url).unwrap_err();
        assert_eq!(refused("http://93.184.215.14/"), TargetError::Scheme);
        for url in ["ftp://a.example/", "file:///etc/passwd", "gopher://a.example/"] {
            assert_eq!(refused(url), TargetError::Scheme, "{url}");
        }
        for url in ["https://user@a.example/", "https://a:b@a.example/", "https://a.example/#part"] {
            assert_eq!(refused(url), TargetError::Extras, "{url}");
        }
        let long = format!("https://a.example/{}", "a".repeat(URL_MAX));
        for url in [
            "",
            "hook",
            "https://",
            "https://a b/",
            "https://a.example:99999/",
            "https://a.example:0/",
            &long,
        ] {
            assert_eq!(refused(url), TargetError::NoUrl, "{url}");
        }
        let lenient = WebhooksConfig { allow_http: true, ..WebhooksConfig::default() };
        Resolver::new(&lenient).read("http://93.184.215.14/").unwrap();
        assert_eq!(Resolver::new(&lenient).read("http://127.0.0.1/").unwrap_err(), TargetError::Closed);
    }

    // HTTP-14: names are looked at where they lead, when asked and when connecting.
    #[tokio::test]
    async fn names_that_lead_to_private_addresses_are_refused() {
        let refused = strict().check("https://localhost/").await.unwrap_err();
        assert_eq!(refused, TargetError::Closed);
        let connecting = strict().resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert_eq!(refusal(connecting.as_ref()), Some(TargetError::Closed));
        let unknown = strict().check("https://nobody.invalid/").await.unwrap_err();
        assert_eq!(unknown, TargetError::Unknown);
        let open = WebhooksConfig { allow_private_networks: true, ..WebhooksConfig::default() };
        Resolver::new(&open).check("https://localhost/").await.unwrap();
    }
}
