//! Cells that a spreadsheet would take for a formula, and their escaped form.

use std::borrow::Cow;

fn starts_formula(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'))
}

/// Whether a spreadsheet would run this cell.
#[must_use]
pub fn looks_like_formula(text: &str) -> bool {
    starts_formula(text)
}

/// The text with one more `'` before what looks like a formula; [`unescape_formula`] takes it off again.
#[must_use]
pub fn escape_formula(text: &str) -> Cow<'_, str> {
    if starts_formula(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text that [`escape_formula`] was given; a text that is not escaped stays as it is.
#[must_use]
pub fn unescape_formula(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if starts_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        // CAT-3: an export imports back identically, formulas included.
        #[test]
        fn escaped_text_reads_back_and_is_never_a_formula(text in "['=+@\t\r-]{0,4}\\PC{0,6}") {
            let escaped = escape_formula(&text);
            prop_assert!(!looks_like_formula(&escaped));
            prop_assert_eq!(unescape_formula(&escaped), &text);
        }
    }

    #[test]
    fn plain_text_and_a_lone_apostrophe_stay_as_they_are() {
        for text in ["", "'", "'s-Hertogenbosch", "Bread", "1-2", "''"] {
            assert_eq!(escape_formula(text), text);
            assert_eq!(unescape_formula(text), text);
        }
        assert_eq!(unescape_formula("'=1+1"), "=1+1");
    }
}
