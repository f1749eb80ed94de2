//! Barcodes of goods: GTIN-8, -12 (UPC), -13 (EAN) and -14, which all end with the same check digit.

/// Why a text is no barcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BarcodeError {
    /// Not 8, 12, 13 or 14 digits.
    #[error("a barcode has 8, 12, 13 or 14 digits")]
    Form,
    /// The last digit does not fit the others.
    #[error("the check digit of the barcode is wrong")]
    CheckDigit,
}

/// Whether `text` is a barcode with the right check digit (source: GS1 General Specifications, 7.9).
///
/// # Errors
/// [`BarcodeError`].
pub fn check_barcode(text: &str) -> Result<(), BarcodeError> {
    let digits = text.as_bytes();
    if !matches!(digits.len(), 8 | 12 | 13 | 14) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(BarcodeError::Form);
    }
    // From the right, the check digit counts once, the next three times, and so on in turn.
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(digit - b'0') * if place % 2 == 0 { 1 } else { 3 })
        .sum();
    if sum.is_multiple_of(10) { Ok(()) } else { Err(BarcodeError::CheckDigit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // CAT-1
    #[test]
    fn codes_of_real_goods_are_taken_and_one_wrong_digit_is_not() {
        for code in ["4006381333931", "036000291452", "96385074", "00012345600012"] {
            assert_eq!(check_barcode(code), Ok(()), "{code}");
            for place in 0..code.len() {
                let mut wrong = code.as_bytes().to_vec();
                wrong[place] = b'0' + (wrong[place] - b'0' + 1) % 10;
                let wrong = String::from_utf8(wrong).unwrap();
                assert_eq!(check_barcode(&wrong), Err(BarcodeError::CheckDigit), "{wrong}");
            }
        }
    }

    #[test]
    fn other_lengths_and_letters_are_no_barcodes() {
        for code in ["", "0", "123456789", "400638133393x", "４００６３８１３３３９３１"] {
            assert_eq!(check_barcode(code), Err(BarcodeError::Form), "{code}");
        }
    }
}
