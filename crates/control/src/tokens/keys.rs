//! The built-in issuer's keys: Ed25519, rotated, several valid at once, published as a JWKS.

use std::{
    fmt,
    sync::{
        Arc, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use db::{DbError, Row};
use jsonwebtoken::{DecodingKey, EncodingKey};
use kernel::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{MasterKey, opaque};
use crate::Control;

pub(super) const PURPOSE: &str = "signing key";
/// An unknown key identifier makes us look for new keys, but not more often than this: tokens can be invented.
const RELOAD_PAUSE_S: i64 = 5;

/// Why the issuer has no keys to work with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A stored key does not open or is no key.
    #[error("signing key {0} cannot be used: was it made with another master key?")]
    Unusable(String),
    /// The system has no randomness to make a key from.
    #[error("a signing key cannot be made")]
    NotMade,
    /// There is no key that signs now.
    #[error("there is no signing key")]
    Missing,
}

/// One key pair.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pub(crate) signing: EncodingKey,
    pub(crate) verifying: DecodingKey,
    public_x: String,
    signs_from: Timestamp,
    verifies_until: Option<Timestamp>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    fn verifies_at(&self, now: Timestamp) -> bool {
        self.verifies_until.is_none_or(|until| now < until)
    }
}

/// A fresh key pair: identifier, public half, private half as PKCS #8.
pub(super) struct FreshKey {
    pub(super) kid: String,
    pub(super) public_x: String,
    pub(super) private: Vec<u8>,
}

pub(super) fn make_key() -> Result<FreshKey, KeyError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::NotMade)?;
    let public = pair.public_key().as_ref();
    let private = pair.to_pkcs8v1().map_err(|_| KeyError::NotMade)?;
    Ok(FreshKey {
        kid: BASE64_URL_SAFE_NO_PAD.encode(&opaque::hash(public)[..12]),
        public_x: BASE64_URL_SAFE_NO_PAD.encode(public),
        private: private.as_ref().to_vec(),
    })
}

/// All keys that are good for anything, in memory.
#[derive(Debug, Default)]
pub(crate) struct KeyRing {
    keys: RwLock<Vec<Arc<SigningKey>>>,
    looked_at_s: AtomicI64,
    looking: Mutex<()>,
}

impl KeyRing {
    fn read<T>(&self, pick: impl FnOnce(&[Arc<SigningKey>]) -> T) -> T {
        match self.keys.read() {
            Ok(keys) => pick(&keys),
            Err(poisoned) => pick(&poisoned.into_inner()),
        }
    }

    fn replace(&self, keys: Vec<Arc<SigningKey>>) {
        match self.keys.write() {
            Ok(mut slot) => *slot = keys,
            Err(poisoned) => *poisoned.into_inner() = keys,
        }
    }

    /// The key that signs at `now`: the youngest whose time has come.
    pub(crate) fn signer(&self, now: Timestamp) -> Result<Arc<SigningKey>, KeyError> {
        self.read(|keys| {
            let ready = keys.iter().filter(|key| key.signs_from <= now);
            ready.max_by_key(|key| key.signs_from).cloned().ok_or(KeyError::Missing)
        })
    }

    fn find(&self, kid: &str, now: Timestamp) -> Option<Arc<SigningKey>> {
        self.read(|keys| keys.iter().find(|key| key.kid == kid && key.verifies_at(now)).cloned())
    }

    /// The public halves as a JWKS (RFC 7517), also of the key that will sign next.
    pub(crate) fn published(&self, now: Timestamp) -> Value {
        self.read(|keys| {
            let keys = keys.iter().filter(|key| key.verifies_at(now)).map(|key| {
                json!({
                    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                    "kid": key.kid, "x": key.public_x,
                })
            });
            json!({ "keys": keys.collect::<Vec<_>>() })
        })
    }

    /// Forgets when was looked last, so that the next unknown key is looked for at once.
    pub(crate) fn expire(&self) {
        self.looked_at_s.store(0, Ordering::SeqCst);
    }
}

impl Control {
    /// Reads all keys from the database.
    pub(crate) async fn load_signing_keys(&self) -> Result<(), KeyError> {
        let tx = self.db().control().await?;
        let rows = tx.query(include_str!("list_signing_keys.sql"), &[]).await?;
        tx.commit().await?;
        let keys = rows.iter().map(|row| decode(row, self.master_key())).collect::<Result<Vec<_>, _>>()?;
        self.keys().replace(keys);
        Ok(())
    }

    /// The key named `kid`, looking again (rarely) when it is not known.
    pub(crate) async fn find_signing_key(
        &self,
        kid: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<SigningKey>>, KeyError> {
        let ring = self.keys();
        if let Some(key) = ring.find(kid, now) {
            return Ok(Some(key));
        }
        let _turn = ring.looking.lock().await;
        if let Some(key) = ring.find(kid, now) {
            return Ok(Some(key));
        }
        let last = ring.looked_at_s.load(Ordering::SeqCst);
        if now.as_second().saturating_sub(last) < RELOAD_PAUSE_S {
            return Ok(None);
        }
        ring.looked_at_s.store(now.as_second(), Ordering::SeqCst);
        self.load_signing_keys().await?;
        Ok(ring.find(kid, now))
    }
}

fn decode(row: &Row, master: &MasterKey) -> Result<Arc<SigningKey>, KeyError> {
    let kid: String = row.try_get(0).map_err(DbError::from)?;
    let public_x: String = row.try_get(1).map_err(DbError::from)?;
    let sealed: Vec<u8> = row.try_get(2).map_err(DbError::from)?;
    let signs_from = row.try_get(3).map_err(DbError::from)?;
    let verifies_until = row.try_get(4).map_err(DbError::from)?;
    let Ok(private) = master.open(PURPOSE, &sealed) else { return Err(KeyError::Unusable(kid)) };
    let Ok(verifying) = DecodingKey::from_ed_components(&public_x) else {
        return Err(KeyError::Unusable(kid));
    };
    let signing = EncodingKey::from_ed_der(&private);
    Ok(Arc::new(SigningKey { kid, signing, verifying, public_x, signs_from, verifies_until }))
}
