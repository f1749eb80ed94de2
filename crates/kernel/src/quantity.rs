//! Quantities with up to three decimals, held as whole thousandths.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// A number of units, in thousandths: `0.450` is 450. Written as a decimal string, bounded to ±1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Quantity(i64);

/// The text is not a quantity of at most three decimals within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a decimal with up to 3 places, at most 1000000000")]
pub struct ParseQuantityError;

impl Quantity {
    /// None.
    pub const ZERO: Self = Self(0);
    /// One whole unit.
    pub const ONE: Self = Self(1000);
    /// The largest quantity, in thousandths.
    pub const MAX_THOUSANDTHS: i64 = 1_000_000_000_000;
    /// The most on a line of a cart, an order or a sale, in thousandths: a million.
    pub const MOST_ON_A_LINE: i64 = 1_000_000_000;

    /// From thousandths; `None` beyond the bounds.
    #[must_use]
    pub const fn from_thousandths(thousandths: i64) -> Option<Self> {
        if thousandths.unsigned_abs() > Self::MAX_THOUSANDTHS.unsigned_abs() {
            None
        } else {
            Some(Self(thousandths))
        }
    }

    /// From whole units; `None` beyond the bounds.
    #[must_use]
    pub const fn from_units(units: i64) -> Option<Self> {
        match units.checked_mul(1000) {
            Some(thousandths) => Self::from_thousandths(thousandths),
            None => None,
        }
    }

    /// In thousandths.
    #[must_use]
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// Whether it is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether a line of a cart, an order or a sale may have it: above zero, at most a million.
    #[must_use]
    pub const fn fits_a_line(self) -> bool {
        0 < self.0 && self.0 <= Self::MOST_ON_A_LINE
    }

    /// The schema of what [`Quantity::fits_a_line`].
    #[must_use]
    pub fn line_schema() -> RefOr<Schema> {
        const PATTERN: &str =
            r"^([1-9][0-9]{0,5}(\.[0-9]{1,3})?|1000000|0\.([1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9]))$";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(PATTERN))
            .description(Some("Above zero, up to three decimals, at most 1,000,000."))
            .examples(["2"])
            .into()
    }

    /// Whether it is exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The same amount in the other direction.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(-self.0)
    }

    /// The sum; `None` beyond the bounds.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::from_thousandths)
    }

    /// The difference; `None` beyond the bounds.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::from_thousandths)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        if part == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{part:03}") }
    }
}

impl FromStr for Quantity {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |text: &str, longest: usize| {
            !text.is_empty() && text.len() <= longest && text.bytes().all(|b| b.is_ascii_digit())
        };
        if !plain(whole, 10) || !plain(part, 3) {
            return Err(ParseQuantityError);
        }
        let units: i64 = whole.parse().map_err(|_| ParseQuantityError)?;
        let fraction: i64 = format!("{part:0<3}").parse().map_err(|_| ParseQuantityError)?;
        let thousandths = units * 1000 + fraction;
        Self::from_thousandths(if negative { -thousandths } else { thousandths }).ok_or(ParseQuantityError)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for Quantity {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^-?[0-9]{1,9}(\.[0-9]{1,3})?$"))
            .description(Some("A decimal with up to three places."))
            .into()
    }
}

impl ToSchema for Quantity {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn written_quantities_read_back(n in -Quantity::MAX_THOUSANDTHS..=Quantity::MAX_THOUSANDTHS) {
            let quantity = Quantity::from_thousandths(n).unwrap();
            prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
        }

        // HTTP-8
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "[-+0-9.eE]{0,30}") {
            let _ = text.parse::<Quantity>();
        }
    }

    #[test]
    fn four_decimals_exponents_signs_and_absurd_numbers_are_refused() {
        for text in ["1.2345", "1e3", "+1", "", ".", "1.", ".5", "NaN", "1000000001", "99999999999", " 1"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
        assert_eq!("0.45".parse::<Quantity>().unwrap().thousandths(), 450);
        assert_eq!("-2".parse::<Quantity>().unwrap().thousandths(), -2000);
    }
}
