//! The keys of one issuer: read when first needed, again every ten minutes, and when a token names a key that is not
//! known, but rarely: tokens can be invented. While the issuer is away, the keys known last are used on for a day, and a
//! breaker keeps requests from waiting for it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use jiff::SignedDuration;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use kernel::Timestamp;
use resilience::{Breaker, Guarded};

use super::fetch::{FetchError, Fetcher};
use crate::counts::ISSUER_FAILURES;

const FRESH: SignedDuration = SignedDuration::from_mins(10);
const STALE: SignedDuration = SignedDuration::from_hours(24);
/// The shortest time between two successful readings, whatever tokens say.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const MOST_KEYS: usize = 64;

struct Key {
    kid: Option<String>,
    algorithm: Option<String>,
    verifying: DecodingKey,
}

struct Known {
    keys: Vec<Key>,
    read_at: Timestamp,
}

/// The keys of one issuer.
pub(super) struct KeySet {
    known: Mutex<Option<Arc<Known>>>,
    turn: tokio::sync::Mutex<()>,
    /// How often reading them has failed.
    failures: AtomicU64,
    breaker: Breaker,
}

/// What asking for a key comes to.
pub(super) enum Asked {
    Key(DecodingKey),
    Unknown,
    Unavailable(FetchError),
}

impl KeySet {
    /// Not read yet; `breaker` is around its issuer.
    pub(super) fn new(breaker: Breaker) -> Self {
        let turn = tokio::sync::Mutex::default();
        Self { known: Mutex::default(), turn, failures: AtomicU64::new(0), breaker }
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, known: Arc<Known>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    /// The key `kid` for `algorithm`.
    pub(super) async fn find(
        &self,
        fetcher: &Fetcher,
        url: &str,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Asked {
        let known = self.known();
        let age = known.as_ref().map(|known| now.duration_since(known.read_at));
        let found = known.as_ref().and_then(|known| pick(known, kid, algorithm));
        if let (Some(key), true) = (&found, age.is_some_and(|age| age < FRESH)) {
            return Asked::Key(key.clone());
        }
        let failures = self.failures.load(Ordering::Relaxed);
        let _turn = match (&found, self.turn.try_lock(), age) {
            (_, Ok(turn), _) => turn,
            // Somebody is reading them again; meanwhile the old one is good enough.
            (Some(key), Err(_), Some(age)) if age < STALE => return Asked::Key(key.clone()),
            _ => self.turn.lock().await,
        };
        let newer =
            self.known().filter(|newer| known.as_ref().is_none_or(|known| newer.read_at > known.read_at));
        if let Some(newer) = newer {
            return pick(&newer, kid, algorithm).map_or(Asked::Unknown, Asked::Key);
        }
        // Whoever waited while somebody else got no answer would get none either.
        let failed_meanwhile = self.failures.load(Ordering::Relaxed) != failures;
        if !failed_meanwhile && age.is_none_or(|age| age >= PAUSE) {
            match self.breaker.run(|_| true, fetcher.fetch_keys(url)).await {
                Ok(set) => {
                    let known = Arc::new(Known { keys: usable(&set), read_at: now });
                    self.keep(known.clone());
                    return pick(&known, kid, algorithm).map_or(Asked::Unknown, Asked::Key);
                }
                Err(Guarded::Failed(error)) => {
                    ISSUER_FAILURES.increment(1);
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(issuer = url, %error, "the keys of an issuer cannot be read");
                    if known.is_none() {
                        return Asked::Unavailable(error);
                    }
                }
                Err(Guarded::Open(_)) => {}
            }
        }
        match (found, age) {
            (Some(key), Some(age)) if age < STALE => Asked::Key(key),
            (None, Some(age)) if age < STALE => Asked::Unknown,
            _ => Asked::Unavailable(FetchError::Unreachable(url.to_owned(), "a moment ago".to_owned())),
        }
    }
}

/// The key of that name; without a name, the only one that fits.
fn pick(known: &Known, kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let name = format!("{algorithm:?}");
    let mut fitting = known.keys.iter().filter(|key| {
        key.verifying.family() == algorithm.family()
            && key.algorithm.as_ref().is_none_or(|own| *own == name)
            && (kid.is_none() || key.kid.as_deref() == kid)
    });
    let first = fitting.next()?;
    if kid.is_none() && fitting.next().is_some() { None } else { Some(first.verifying.clone()) }
}

/// Public keys for signatures; whatever else is in the set is left out.
fn usable(set: &JwkSet) -> Vec<Key> {
    let is_for_signing = |jwk: &&Jwk| !matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption));
    let decode = |jwk: &Jwk| {
        if matches!(jwk.algorithm, jsonwebtoken::jwk::AlgorithmParameters::OctetKey(_)) {
            return None;
        }
        Some(Key {
            kid: jwk.common.key_id.clone(),
            algorithm: jwk.common.key_algorithm.map(|algorithm| algorithm.to_string()),
            verifying: DecodingKey::from_jwk(jwk).ok()?,
        })
    };
    set.keys.iter().filter(is_for_signing).filter_map(decode).take(MOST_KEYS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // IDN-1: never symmetric, whatever an issuer publishes.
    #[test]
    fn symmetric_and_encryption_keys_of_an_issuer_are_never_used() {
        let set: JwkSet = serde_json::from_value(json!({ "keys": [
            { "kty": "oct", "k": "c2VjcmV0", "kid": "symmetric", "alg": "HS256" },
            { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "enc", "use": "enc" },
            { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "good", "use": "sig" },
        ]})).unwrap();
        let known = Known { keys: usable(&set), read_at: Timestamp::UNIX_EPOCH };
        assert_eq!(known.keys.len(), 1);
        assert!(pick(&known, Some("good"), Algorithm::EdDSA).is_some());
        assert!(pick(&known, None, Algorithm::EdDSA).is_some());
        assert!(pick(&known, Some("good"), Algorithm::RS256).is_none());
        assert!(pick(&known, Some("symmetric"), Algorithm::HS256).is_none());
    }
}
