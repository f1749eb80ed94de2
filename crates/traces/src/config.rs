//! Where traces go, and which of them.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// More than any collector asks for.
const MOST_HEADERS: usize = 16;
/// Where OTLP takes traces over HTTP.
const PATH: &str = "/v1/traces";

/// Where traces go, and which of them; nowhere without `endpoint`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// The address of an OpenTelemetry collector that takes OTLP over HTTP, as `http://127.0.0.1:4318`.
    pub endpoint: Option<String>,
    /// What this process is called among others; `log.service` when not set.
    pub service: Option<String>,
    /// How many traces of all are kept: 0.01 is one in a hundred. Those with an error are kept besides.
    pub ratio: f64,
    /// Whether what callers say about keeping their trace is followed. For installations behind a gateway that decides:
    /// callers from the street could have everything kept.
    pub follow_callers: bool,
    /// Headers for the collector, such as `authorization`.
    #[serde(serialize_with = "kernel::masked::named")]
    pub headers: BTreeMap<String, SecretString>,
    /// How long the collector may take to answer, and all that is left at the end of the program to be sent.
    pub timeout_ms: u64,
    /// Spans that may wait to be sent; more are dropped and counted.
    pub queue: usize,
    /// How long the spans of a trace that was not chosen are held back, in case that an error follows.
    pub linger_ms: u64,
    /// Spans held back at most; beyond that the oldest traces are let go early.
    pub held_back: usize,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            service: None,
            ratio: 0.01,
            follow_callers: false,
            headers: BTreeMap::new(),
            timeout_ms: 5_000,
            queue: 8_192,
            linger_ms: 10_000,
            held_back: 20_000,
        }
    }
}

impl TracesConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting; it holds no secret.
    pub fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("traces.{name} must be between {least} and {most}, not {value}"))
            }
        };
        within("timeout_ms", self.timeout_ms, 100, 60_000)?;
        within("queue", self.queue as u64, 512, 1_000_000)?;
        within("linger_ms", self.linger_ms, 100, 300_000)?;
        within("held_back", self.held_back as u64, 0, 1_000_000)?;
        within("headers (count)", self.headers.len() as u64, 0, MOST_HEADERS as u64)?;
        if let Some(service) = &self.service {
            within("service (characters)", service.chars().count() as u64, 1, 100)?;
        }
        if !(0.0..=1.0).contains(&self.ratio) {
            return Err(format!("traces.ratio must be between 0 and 1, not {}", self.ratio));
        }
        self.sent_headers()?;
        self.url().map(drop)
    }

    /// The whole address that spans are sent to; none when they go nowhere.
    pub(crate) fn url(&self) -> Result<Option<Url>, String> {
        let Some(endpoint) = &self.endpoint else { return Ok(None) };
        let refused = || "traces.endpoint must be an http or https address without a password".to_owned();
        let url = Url::parse(endpoint).map_err(|_| refused())?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !plain || !url.has_host() || !matches!(url.scheme(), "http" | "https") {
            return Err(refused());
        }
        let base = url.as_str().trim_end_matches('/');
        let whole = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") };
        Url::parse(&whole).map(Some).map_err(|_| refused())
    }

    pub(crate) fn sent_headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, secret) in &self.headers {
            let key =
                HeaderName::try_from(name).map_err(|_| format!("traces.headers: {name:?} is no header"))?;
            let value = HeaderValue::try_from(secret.expose_secret());
            let mut value = value.map_err(|_| format!("traces.headers.{name} cannot stand in a header"))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        Ok(headers)
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(endpoint: &str) -> TracesConfig {
        TracesConfig { endpoint: Some(endpoint.to_owned()), ..TracesConfig::default() }
    }

    // OBS-2
    #[test]
    fn the_path_of_otlp_is_added_once() {
        for (given, whole) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://tempo.example/otlp/", "https://tempo.example/otlp/v1/traces"),
            ("https://tempo.example/v1/traces", "https://tempo.example/v1/traces"),
        ] {
            assert_eq!(to(given).url().unwrap().unwrap().as_str(), whole);
        }
        assert!(TracesConfig::default().url().unwrap().is_none());
    }

    #[test]
    fn what_cannot_work_is_refused_without_telling_secrets() {
        assert!(TracesConfig::default().validate().is_ok());
        for endpoint in ["", "tempo", "ftp://tempo", "http://me:hunter2@tempo", "http://tempo?key=hunter2"] {
            let told = to(endpoint).validate().unwrap_err();
            assert!(told.starts_with("traces.endpoint") && !told.contains("hunter2"), "{told}");
        }
        for ratio in [-0.1, 1.1, f64::NAN] {
            assert!(TracesConfig { ratio, ..to("http://tempo") }.validate().is_err(), "{ratio}");
        }
        for (name, value) in [("a b", "x"), ("authorization", "hunter2\n")] {
            let headers = BTreeMap::from([(name.to_owned(), value.into())]);
            let told = TracesConfig { headers, ..to("http://tempo") }.validate().unwrap_err();
            assert!(told.starts_with("traces.headers") && !told.contains("hunter2"), "{told}");
        }
    }
}
