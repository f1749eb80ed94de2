//! Signed webhooks: `t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, "<t>.<body>")>`, as Stripe signs its own.

use aws_lc_rs::hmac;
use http::HeaderMap;
use kernel::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::provider::WebhookError;

/// How far the time of a signature may be from ours, in seconds.
pub const TOLERANCE_S: i64 = 300;
/// Signatures looked at in one header; more than one are sent while a secret is changed.
const MOST_SIGNATURES: usize = 8;

/// Verifies `body` against the header `name`.
///
/// # Errors
/// [`WebhookError::Signature`] when no signature is by `secret`; [`WebhookError::Stale`] when the right one is too old
/// or too far ahead.
pub(crate) fn verify(
    headers: &HeaderMap,
    name: &str,
    body: &[u8],
    secret: &SecretString,
    now: Timestamp,
) -> Result<(), WebhookError> {
    let header = headers.get(name).and_then(|value| value.to_str().ok()).ok_or(WebhookError::Signature)?;
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find(|(key, _)| *key == "t").map(|(_, value)| value).ok_or(WebhookError::Signature)?;
    let seconds: i64 = time.parse().map_err(|_| WebhookError::Signature)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let signed = [time.as_bytes(), b".", body].concat();
    // `hmac::verify` compares in constant time.
    let mut signatures = parts().filter(|(key, _)| *key == "v1").take(MOST_SIGNATURES);
    if !signatures.any(|(_, hex)| unhex(hex).is_some_and(|tag| hmac::verify(&key, &signed, &tag).is_ok())) {
        return Err(WebhookError::Signature);
    }
    if now.as_second().abs_diff(seconds) > TOLERANCE_S.unsigned_abs() {
        return Err(WebhookError::Stale);
    }
    Ok(())
}

/// Signs `body` at the time `now`; the header's value.
#[must_use]
pub fn sign(body: &[u8], secret: &SecretString, now: Timestamp) -> String {
    let time = now.as_second().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let tag = hmac::sign(&key, &[time.as_bytes(), b".", body].concat());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={hex}")
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("stripe-signature", value.parse().unwrap());
        headers
    }

    fn check(value: &str, body: &[u8], secret: &str, now: i64) -> Result<(), WebhookError> {
        let now = Timestamp::from_second(now).unwrap();
        verify(&headers(value), "stripe-signature", body, &secret.to_owned().into(), now)
    }

    // PAY-1
    #[test]
    fn only_the_secret_the_body_and_the_time_together_make_a_signature() {
        let at = Timestamp::from_second(1_000_000).unwrap();
        let signed = sign(b"{}", &"s3cret".to_owned().into(), at);
        assert_eq!(check(&signed, b"{}", "s3cret", 1_000_300), Ok(()));
        assert_eq!(check(&signed, b"{}", "s3cret", 1_000_301), Err(WebhookError::Stale));
        assert_eq!(check(&signed, b"{}", "s3cret", 999_699), Err(WebhookError::Stale));
        assert_eq!(check(&signed, b"{ }", "s3cret", 1_000_000), Err(WebhookError::Signature));
        assert_eq!(check(&signed, b"{}", "other", 1_000_000), Err(WebhookError::Signature));
        let moved = signed.replace("t=1000000", "t=1000200");
        assert_eq!(check(&moved, b"{}", "s3cret", 1_000_200), Err(WebhookError::Signature));
        let rolled = format!("{signed},v1={}", "0".repeat(64));
        assert_eq!(check(&rolled, b"{}", "s3cret", 1_000_000), Ok(()));
        for broken in ["", "t=1", "v1=00", "t=x,v1=00", "t=1000000,v1=zz", "t=1000000,v1=\u{e9}"] {
            assert_eq!(check(broken, b"{}", "s3cret", 1_000_000), Err(WebhookError::Signature), "{broken}");
        }
    }
}
