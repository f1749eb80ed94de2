//! Value added tax: from priced lines to net, VAT and gross per line, per rate and in total.
//!
//! Invariants, whatever the policy: for each line `net + vat = gross`; the lines of a rate add up to that rate's
//! tax line; the tax lines add up to the totals. All in minor units, half away from zero.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{MoneyError, Quantity, Round, VatRounding, allocate, div_round};

/// A tax rate in basis points: 2000 is 20 %. Between 0 and 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Rate(pub i32);

/// What is priced: one line before tax is split off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricedLine {
    /// Minor units per whole unit, with or without VAT as the policy says.
    pub unit_price: i64,
    /// How many.
    pub quantity: Quantity,
    /// Taken off the line, in the same terms as the price; not below zero for a positive line.
    pub discount: i64,
    /// The rate that applies.
    pub rate: Rate,
}

/// What a line comes to, in minor units; `net + vat = gross`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amounts {
    /// Without VAT.
    pub net: i64,
    /// The VAT.
    pub vat: i64,
    /// With VAT.
    pub gross: i64,
}

/// One rate's share of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// The rate.
    pub rate: Rate,
    /// Its amounts.
    pub amounts: Amounts,
}

/// A computed receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// In the order of the input.
    pub lines: Vec<Amounts>,
    /// By ascending rate, each rate once.
    pub taxes: Vec<TaxLine>,
    /// The sum of everything.
    pub totals: Amounts,
}

/// The rules a receipt is computed under; frozen on what they were used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Prices include VAT.
    pub prices_include_vat: bool,
    /// Per line or per total.
    pub rounding: VatRounding,
}

/// What a line comes to before tax is split: price times quantity, rounded once, less the discount.
///
/// # Errors
/// [`MoneyError::OutOfRange`].
pub fn line_value(line: &PricedLine) -> Result<i64, MoneyError> {
    let product = i128::from(line.unit_price) * i128::from(line.quantity.thousandths());
    let value = div_round(product, 1000, Round::HalfUp) - i128::from(line.discount);
    bounded(value)
}

/// Computes a receipt.
///
/// Per line: each line's VAT is rounded by itself. Per total: each rate's VAT is rounded once on the rate's sum and
/// spread over its lines by largest remainder.
///
/// # Errors
/// [`MoneyError::OutOfRange`].
pub fn compute(policy: Policy, lines: &[PricedLine]) -> Result<Computed, MoneyError> {
    let values = lines.iter().map(line_value).collect::<Result<Vec<_>, _>>()?;
    let mut amounts = vec![Amounts::default(); lines.len()];
    let mut rates: Vec<Rate> = lines.iter().map(|line| line.rate).collect();
    rates.sort_unstable();
    rates.dedup();
    let mut taxes = Vec::with_capacity(rates.len());
    for rate in rates {
        let members: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].rate == rate).collect();
        let vats = rate_vats(policy, rate, &members, &values)?;
        let mut sum = Amounts::default();
        for (&i, vat) in members.iter().zip(vats) {
            amounts[i] = with_vat(policy, values[i], vat)?;
            sum = plus(sum, amounts[i])?;
        }
        taxes.push(TaxLine { rate, amounts: sum });
    }
    let totals = taxes.iter().try_fold(Amounts::default(), |sum, tax| plus(sum, tax.amounts))?;
    Ok(Computed { lines: amounts, taxes, totals })
}

/// The part of `whole` that falls to units `from..to` of `of` units, such that consecutive parts add up to `whole`.
///
/// A refund of the last units therefore mirrors the residual of what it refunds to the minor unit.
#[must_use]
pub fn slice(whole: i64, from: Quantity, to: Quantity, of: Quantity) -> i64 {
    let upto = |quantity: Quantity| {
        let share = i128::from(whole) * i128::from(quantity.thousandths());
        div_round(share, i128::from(of.thousandths()).max(1), Round::HalfUp)
    };
    (upto(to) - upto(from)) as i64
}

/// The tax contained in, or added to, `value` at `rate`.
fn vat_of(policy: Policy, rate: Rate, value: i64) -> i64 {
    let bps = i128::from(rate.0);
    let divisor = if policy.prices_include_vat { 10_000 + bps } else { 10_000 };
    div_round(i128::from(value) * bps, divisor, Round::HalfUp) as i64
}

fn rate_vats(policy: Policy, rate: Rate, members: &[usize], values: &[i64]) -> Result<Vec<i64>, MoneyError> {
    let single = || members.iter().map(|&i| vat_of(policy, rate, values[i])).collect();
    if policy.rounding == VatRounding::Line {
        return Ok(single());
    }
    let sum = bounded(members.iter().map(|&i| i128::from(values[i])).sum())?;
    let total = vat_of(policy, rate, sum);
    let weights: Vec<i64> = members.iter().map(|&i| values[i]).collect();
    let mixed = weights.iter().any(|w| *w < 0) && weights.iter().any(|w| *w > 0);
    if !mixed {
        return Ok(allocate(total, &weights));
    }
    // Positive and negative lines on one receipt: round each, and put the residual on the largest line.
    let mut vats: Vec<i64> = single();
    let residual = total - vats.iter().sum::<i64>();
    if let Some(largest) = (0..vats.len()).max_by_key(|&i| weights[i].unsigned_abs()) {
        vats[largest] += residual;
    }
    Ok(vats)
}

fn with_vat(policy: Policy, value: i64, vat: i64) -> Result<Amounts, MoneyError> {
    if policy.prices_include_vat {
        Ok(Amounts { net: value - vat, vat, gross: value })
    } else {
        Ok(Amounts { net: value, vat, gross: bounded(i128::from(value) + i128::from(vat))? })
    }
}

fn plus(a: Amounts, b: Amounts) -> Result<Amounts, MoneyError> {
    let add = |x: i64, y: i64| bounded(i128::from(x) + i128::from(y));
    Ok(Amounts { net: add(a.net, b.net)?, vat: add(a.vat, b.vat)?, gross: add(a.gross, b.gross)? })
}

fn bounded(value: i128) -> Result<i64, MoneyError> {
    match i64::try_from(value) {
        Ok(value) if value.unsigned_abs() <= crate::Money::MAX_AMOUNT.unsigned_abs() => Ok(value),
        _ => Err(MoneyError::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policies() -> impl Strategy<Value = Policy> {
        (any::<bool>(), prop_oneof![Just(VatRounding::Line), Just(VatRounding::Total)])
            .prop_map(|(prices_include_vat, rounding)| Policy { prices_include_vat, rounding })
    }

    fn lines(signed: bool) -> impl Strategy<Value = Vec<PricedLine>> {
        let quantity = if signed { -100_000_i64..100_000 } else { 1..100_000 };
        let rate = prop_oneof![Just(0), Just(500), Just(700), Just(1000), Just(1900), Just(2000)];
        let line = (0_i64..1_000_000, quantity, 0_i64..200, rate).prop_map(|(p, q, d, r)| PricedLine {
            unit_price: p,
            quantity: Quantity::from_thousandths(q).unwrap(),
            discount: d,
            rate: Rate(r),
        });
        prop::collection::vec(line, 1..30)
    }

    proptest! {
        // SAL-2: sum of lines = total to the minor unit, tax lines per rate add up.
        #[test]
        fn lines_add_up_to_tax_lines_and_totals(policy in policies(), lines in lines(true)) {
            let computed = compute(policy, &lines).unwrap();
            for amounts in &computed.lines {
                prop_assert_eq!(amounts.net + amounts.vat, amounts.gross);
            }
            for tax in &computed.taxes {
                let of_rate = |i: &usize| lines[*i].rate == tax.rate;
                let sum = |pick: fn(&Amounts) -> i64| -> i64 {
                    (0..lines.len()).filter(of_rate).map(|i| pick(&computed.lines[i])).sum()
                };
                prop_assert_eq!(sum(|a| a.net), tax.amounts.net);
                prop_assert_eq!(sum(|a| a.vat), tax.amounts.vat);
                prop_assert_eq!(sum(|a| a.gross), tax.amounts.gross);
            }
            prop_assert_eq!(computed.taxes.iter().map(|t| t.amounts.gross).sum::<i64>(), computed.totals.gross);
            prop_assert_eq!(computed.totals.net + computed.totals.vat, computed.totals.gross);
        }

        // SAL-2: per total, each rate is off by no more than half a minor unit from exact.
        #[test]
        fn rounding_per_total_is_exact_per_rate(inclusive: bool, lines in lines(false)) {
            let policy = Policy { prices_include_vat: inclusive, rounding: VatRounding::Total };
            for tax in compute(policy, &lines).unwrap().taxes {
                let base = if inclusive { tax.amounts.gross } else { tax.amounts.net };
                prop_assert_eq!(tax.amounts.vat, vat_of(policy, tax.rate, base));
            }
        }

        // SAL-5: refunds in any number of steps give back exactly what was paid.
        #[test]
        fn slices_add_up_to_the_whole(whole in -10_000_000_i64..10_000_000, cuts in prop::collection::vec(1_i64..5_000, 1..20)) {
            let of = Quantity::from_thousandths(cuts.iter().sum()).unwrap();
            let (mut from, mut sum) = (Quantity::ZERO, 0);
            for cut in cuts {
                let to = from.checked_add(Quantity::from_thousandths(cut).unwrap()).unwrap();
                sum += slice(whole, from, to, of);
                from = to;
            }
            prop_assert_eq!(sum, whole);
        }
    }

    #[test]
    fn a_known_receipt_is_right() {
        let policy = Policy { prices_include_vat: true, rounding: VatRounding::Line };
        let line = |unit_price, thousandths, rate| PricedLine {
            unit_price,
            quantity: Quantity::from_thousandths(thousandths).unwrap(),
            discount: 0,
            rate: Rate(rate),
        };
        let computed = compute(policy, &[line(1200, 2000, 2000), line(333, 450, 1000)]).unwrap();
        assert_eq!(computed.lines[0], Amounts { net: 2000, vat: 400, gross: 2400 });
        assert_eq!(computed.lines[1], Amounts { net: 136, vat: 14, gross: 150 });
        assert_eq!(computed.totals.gross, 2550);
    }
}
