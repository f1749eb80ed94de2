//! Secrets from a Vault: the secret settings that a key-value engine holds under one path, read at the start (DPR-5).

use std::{collections::BTreeMap, fs, net::IpAddr, path::PathBuf, time::Duration};

use figment::{Figment, providers::Serialized};
use http::{HeaderValue, StatusCode};
use reqwest::{Certificate, Client, Url, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret_files::is_secret;

/// The longest answer that is read.
const MOST_BYTES: usize = 1 << 20;

/// Where a Vault is, and what is ours in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// `https://vault.example:8200`; `http` for this machine only.
    pub address: String,
    /// Where the secrets are, as in Vault's API: `secret/data/markethall` (version 2), `kv/markethall` (version 1). Each
    /// field is named like the setting that it holds, `database.url`.
    pub path: String,
    /// A token that may read there.
    #[serde(serialize_with = "kernel::masked::secret")]
    pub token: SecretString,
    /// A PEM file with the authority to trust, instead of those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long the answer may take.
    #[serde(default = "five_seconds")]
    pub timeout_ms: u64,
}

fn five_seconds() -> u64 {
    5_000
}

/// The same settings with those that a Vault holds, when one is configured.
///
/// # Errors
/// A sentence for the operator: what is wrong with the settings, or what Vault says. Never a secret.
pub(crate) fn read_secrets(figment: Figment) -> Result<Figment, String> {
    if figment.find_value("vault").is_err() {
        return Ok(figment);
    }
    let config: VaultConfig = figment.extract_inner("vault").map_err(|error| error.to_string())?;
    let url = config.url()?;
    let mut figment = figment;
    for (setting, secret) in fetch(&config, url).map_err(|cause| format!("vault: {cause}"))? {
        if !is_secret(&setting) {
            return Err(format!("vault: {setting} at {} is no secret setting", config.path));
        }
        if figment.find_value(&setting).is_ok() {
            return Err(format!("{setting} is set, and in Vault as well; keep one"));
        }
        figment = figment.merge(Serialized::default(&setting, secret));
    }
    Ok(figment)
}

impl VaultConfig {
    fn url(&self) -> Result<Url, String> {
        let wrong = || "vault.address must be a URL like https://vault.example:8200".to_owned();
        let mut url: Url = self.address.parse().map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !(url.scheme() == "https" || (url.scheme() == "http" && here)) {
            return Err("vault.address must begin with https://; http:// is for this machine only".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("vault.address must hold no secret: use vault.token".to_owned());
        }
        if !(10..=60_000).contains(&self.timeout_ms) {
            return Err(format!("vault.timeout_ms must be between 10 and 60000, not {}", self.timeout_ms));
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/');
        let path = self.path.trim_matches('/');
        if path.is_empty() || path.len() > 500 || !path.chars().all(plain) || path.contains("..") {
            return Err("vault.path must be like secret/data/markethall".to_owned());
        }
        url.set_path(&format!("/v1/{path}"));
        Ok(url)
    }
}

/// Asks Vault, on a thread of its own: settings are read before, and beside, any runtime.
fn fetch(config: &VaultConfig, url: Url) -> Result<BTreeMap<String, String>, String> {
    let asking = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|error| error.to_string())?.block_on(ask(config, url))
        });
        thread.join()
    });
    let answer = asking.map_err(|_| "asking has failed".to_owned())??;
    let answer: Value = serde_json::from_slice(&answer).map_err(|_| "the answer is no JSON".to_owned())?;
    let data = &answer["data"];
    // Version 2 of the engine keeps the fields one level deeper, beside what it knows of the version.
    let fields = if data["metadata"].is_object() { &data["data"] } else { data };
    let fields = fields.as_object().ok_or_else(|| format!("there are no fields at {}", config.path))?;
    let text = |(name, value): (&String, &Value)| {
        let secret = value.as_str().filter(|text| !text.is_empty());
        let secret = secret.ok_or_else(|| format!("{name} at {} must be a text", config.path))?;
        Ok((name.clone(), secret.to_owned()))
    };
    fields.iter().map(text).collect()
}

async fn ask(config: &VaultConfig, url: Url) -> Result<Vec<u8>, String> {
    let mut client =
        Client::builder().timeout(Duration::from_millis(config.timeout_ms)).redirect(Policy::none());
    if let Some(file) = &config.ca_file {
        let unusable = |cause: String| format!("vault.ca_file: {} {cause}", file.display());
        let pem = fs::read(file).map_err(|error| unusable(format!("cannot be read: {error}")))?;
        let trusted = Certificate::from_pem_bundle(&pem).ok().filter(|all| !all.is_empty());
        let trusted = trusted.ok_or_else(|| unusable("holds no certificates in PEM format".to_owned()))?;
        client = client.tls_certs_only(trusted);
    }
    let client = client.build().map_err(|error| error.to_string())?;
    let mut token = HeaderValue::from_str(config.token.expose_secret())
        .map_err(|_| "vault.token cannot be a token".to_owned())?;
    token.set_sensitive(true);
    let request = client.get(url).header("x-vault-token", token).header("x-vault-request", "true");
    let mut answer = request.send().await.map_err(|error| no_answer(&error))?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::FORBIDDEN => return Err(format!("vault.token may not read {}", config.path)),
        StatusCode::NOT_FOUND => return Err(format!("there is nothing at {}", config.path)),
        status => return Err(format!("it answers with {status}")),
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| no_answer(&error))? {
        if body.len() + piece.len() > MOST_BYTES {
            return Err("the answer is longer than a mebibyte".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The cause at the bottom: the layers above only say that something failed.
fn no_answer(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    format!("no answer: {cause}")
}
