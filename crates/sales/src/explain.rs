//! `?explain=vat`: in words and figures, how each amount of a sale came about.

use kernel::{VatRounding, vat::Policy};

use crate::model::Sale;

/// One sentence per line, per rate and for the total.
#[must_use]
pub(crate) fn explain_vat(sale: &Sale, policy: Policy) -> Vec<String> {
    let mut told = Vec::with_capacity(sale.lines.len() + sale.vat.len() + 1);
    let terms = if policy.prices_include_vat { "including VAT" } else { "without VAT" };
    for line in &sale.lines {
        let rate = percent(line.vat_rate);
        let value = if policy.prices_include_vat { line.gross } else { line.net };
        told.push(format!(
            "line {}: {} x {} less {} discount is {} {terms}, rounded half away from zero; \
             VAT at {rate} is {}, net {}, gross {}",
            line.line, line.quantity, line.unit_price, line.discount, value, line.vat, line.net, line.gross,
        ));
    }
    for tax in &sale.vat {
        let rate = percent(tax.rate);
        told.push(match policy.rounding {
            VatRounding::Line => {
                format!("{rate}: the lines' VAT adds up to {} on {} net", tax.vat, tax.net)
            }
            VatRounding::Total => format!(
                "{rate}: VAT was rounded once on the rate's total to {} on {} net and spread over its lines by \
                 largest remainder",
                tax.vat, tax.net
            ),
        });
    }
    told.push(format!(
        "total: {} net and {} VAT make {} gross; cash rounding adds {}",
        sale.totals.net, sale.totals.vat, sale.totals.gross, sale.totals.cash_rounding
    ));
    told
}

fn percent(basis_points: i32) -> String {
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}
