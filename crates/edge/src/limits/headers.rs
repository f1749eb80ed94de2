//! `RateLimit` and `RateLimit-Policy` of the IETF draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-
//! ratelimit-headers-10): lists of structured fields, one member for each policy.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::Standing;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Tells a caller how it stands.
pub(crate) fn write(headers: &mut HeaderMap, standings: &[Standing]) {
    let (mut state, mut policy) = (String::with_capacity(64), String::with_capacity(64));
    for (at, standing) in standings.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let (name, limit) = (standing.name, &standing.limit);
        let full_in = standing.full_in.as_millis().div_ceil(1_000);
        // Writing to a string cannot fail.
        let _ = write!(state, "{comma}\"{name}\";r={};t={full_in}", standing.left);
        let _ = write!(policy, "{comma}\"{name}\";q={};w={}", limit.limit, limit.window_seconds);
        if name == super::cost::POLICY {
            // The others count requests, which is what a quota is in when nothing is said.
            policy.push_str(";qu=\"database-milliseconds\"");
        }
    }
    if let (Ok(state), Ok(policy)) = (HeaderValue::try_from(state), HeaderValue::try_from(policy)) {
        headers.insert(RATE_LIMIT, state);
        headers.insert(RATE_LIMIT_POLICY, policy);
    }
}
