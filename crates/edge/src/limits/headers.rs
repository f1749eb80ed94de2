//! `RateLimit` and `RateLimit-Policy` of the IETF draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-
//! ratelimit-headers-10): lists of structured fields, one member for each policy.

use http::{HeaderMap, HeaderName, HeaderValue};

use smallvec::SmallVec;

use super::Standing;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Tells a caller how it stands.
pub(crate) fn write(headers: &mut HeaderMap, standings: &[Standing]) {
    let (mut state, mut policy) = (Text::default(), Text::default());
    for standing in standings {
        let (name, limit) = (standing.name, &standing.limit);
        let full_in = u64::try_from(standing.full_in.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
        state.member(name, [(";r=", standing.left.into()), (";t=", full_in)]);
        policy.member(name, [(";q=", limit.limit.into()), (";w=", limit.window_seconds.into())]);
        if name == super::cost::POLICY {
            // The others count requests, which is what a quota is in when nothing is said.
            policy.0.extend_from_slice(b";qu=\"database-milliseconds\"");
        }
    }
    if let (Ok(state), Ok(policy)) = (HeaderValue::from_bytes(&state.0), HeaderValue::from_bytes(&policy.0)) {
        headers.insert(RATE_LIMIT, state);
        headers.insert(RATE_LIMIT_POLICY, policy);
    }
}

/// A list in the making, as a rule without memory of its own: it is made for every answer.
#[derive(Default)]
struct Text(SmallVec<[u8; 96]>);

impl Text {
    fn member(&mut self, name: &str, numbers: [(&str, u64); 2]) {
        if !self.0.is_empty() {
            self.0.extend_from_slice(b", ");
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'"');
        for (key, number) in numbers {
            self.0.extend_from_slice(key.as_bytes());
            self.0.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        }
    }
}
