//! Reports as CSV: one header, one row per group, money as decimals of the currency.

use std::io;

use bytes::Bytes;
use csvio::Writer;
use kernel::Money;

use crate::{report_sales::SalesGroup, report_vat::VatGroup};

/// The media type.
pub(crate) const CSV: &str = "text/csv; charset=utf-8";

/// Whether the caller would rather have CSV than JSON.
pub(crate) fn is_wanted(headers: &http::HeaderMap) -> bool {
    let accepted = headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_csv = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/csv"));
        is_csv && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// Sales by group.
pub(crate) fn of_sales(groups: &[SalesGroup]) -> io::Result<Bytes> {
    let mut writer = Writer::new(Vec::new());
    writer.header(&["key", "name", "receipts", "quantity", "net", "vat", "gross", "discount", "currency"])?;
    for group in groups {
        let amounts = &group.amounts;
        writer.text(&group.key)?;
        writer.text(group.name.as_deref().unwrap_or(""))?;
        writer.plain(&amounts.receipts.to_string())?;
        writer.plain(&group.quantity.map(|quantity| quantity.to_string()).unwrap_or_default())?;
        money(&mut writer, &[amounts.net, amounts.vat, amounts.gross, amounts.discount])?;
    }
    Ok(writer.into_inner().into())
}

/// VAT by period and rate.
pub(crate) fn of_vat(groups: &[VatGroup]) -> io::Result<Bytes> {
    let mut writer = Writer::new(Vec::new());
    writer.header(&["period", "rate", "net", "vat", "gross", "currency"])?;
    for group in groups {
        writer.plain(group.period.as_deref().unwrap_or(""))?;
        writer.plain(&group.rate.to_string())?;
        money(&mut writer, &[group.net, group.vat, group.gross])?;
    }
    Ok(writer.into_inner().into())
}

/// Ends a row with amounts and their currency.
fn money(writer: &mut Writer<Vec<u8>>, amounts: &[Money]) -> io::Result<()> {
    for amount in amounts {
        writer.plain(&amount.to_decimal())?;
    }
    writer.plain(amounts.first().map_or("", |amount| amount.currency.as_str()))?;
    writer.end_row()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_given_to_those_who_ask_for_it() {
        let wanted = |accept: &'static str| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::ACCEPT, http::HeaderValue::from_static(accept));
            is_wanted(&headers)
        };
        assert!(wanted("text/csv") && wanted("application/json;q=0.5, Text/CSV; q=0.9"));
        assert!(!wanted("application/json") && !wanted("*/*") && !wanted("text/csv;q=0"));
    }
}
