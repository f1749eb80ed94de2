//! Use case: search the log, the youngest first.

use db::{DbError, TenantTx};
use kernel::Timestamp;

use crate::{Record, store::decode};

/// What is looked for; `None` means whatever.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntryFilter {
    pub(crate) actor: Option<String>,
    pub(crate) operation: Option<String>,
    /// What the path begins with.
    pub(crate) subject: Option<String>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    /// Only those before this place.
    pub(crate) before: Option<i64>,
    pub(crate) limit: i64,
}

/// A page of entries with their places, without bodies.
pub(crate) async fn list_entries(tx: &TenantTx, filter: &EntryFilter) -> Result<Vec<(i64, Record)>, DbError> {
    let EntryFilter { actor, operation, subject, from, to, before, limit } = filter;
    let beginning = subject.as_deref().map(beginning);
    let tenant = tx.tenant_id();
    let rows = tx
        .query(
            include_str!("list_entries.sql"),
            &[&tenant, actor, operation, &beginning, from, to, before, limit],
        )
        .await?;
    rows.iter().map(|row| decode(tenant, row)).collect()
}

/// One entry with its bodies.
pub(crate) async fn find_entry(tx: &TenantTx, seq: i64) -> Result<Option<(i64, Record)>, DbError> {
    let tenant = tx.tenant_id();
    let row = tx.query(include_str!("find_entry.sql"), &[&tenant, &seq]).await?.pop();
    row.map(|row| decode(tenant, &row)).transpose()
}

/// A pattern of `like` for what begins with `text`.
fn beginning(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
