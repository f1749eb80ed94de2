//! What tenants used as CSV.

use std::io;

use bytes::Bytes;
use csvio::Writer;

use super::{Days, TenantUsage};

/// The media type.
pub(super) const CSV: &str = "text/csv; charset=utf-8";

/// Whether the caller would rather have CSV than JSON.
pub(super) fn is_wanted(headers: &http::HeaderMap) -> bool {
    let accepted = headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_csv = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/csv"));
        is_csv && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// A row for each tenant, the days in each, so that files can be put together.
pub(super) fn of_usage(days: Days, usage: &[TenantUsage]) -> io::Result<Bytes> {
    let mut writer = Writer::new(Vec::new());
    let names =
        ["tenant", "tier", "from", "to", "calls", "received_bytes", "sent_bytes", "worked_ms", "messages"];
    let more = ["stored_rows", "stored_bytes", "database_ms", "moved_rows"];
    writer.header(&[&names[..], &more].concat())?;
    for row in usage {
        writer.text(&row.tenant)?;
        writer.plain(row.tier.as_str())?;
        writer.plain(&days.first())?;
        writer.plain(&days.last())?;
        let used = row.used;
        for amount in [used.calls, used.received_bytes, used.sent_bytes, used.worked_ms, used.messages] {
            writer.plain(&amount.to_string())?;
        }
        for amount in [used.stored_rows, used.stored_bytes, Some(used.database_ms), Some(used.moved_rows)] {
            writer.plain(&amount.map_or_else(String::new, |amount| amount.to_string()))?;
        }
        writer.end_row()?;
    }
    Ok(writer.into_inner().into())
}
