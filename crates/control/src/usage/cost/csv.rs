//! What use cost as CSV.

use std::io;

use bytes::Bytes;
use csvio::Writer;

use super::CostReport;

/// A row for each line, so that reports can be put together; their amounts add up to the total.
pub(super) fn of_costs(report: &CostReport) -> io::Result<Bytes> {
    let mut writer = Writer::new(Vec::new());
    writer.header(&[
        "tenant", "item", "tier", "from", "to", "quantity", "price", "per", "amount", "currency",
    ])?;
    for line in &report.lines {
        writer.text(&report.tenant)?;
        writer.plain(&line.item)?;
        writer.plain(line.tier.as_str())?;
        writer.plain(&line.from.to_string())?;
        writer.plain(&line.to.to_string())?;
        writer.plain(&line.quantity.to_string())?;
        writer.plain(&line.price.map_or_else(String::new, |price| price.amount.to_decimal()))?;
        writer.plain(&line.price.map_or_else(String::new, |price| price.per.to_string()))?;
        writer.plain(&line.amount.to_decimal())?;
        writer.plain(line.amount.currency.as_str())?;
        writer.end_row()?;
    }
    Ok(writer.into_inner().into())
}
