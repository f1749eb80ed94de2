//! Correlation ids and W3C trace context: accepted when well formed, made otherwise (HTTP-3).

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::TraceParent;

pub(crate) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const HEX: &[u8; 16] = b"0123456789abcdef";
/// The longest correlation id that is accepted.
const MOST: usize = 64;

/// What ties one request to its log, its messages and its neighbours.
#[derive(Debug)]
pub(crate) struct Ties {
    pub(crate) correlation_id: Arc<str>,
    /// The correlation id as it is returned.
    pub(crate) header: HeaderValue,
    /// The span of the request itself.
    pub(crate) trace: TraceParent,
    /// The caller's span; 0 when there is none.
    pub(crate) caller_span: u64,
}

/// Takes what the client sent, as far as it is sound; makes the rest.
pub(crate) fn ties(headers: &HeaderMap) -> Ties {
    // One draw of randomness serves the correlation id, the trace id and (mixed) the span id.
    let random: u128 = rand::random();
    let mut digits = [0_u8; 32];
    write_hex(&mut digits, random);
    let made = std::str::from_utf8(&digits).unwrap_or("0");
    let given = headers.get(CORRELATION_ID).filter(|value| is_sound(value.as_bytes()));
    let (correlation_id, header) = match given.and_then(|value| Some((value.to_str().ok()?, value))) {
        Some((text, value)) => (Arc::from(text), value.clone()),
        None => (
            Arc::from(made),
            HeaderValue::from_bytes(&digits).unwrap_or_else(|_| HeaderValue::from_static("0")),
        ),
    };
    let above = headers.get(TRACEPARENT).map(HeaderValue::as_bytes).filter(|text| is_traceparent(text));
    let trace = traceparent(above, &digits, random);
    Ties { correlation_id, header, trace, caller_span: above.map_or(0, span_of) }
}

fn is_sound(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.len() <= MOST && text.iter().all(plain)
}

/// Continues the given trace with a span of our own, or starts a trace; `00-<trace>-<span>-<flags>`.
fn traceparent(above: Option<&[u8]>, made: &[u8; 32], random: u128) -> TraceParent {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    text[3..35].copy_from_slice(made);
    if let Some(above) = above {
        text[3..35].copy_from_slice(&above[3..35]);
        text[53..55].copy_from_slice(&above[53..55]);
    }
    if traces::is_on() {
        // Who makes traces decides which are kept, and tells those who come after.
        let given = above.map(|above| digit(above[54]) & 1 == 1);
        text[53..55].copy_from_slice(if traces::sampled(given) { b"01" } else { b"00" });
    }
    let span = (random as u64) ^ ((random >> 64) as u64).rotate_left(32) | 1;
    let mut digits = [0_u8; 16];
    write_hex(&mut digits, u128::from(span));
    text[36..52].copy_from_slice(&digits);
    TraceParent(Arc::from(std::str::from_utf8(&text).unwrap_or("")))
}

/// Versions above 00 may be longer; what they begin with is the same. An all-zero id is not one.
fn is_traceparent(text: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let length = text.len() == 55 || (text.len() > 55 && text[55] == b'-' && &text[..2] != b"00");
    length
        && text[2] == b'-'
        && text[35] == b'-'
        && text[52] == b'-'
        && hex(&text[..2])
        && &text[..2] != b"ff"
        && hex(&text[3..35])
        && hex(&text[36..52])
        && hex(&text[53..55])
        && text[3..35].iter().any(|byte| *byte != b'0')
        && text[36..52].iter().any(|byte| *byte != b'0')
}

/// The span in a sound trace context.
fn span_of(text: &[u8]) -> u64 {
    text[36..52].iter().fold(0, |span, byte| span << 4 | u64::from(digit(*byte)))
}

/// What a digit of a sound trace context stands for.
fn digit(byte: u8) -> u8 {
    if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 }
}

fn write_hex<const N: usize>(out: &mut [u8; N], value: u128) {
    for (place, digit) in out.iter_mut().rev().enumerate() {
        *digit = HEX[((value >> (place * 4)) & 15) as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: HeaderName, value: &str) -> Ties {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        ties(&headers)
    }

    // HTTP-3
    #[test]
    fn sound_correlation_ids_are_kept_and_others_replaced() {
        let longest = "x".repeat(64);
        for text in ["abc-1.2_3", "0", &longest] {
            let ties = given(CORRELATION_ID, text);
            assert_eq!(&*ties.correlation_id, text);
            assert_eq!(ties.header, text);
        }
        let longer = "x".repeat(65);
        for text in ["", "a b", "a;b", "<script>", "a\u{e9}", &longer] {
            let ties = given(CORRELATION_ID, text);
            assert_eq!(ties.correlation_id.len(), 32, "{text}");
            assert_eq!(ties.header, &*ties.correlation_id);
        }
    }

    // HTTP-3
    #[test]
    fn a_trace_is_continued_with_a_span_of_its_own() {
        let theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let ours = given(TRACEPARENT, theirs).trace.0;
        assert_eq!(ours[..36], theirs[..36]);
        assert_eq!(ours[52..], theirs[52..]);
        assert_ne!(ours[36..52], theirs[36..52]);
        assert!(is_traceparent(ours.as_bytes()));
        assert_eq!(given(TRACEPARENT, theirs).caller_span, 0xb7ad_6b71_6920_3331);
        assert_eq!(ties(&HeaderMap::new()).caller_span, 0);
    }

    #[test]
    fn a_broken_trace_is_replaced_by_a_new_one() {
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        ] {
            let ties = given(TRACEPARENT, text);
            assert!(is_traceparent(ties.trace.0.as_bytes()), "{text}");
            assert_eq!(&ties.trace.0[3..35], &*ties.correlation_id, "{text}");
        }
    }

    #[test]
    fn two_requests_never_share_what_was_made() {
        let (a, b) = (ties(&HeaderMap::new()), ties(&HeaderMap::new()));
        assert_ne!(a.correlation_id, b.correlation_id);
        assert_ne!(a.trace, b.trace);
    }
}
