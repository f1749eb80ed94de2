//! Secrets and what is signed with them, as the Standard Webhooks specification says.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use control::{MasterKey, SealError};

/// Bytes of a fresh secret; the specification wants 24 to 64.
const SECRET_BYTES: usize = 32;
/// What sealed secrets are for; never changed, or none could be opened any more.
const PURPOSE: &str = "webhooks.secret";

/// What a receiver knows deliveries by. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// A fresh one, from the system's source of randomness.
    pub(crate) fn make() -> Result<Self, SealError> {
        let mut bytes = vec![0; SECRET_BYTES];
        rand::fill(&mut bytes).map_err(|_| SealError)?;
        Ok(Self(bytes))
    }

    /// As its owner gets it, once: `whsec_` and base64.
    pub(crate) fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }

    /// As it is stored.
    pub(crate) fn seal(&self, key: &MasterKey) -> Result<Vec<u8>, SealError> {
        key.seal(PURPOSE, &self.0)
    }

    /// Reads what was stored.
    pub(crate) fn open(key: &MasterKey, sealed: &[u8]) -> Result<Self, SealError> {
        key.open(PURPOSE, sealed).map(Self)
    }

    /// `v1,<base64 of HMAC-SHA256 of "id.timestamp.body">`.
    fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut signing = hmac::Context::with_key(&key);
        signing.update(format!("{id}.{seconds}.").as_bytes());
        signing.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(signing.sign()))
    }
}

/// The value of `webhook-signature`: one signature per secret that is valid now.
pub(crate) fn signatures(secrets: &[Secret], id: &str, seconds: i64, body: &str) -> String {
    let all: Vec<String> = secrets.iter().map(|secret| secret.sign(id, seconds, body)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sealed_and_never_printed() {
        let key = MasterKey::new(&[7; 32]).unwrap();
        let secret = Secret::make().unwrap();
        let sealed = secret.seal(&key).unwrap();
        assert!(!sealed.windows(SECRET_BYTES).any(|part| part == secret.0));
        assert_eq!(Secret::open(&key, &sealed).unwrap(), secret);
        assert!(Secret::open(&MasterKey::new(&[8; 32]).unwrap(), &sealed).is_err());
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_ne!(secret, Secret::make().unwrap());
    }

    // HTTP-14: an independent implementation of Standard Webhooks verifies either signature.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let (new, old) = (Secret::make().unwrap(), Secret::make().unwrap());
        let body = r#"{"type":"ThingMade"}"#;
        let both = signatures(&[new.clone(), old.clone()], "msg_1", 1_700_000_000, body);
        let signed = [new, old].map(|secret| {
            let theirs = standardwebhooks::Webhook::new(&secret.reveal()).unwrap();
            theirs.sign("msg_1", 1_700_000_000, body.as_bytes()).unwrap()
        });
        assert_eq!(both, signed.join(" "));
    }
}
