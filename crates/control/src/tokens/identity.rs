//! `edge::Identity`: from a bearer token to whom it stands for.

use std::sync::Arc;

use async_trait::async_trait;
use edge::{AuthError, Identity, Principal};
use kernel::Timestamp;

use super::{
    cache::{Anchor, Found, TokenCache, Verified},
    opaque::API_KEY,
    verify::{peek, verify_own},
};
use crate::{Control, api_keys::verify_api_key, issuers::verify_external};

#[async_trait]
impl Identity for Control {
    async fn authenticate(&self, bearer: &str, now: Timestamp) -> Result<Arc<Principal>, AuthError> {
        let cache = self.tokens();
        let key = TokenCache::fingerprint(bearer);
        let in_doubt = match cache.find(&key, now) {
            Found::Good(verified) => return Ok(self.used(&verified, now)),
            Found::InDoubt(verified) if self.is_left_alone() => return Ok(self.used(&verified, now)),
            Found::InDoubt(verified) => Some(verified),
            Found::Unknown => None,
        };
        let epoch = cache.epoch();
        // Seldom, and large: who is known shall not carry it.
        match (Box::pin(verify(self, bearer, now)).await, in_doubt) {
            (Ok(verified), _) => {
                let verified = Arc::new(verified);
                cache.keep(key, verified.clone(), epoch, now);
                Ok(self.used(&verified, now))
            }
            (Err(AuthError::Unavailable(_)), Some(verified)) => Ok(self.used(&verified, now)),
            (Err(error), _) => {
                cache.forget(&key);
                Err(error)
            }
        }
    }
}

impl Control {
    fn used(&self, verified: &Verified, now: Timestamp) -> Arc<Principal> {
        if let Anchor::ApiKey(key_use) = &verified.anchor {
            key_use.touch(self, now);
        }
        verified.principal.clone()
    }
}

async fn verify(control: &Control, bearer: &str, now: Timestamp) -> Result<Verified, AuthError> {
    if API_KEY.claims(bearer) {
        return verify_api_key(control, bearer, now).await;
    }
    let (header, issuer) = peek(bearer)?;
    if issuer == control.config().issuer {
        verify_own(control, bearer, &header, now).await
    } else {
        verify_external(control, bearer, &header, &issuer, now).await
    }
}
