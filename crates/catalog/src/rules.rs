//! What a product's fields may hold: one set of rules for the API and for files.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    barcode::{BarcodeError, check_barcode},
    variants::ProductOption,
};

/// The longest SKU.
pub(crate) const SKU_CHARS: usize = 64;
/// The longest name.
pub(crate) const NAME_CHARS: usize = 200;
/// The longest description.
pub(crate) const DESCRIPTION_CHARS: usize = 4_000;
/// The longest category path.
pub(crate) const CATEGORY_CHARS: usize = 200;
/// The most levels of a category path.
pub(crate) const CATEGORY_LEVELS: usize = 6;
/// The most attributes of a product.
pub(crate) const ATTRIBUTES: usize = 32;
/// The longest text of an attribute.
pub(crate) const ATTRIBUTE_CHARS: usize = 256;
/// The heaviest product, 100 t.
pub(crate) const WEIGHT_GRAMS: i32 = 100_000_000;

/// The most options of a product.
pub(crate) const OPTIONS: usize = 5;
/// The longest name of an option.
pub(crate) const OPTION_NAME_CHARS: usize = 40;
/// The most values of an option.
pub(crate) const OPTION_VALUES: usize = 100;
/// The longest value of an option; five of them with their names fit into a key of an index.
pub(crate) const OPTION_VALUE_CHARS: usize = 60;

type Rule = Result<(), &'static str>;

fn is_plain(text: &str) -> bool {
    !text.chars().any(|letter| letter < ' ' || letter == '\u{7f}')
}

/// Printable ASCII without blanks at the ends.
pub(crate) fn check_sku(sku: &str) -> Rule {
    let printable = sku.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if sku.is_empty() || sku.len() > SKU_CHARS || !printable || sku.trim() != sku {
        return Err("a SKU is 1 to 64 printable ASCII characters, without blanks at its ends");
    }
    Ok(())
}

/// Something visible, on one line.
pub(crate) fn check_name(name: &str) -> Rule {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS || !is_plain(name) {
        return Err("a name is 1 to 200 characters, not all blank, without control characters");
    }
    Ok(())
}

/// Anything but NUL, bounded.
pub(crate) fn check_description(description: &str) -> Rule {
    if description.chars().count() > DESCRIPTION_CHARS || description.contains('\0') {
        return Err("a description is at most 4000 characters");
    }
    Ok(())
}

/// Empty, or `Food/Bread`: up to six levels, none of them empty or with blanks at its ends.
pub(crate) fn check_category(path: &str) -> Rule {
    let is_level = |level: &str| {
        !level.is_empty()
            && level.chars().count() <= 64
            && is_plain(level)
            && !level.starts_with(' ')
            && !level.ends_with(' ')
    };
    let fits = path.chars().count() <= CATEGORY_CHARS && path.split('/').count() <= CATEGORY_LEVELS;
    if path.is_empty() || (fits && path.split('/').all(is_level)) {
        return Ok(());
    }
    Err("a category is a path like Food/Bread: at most 200 characters and 6 levels of 1 to 64 characters")
}

/// A short code in lower case.
pub(crate) fn check_tax_category(category: &str) -> Rule {
    let mut bytes = category.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let goes_on =
        bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    if starts && goes_on && category.len() <= 32 {
        return Ok(());
    }
    Err("a tax category is a lower-case letter and up to 31 letters, digits, - and _")
}

/// What the quantity counts: `pcs`, `kg`, `m²`.
pub(crate) fn check_unit(unit: &str) -> Rule {
    let is_blank = unit.contains(char::is_whitespace);
    if unit.is_empty() || unit.chars().count() > 16 || !is_plain(unit) || is_blank {
        return Err("a unit is 1 to 16 characters without blanks");
    }
    Ok(())
}

/// See [`check_barcode`].
pub(crate) fn check_barcode_rule(barcode: &str) -> Rule {
    check_barcode(barcode).map_err(|error| match error {
        BarcodeError::Form => "a barcode has 8, 12, 13 or 14 digits",
        BarcodeError::CheckDigit => "the check digit of the barcode is wrong",
    })
}

/// The longest text of an image.
pub(crate) const ALT_CHARS: usize = 200;

/// What an image shows, on one line; may be empty.
pub(crate) fn check_alt(alt: &str) -> Rule {
    if alt.chars().count() > ALT_CHARS || !is_plain(alt) {
        return Err("the text of an image is at most 200 characters, without control characters");
    }
    Ok(())
}

fn is_label(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && is_plain(text)
}

/// Up to five options of up to a hundred values.
pub(crate) fn check_options(options: &[ProductOption]) -> Rule {
    let fits = |option: &ProductOption| {
        is_label(&option.name, OPTION_NAME_CHARS)
            && (1..=OPTION_VALUES).contains(&option.values.len())
            && option.values.iter().all(|value| is_label(value, OPTION_VALUE_CHARS))
    };
    if options.len() <= OPTIONS && options.iter().all(fits) {
        return Ok(());
    }
    Err("up to 5 options have a name of 1 to 40 characters and 1 to 100 values of 1 to 60 characters each")
}

/// Up to five values by the names of their options.
pub(crate) fn check_option_values(values: &BTreeMap<String, String>) -> Rule {
    let fits = |(name, value): (&String, &String)| {
        is_label(name, OPTION_NAME_CHARS) && is_label(value, OPTION_VALUE_CHARS)
    };
    if values.len() <= OPTIONS && values.iter().all(fits) {
        return Ok(());
    }
    Err("up to 5 values of 1 to 60 characters stand behind names of 1 to 40 characters")
}

/// A flat object of bounded texts, numbers and flags.
pub(crate) fn check_attributes(attributes: &BTreeMap<String, Value>) -> Rule {
    if attributes.len() > ATTRIBUTES {
        return Err("a product has at most 32 attributes");
    }
    for (key, value) in attributes {
        let mut bytes = key.bytes();
        let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let goes_on = bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !starts || !goes_on || key.len() > 64 {
            return Err("the name of an attribute is a letter and up to 63 letters, digits, - and _");
        }
        let fits = match value {
            Value::String(text) => text.chars().count() <= ATTRIBUTE_CHARS && !text.contains('\0'),
            Value::Bool(_) => true,
            Value::Number(number) => number.as_f64().is_some_and(|number| number.abs() <= 1e15),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        if !fits {
            return Err("an attribute is a text of at most 256 characters, a number up to 1e15 or a flag");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // CAT-1, HTTP-8
    #[test]
    fn paths_of_categories_have_no_empty_or_ragged_levels() {
        for path in ["", "Food", "Food/Bread", "A/B/C/D/E/F", "Früchte & Gemüse/Äpfel"] {
            assert!(check_category(path).is_ok(), "{path}");
        }
        for path in ["/", "Food/", "/Food", "Food//Bread", " Food", "Food /Bread", "A/B/C/D/E/F/G", "a\tb"] {
            assert!(check_category(path).is_err(), "{path}");
        }
    }

    #[test]
    fn nested_null_and_oversized_attributes_are_refused() {
        let with = |text: &str| serde_json::from_str::<BTreeMap<String, Value>>(text).unwrap();
        assert!(check_attributes(&with(r#"{"brand":"A","size":1.5,"vegan":true}"#)).is_ok());
        for text in
            [r#"{"a":null}"#, r#"{"a":[1]}"#, r#"{"a":{}}"#, r#"{"1a":1}"#, r#"{"":1}"#, r#"{"a":1e16}"#]
        {
            assert!(check_attributes(&with(text)).is_err(), "{text}");
        }
        let many: BTreeMap<_, _> = (0..33).map(|n| (format!("a{n}"), Value::Bool(true))).collect();
        assert!(check_attributes(&many).is_err());
    }

    #[test]
    fn skus_are_printable_and_trimmed() {
        for sku in ["4006381333931", "BREAD", "a b/c#1", "-5", "~"] {
            assert!(check_sku(sku).is_ok(), "{sku}");
        }
        for sku in ["", " a", "a ", "a\nb", "ä", &"x".repeat(65)] {
            assert!(check_sku(sku).is_err(), "{sku}");
        }
    }

    #[test]
    fn blank_names_and_control_characters_are_refused() {
        assert!(check_name("Pão de queijo").is_ok());
        for name in ["", "  ", "a\u{7}b", "a\nb", &"x".repeat(201)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
