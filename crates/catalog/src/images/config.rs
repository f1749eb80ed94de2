//! Where files are kept.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Where files are kept: in the data folder, or in a store that speaks S3.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectsConfig {
    /// `s3://bucket`; without it files are kept in the data folder.
    pub url: Option<String>,
    /// The address of a store that is not Amazon's, `https://s3.example.org`.
    pub endpoint: Option<String>,
    /// The region, `eu-central-1`; stores other than Amazon's mostly take any.
    pub region: Option<String>,
    /// The name of the key.
    #[serde(serialize_with = "kernel::masked::optional")]
    pub access_key_id: Option<SecretString>,
    /// The key.
    #[serde(serialize_with = "kernel::masked::optional")]
    pub secret_access_key: Option<SecretString>,
    /// Whether the address may be plain `http://`: for a store on the same machine.
    pub allow_http: bool,
}

impl ObjectsConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting.
    pub fn validate(&self) -> Result<(), String> {
        let Some(url) = &self.url else {
            let s3 = self.endpoint.is_some()
                || self.region.is_some()
                || self.access_key_id.is_some()
                || self.secret_access_key.is_some();
            return if s3 { Err("objects.url is missing: s3://bucket".to_owned()) } else { Ok(()) };
        };
        let bucket = url.strip_prefix("s3://").unwrap_or("");
        if bucket.is_empty() || bucket.contains('/') {
            return Err(format!("objects.url must be s3://bucket, not {url}"));
        }
        if self.access_key_id.is_none() || self.secret_access_key.is_none() {
            return Err("objects.access_key_id and objects.secret_access_key are needed for S3".to_owned());
        }
        match &self.endpoint {
            Some(endpoint) if endpoint.starts_with("https://") => Ok(()),
            Some(endpoint) if endpoint.starts_with("http://") && self.allow_http => Ok(()),
            Some(endpoint) => Err(format!(
                "objects.endpoint must be https:// (or objects.allow_http be set), not {endpoint}"
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // CAT-1
    #[test]
    fn settings_that_cannot_work_are_refused_and_keys_are_not_shown() {
        let s3 = ObjectsConfig {
            url: Some("s3://shop".to_owned()),
            access_key_id: Some("name".into()),
            secret_access_key: Some("hush".into()),
            ..ObjectsConfig::default()
        };
        assert_eq!((ObjectsConfig::default().validate(), s3.validate()), (Ok(()), Ok(())));
        assert!(!format!("{s3:?}").contains("hush"));
        for wrong in [
            ObjectsConfig { url: Some("https://shop".to_owned()), ..s3.clone() },
            ObjectsConfig { url: Some("s3://".to_owned()), ..s3.clone() },
            ObjectsConfig { url: None, ..s3.clone() },
            ObjectsConfig { secret_access_key: None, ..s3.clone() },
            ObjectsConfig { endpoint: Some("http://127.0.0.1:9000".to_owned()), ..s3.clone() },
        ] {
            assert!(wrong.validate().is_err(), "{wrong:?}");
        }
        let near =
            ObjectsConfig { endpoint: Some("http://127.0.0.1:9000".to_owned()), allow_http: true, ..s3 };
        assert_eq!(near.validate(), Ok(()));
    }
}
