//! W3C trace context: what ties the spans of one trace together, across processes too.

use std::sync::Arc;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// W3C trace context, `00-<trace>-<span>-<flags>`, as received or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(pub Arc<str>);

/// What a [`TraceParent`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceIds {
    /// The trace; never 0.
    pub trace: u128,
    /// The span inside it that whatever comes next belongs under; never 0.
    pub span: u64,
    /// Whether the trace was chosen to be kept.
    pub sampled: bool,
}

impl TraceParent {
    /// The context of a span, to be sent along.
    #[must_use]
    pub fn new(ids: TraceIds) -> Self {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut text[3..35], ids.trace);
        write_hex(&mut text[36..52], u128::from(ids.span));
        if ids.sampled {
            text[54] = b'1';
        }
        Self(Arc::from(std::str::from_utf8(&text).unwrap_or_default()))
    }

    /// What it says; none when it is not well formed.
    #[must_use]
    pub fn ids(&self) -> Option<TraceIds> {
        let trace = u128::from_str_radix(self.0.get(3..35)?, 16).ok()?;
        let span = u64::from_str_radix(self.0.get(36..52)?, 16).ok()?;
        let flags = u8::from_str_radix(self.0.get(53..55)?, 16).ok()?;
        (trace != 0 && span != 0).then_some(TraceIds { trace, span, sampled: flags & 1 == 1 })
    }
}

/// The last digits of `value` in lower case, as many as there is room for.
fn write_hex(out: &mut [u8], value: u128) {
    for (place, digit) in out.iter_mut().rev().enumerate() {
        *digit = HEX[((value >> (place * 4)) & 15) as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // OBS-2
    #[test]
    fn what_is_written_reads_back() {
        for (trace, span, sampled) in [(1, u64::MAX, true), (u128::MAX, 1, false), (0xabc << 64, 0xdef, true)]
        {
            let ids = TraceIds { trace, span, sampled };
            let written = TraceParent::new(ids);
            assert_eq!(written.ids(), Some(ids), "{written:?}");
            assert_eq!(written.0.len(), 55);
        }
    }

    #[test]
    fn what_is_no_context_says_nothing() {
        let known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
        assert!(TraceParent(known.into()).ids().is_some_and(|ids| ids.sampled));
        for text in [
            "",
            "00-",
            &known[..54],
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319x-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceParent(text.into()).ids(), None, "{text}");
        }
    }
}
