//! `Idempotency-Key` (IETF draft): the key and the payload, each reduced to 128 bits.

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, request::Parts};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Input, context::visit};
use crate::{FieldError, IdempotencyKey, Op, Problem, codes};

pub(crate) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const SHOWN: &str = "Idempotency-Key";
/// The longest key.
pub(crate) const MOST_KEY: usize = 255;

/// The key of a request, bound to its caller and operation, with a fingerprint of its payload.
///
/// The scope of a key is tenant, caller and operation; the tenant is added by the table's primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idempotency {
    key_hash: Option<Uuid>,
    fingerprint: Uuid,
}

impl Idempotency {
    /// A key made by the program itself, for imports and jobs: `scope` names the caller, `payload` the request.
    #[must_use]
    pub fn internal(scope: &str, key: &str, payload: &[u8]) -> Self {
        Self { key_hash: Some(digest(&[scope.as_bytes(), key.as_bytes()])), fingerprint: digest(&[payload]) }
    }

    /// No key: the effect is not protected against repetition.
    #[must_use]
    pub fn none() -> Self {
        Self { key_hash: None, fingerprint: Uuid::nil() }
    }

    /// 128 bits of the hash of caller, operation and key; `None` without a key.
    #[must_use]
    pub fn key_hash(&self) -> Option<Uuid> {
        self.key_hash
    }

    /// 128 bits of the hash of path, query and body; the same for the same request.
    #[must_use]
    pub fn fingerprint(&self) -> Uuid {
        self.fingerprint
    }
}

impl Input for Idempotency {
    fn describe(op: &mut Op) {
        op.idempotency.get_or_insert(IdempotencyKey::Optional);
    }
}

impl<S: Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let visit = visit(parts)?;
        let Some(key) = key(&parts.headers)? else { return Ok(Self::none()) };
        let actor = visit.principal.as_ref().map(|principal| principal.actor.to_string());
        let key_hash =
            digest(&[actor.as_deref().unwrap_or("").as_bytes(), visit.op.id.as_bytes(), key.as_bytes()]);
        let query = parts.uri.query().unwrap_or("");
        let fingerprint = digest(&[parts.uri.path().as_bytes(), query.as_bytes(), &visit.body]);
        Ok(Self { key_hash: Some(key_hash), fingerprint })
    }
}

/// The key as sent, without the quotes that the draft's structured form puts around it.
///
/// # Errors
/// `VALIDATION_FAILED` when it is empty, too long or not visible ASCII, or sent twice.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refused = || {
        Problem::invalid([FieldError::header(
            SHOWN,
            codes::INVALID_VALUE,
            "must be one key of 1 to 255 visible ASCII characters",
        )])
    };
    let text = value.to_str().map_err(|_| refused())?;
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let plain = bare.bytes().all(|byte| byte.is_ascii_graphic());
    if bare.is_empty() || text.len() > MOST_KEY || !plain || values.next().is_some() {
        return Err(refused());
    }
    Ok(Some(bare))
}

/// 128 bits of SHA-256 over the parts, each preceded by its length so that none can run into the next.
fn digest(parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    // HTTP-6
    #[test]
    fn keys_are_visible_ascii_of_bounded_length_with_or_without_quotes() {
        let given = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(text).unwrap());
            key(&headers).map(|found| found.map(str::to_owned))
        };
        assert_eq!(given("abc").unwrap().as_deref(), Some("abc"));
        assert_eq!(given("\"abc\"").unwrap().as_deref(), Some("abc"));
        for text in ["", "\"\"", "a b", &"x".repeat(256)] {
            assert_eq!(given(text).unwrap_err().code(), codes::VALIDATION_FAILED, "{text}");
        }
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_eq!(digest(&[b"ab", b"c"]), digest(&[b"ab", b"c"]));
    }
}
