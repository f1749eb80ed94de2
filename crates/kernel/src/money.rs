//! Money in minor units, with checked arithmetic and named rounding.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use crate::Quantity;

/// Why an amount could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result is beyond [`Money::MAX_AMOUNT`].
    #[error("the amount is out of range")]
    OutOfRange,
    /// Two currencies met in one sum.
    #[error("the currencies differ")]
    CurrencyMismatch,
}

/// How a fraction of a minor unit is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Half away from zero, the usual commercial rounding.
    HalfUp,
    /// Towards minus infinity.
    Floor,
}

/// An ISO 4217 currency code, three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// The text is not three upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three upper-case letters, as in ISO 4217")]
pub struct ParseCurrencyError;

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
    /// The US dollar.
    pub const USD: Self = Self(*b"USD");

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimal places of the minor unit (source: ISO 4217, the exceptions from two).
    #[must_use]
    pub fn decimals(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF"
            | b"UGX" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = ParseCurrencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| ParseCurrencyError)?;
        if bytes.iter().all(u8::is_ascii_uppercase) { Ok(Self(bytes)) } else { Err(ParseCurrencyError) }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .examples([serde_json::json!("EUR")])
            .into()
    }
}

impl ToSchema for Currency {}

/// An amount in minor units of a currency: `{ "amount": 1234, "currency": "EUR" }` is 12.34 euro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units; at most 10^15 either way, so that no sum of a billion of them can overflow unseen.
    #[schema(minimum = -1_000_000_000_000_000_i64, maximum = 1_000_000_000_000_000_i64)]
    #[serde(deserialize_with = "bounded_amount")]
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

fn bounded_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let amount = i64::deserialize(deserializer)?;
    bounded(i128::from(amount)).map_err(D::Error::custom)
}

fn bounded(amount: i128) -> Result<i64, MoneyError> {
    match i64::try_from(amount) {
        Ok(amount) if amount.unsigned_abs() <= Money::MAX_AMOUNT.unsigned_abs() => Ok(amount),
        _ => Err(MoneyError::OutOfRange),
    }
}

impl Money {
    /// The largest amount, in minor units.
    pub const MAX_AMOUNT: i64 = 1_000_000_000_000_000;

    /// `amount` minor units of `currency`.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::OutOfRange`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = bounded(i128::from(self.amount) + i128::from(other.amount))?;
        Ok(Self::new(amount, self.currency))
    }

    /// Price times quantity: one named rounding, no floating point.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn mul_quantity(self, quantity: Quantity, round: Round) -> Result<Self, MoneyError> {
        let product = i128::from(self.amount) * i128::from(quantity.thousandths());
        Ok(Self::new(bounded(div_round(product, 1000, round))?, self.currency))
    }

    /// Reads a decimal such as `12.34` exactly into minor units of `currency`.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] on anything that is not a plain decimal with at most the currency's places.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let places = currency.decimals() as usize;
        let trimmed = part.trim_end_matches('0');
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 16 || part.len() > 18 || digits.ends_with('.') {
            return Err(MoneyError::OutOfRange);
        }
        if !plain(whole) || !plain(part) || trimmed.len() > places {
            return Err(MoneyError::OutOfRange);
        }
        let joined = format!("{whole}{trimmed:0<places$}");
        let amount: i128 = joined.parse().map_err(|_| MoneyError::OutOfRange)?;
        Ok(Self::new(bounded(if negative { -amount } else { amount })?, currency))
    }

    /// The amount as a plain decimal, `-12.34`, which [`Money::parse_decimal`] reads back.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let places = self.currency.decimals() as usize;
        let sign = if self.amount < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.amount.unsigned_abs(), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

/// Divides with the named rounding; `divisor` must be above zero.
#[must_use]
pub fn div_round(dividend: i128, divisor: i128, round: Round) -> i128 {
    match round {
        Round::Floor => dividend.div_euclid(divisor),
        Round::HalfUp => {
            let (quotient, rest) = (dividend / divisor, dividend % divisor);
            if rest.unsigned_abs() * 2 >= divisor.unsigned_abs() {
                quotient + dividend.signum()
            } else {
                quotient
            }
        }
    }
}

/// Splits `total` over `weights` by largest remainder, so that the parts always add up to `total`.
///
/// Ties go to the earlier part; all weights zero puts everything on the first. Weights must not differ in sign.
#[must_use]
pub fn allocate(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(weight.unsigned_abs())).sum();
    if sum == 0 {
        return weights.iter().enumerate().map(|(i, _)| if i == 0 { total } else { 0 }).collect();
    }
    let shares: Vec<(i128, i128)> = weights
        .iter()
        .map(|weight| {
            let exact = i128::from(total.unsigned_abs()) * i128::from(weight.unsigned_abs());
            (exact / sum, exact % sum)
        })
        .collect();
    let missing = i128::from(total.unsigned_abs()) - shares.iter().map(|share| share.0).sum::<i128>();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(shares[i].1), i));
    let mut parts: Vec<i64> = shares.iter().map(|share| share.0 as i64).collect();
    for &i in order.iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[i] += 1;
    }
    parts.iter().map(|part| part * total.signum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        // SAL-2: residuals are allocated by largest remainder.
        #[test]
        fn parts_add_up_to_the_total_and_are_within_one_of_exact(
            total in -1_000_000_000_i64..1_000_000_000,
            weights in prop::collection::vec(0_i64..1_000_000, 1..40),
        ) {
            let parts = allocate(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let sum: i64 = weights.iter().sum();
            if sum > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    let exact = total as f64 * *weight as f64 / sum as f64;
                    prop_assert!((*part as f64 - exact).abs() <= 1.0);
                }
            }
        }

        #[test]
        fn decimals_read_back(amount in -Money::MAX_AMOUNT..=Money::MAX_AMOUNT, code in "EUR|JPY|KWD") {
            let money = Money::new(amount, code.parse().unwrap());
            prop_assert_eq!(Money::parse_decimal(&money.to_decimal(), money.currency), Ok(money));
        }

        // HTTP-8
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,40}") {
            let _ = Money::parse_decimal(&text, Currency::EUR);
        }
    }

    #[test]
    fn halves_round_away_from_zero() {
        assert_eq!(div_round(5, 10, Round::HalfUp), 1);
        assert_eq!(div_round(-5, 10, Round::HalfUp), -1);
        assert_eq!(div_round(4, 10, Round::HalfUp), 0);
        assert_eq!(div_round(-5, 10, Round::Floor), -1);
    }

    #[test]
    fn overflow_foreign_currency_and_a_third_decimal_are_refused() {
        let most = Money::new(Money::MAX_AMOUNT, Currency::EUR);
        assert_eq!(most.checked_add(most), Err(MoneyError::OutOfRange));
        assert_eq!(most.checked_add(Money::zero(Currency::USD)), Err(MoneyError::CurrencyMismatch));
        assert!(Money::parse_decimal("1.005", Currency::EUR).is_err());
        assert_eq!(Money::parse_decimal("1.500", Currency::EUR).map(|m| m.amount), Ok(150));
    }
}
