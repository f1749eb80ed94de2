//! Decimal numbers as integers: nothing is ever a binary fraction.

use anyhow::{Context, Result, bail};

/// Decimal places of [`exact`]: enough for the smallest noise that floating point left in the data (`4.440892e-16`).
pub(super) const EXACT_PLACES: u32 = 24;

/// The number times 10^24, exactly. Takes `1.5`, `-0.04` and `4.4e-16`.
///
/// # Errors
/// On anything else, and on numbers that do not fit.
pub(super) fn exact(text: &str) -> Result<i128> {
    scaled(text, EXACT_PLACES).with_context(|| format!("not a decimal number: {text:?}"))?.with_rest(text)
}

/// Minor units of an amount. Noise below a millionth of a cent is dropped; a real third decimal is an error.
pub(super) fn cents(text: &str) -> Result<i64> {
    let cent = 10_i128.pow(EXACT_PLACES - 2);
    let value = exact(text)?;
    let nearest = round_div(value, cent);
    if (value - nearest * cent).abs() > cent / 1_000_000 {
        bail!("not an amount in cents: {text:?}");
    }
    Ok(i64::try_from(nearest)?)
}

/// Thousandths of a quantity.
///
/// # Errors
/// When it has more than three decimals.
pub(super) fn thousandths(text: &str) -> Result<i64> {
    let thousandth = 10_i128.pow(EXACT_PLACES - 3);
    let value = exact(text)?;
    if value % thousandth != 0 {
        bail!("more than three decimals: {text:?}");
    }
    Ok(i64::try_from(value / thousandth)?)
}

/// `a / b` to the nearest integer, halves away from zero.
pub(super) fn round_div(a: i128, b: i128) -> i128 {
    let half = if (a < 0) == (b < 0) { b / 2 } else { -b / 2 };
    (a + half) / b
}

/// Writes an integer with `places` decimals: `(1234, 2)` is `12.34`.
pub(super) fn written(value: i64, places: u32) -> String {
    let one = 10_u64.pow(places);
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    if places == 0 {
        return format!("{sign}{size}");
    }
    format!("{sign}{}.{:0width$}", size / one, size % one, width = places as usize)
}

/// A number cut at a scale, and whether digits were cut off.
struct Scaled {
    value: i128,
    cut: bool,
}

impl Scaled {
    fn with_rest(self, text: &str) -> Result<i128> {
        if self.cut {
            bail!("more than {EXACT_PLACES} decimals: {text:?}");
        }
        Ok(self.value)
    }
}

fn scaled(text: &str, places: u32) -> Option<Scaled> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || all.len() > 30 || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let shift = i32::try_from(places).ok()? + exponent - i32::try_from(fraction.len()).ok()?;
    let number: i128 = all.parse().ok()?;
    let (size, cut) = if shift >= 0 {
        (number.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?)?, false)
    } else {
        let divisor = 10_i128.checked_pow(shift.unsigned_abs())?;
        (number / divisor, number % divisor != 0)
    };
    Some(Scaled { value: if negative { -size } else { size }, cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_cent_and_noise_is_nothing() -> Result<()> {
        for (text, expected) in [
            ("1.5", 150),
            ("1.88", 188),
            ("0.0", 0),
            ("-0.04", -4),
            ("100", 10_000),
            ("4.440892e-16", 0),
            ("1e2", 10_000),
        ] {
            assert_eq!(cents(text)?, expected, "{text}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in
            ["", "1.234", "abc", "1,5", "--1", "1e99", "NaN", "99999999999999999999999999999999", ".", "1.-5"]
        {
            assert!(cents(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quantities_have_three_decimals_at_most() -> Result<()> {
        assert_eq!(thousandths("2.0")?, 2000);
        assert_eq!(thousandths("0.45")?, 450);
        assert!(thousandths("0.4567").is_err());
        Ok(())
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        assert_eq!(round_div(5, 10), 1);
        assert_eq!(round_div(-5, 10), -1);
        assert_eq!(round_div(14, 10), 1);
        assert_eq!(round_div(-14, 10), -1);
        assert_eq!(round_div(5, -10), -1);
    }

    #[test]
    fn integers_are_written_with_their_decimals() {
        assert_eq!(written(1234, 2), "12.34");
        assert_eq!(written(-4, 2), "-0.04");
        assert_eq!(written(8396, 3), "8.396");
        assert_eq!(written(7, 0), "7");
    }
}
