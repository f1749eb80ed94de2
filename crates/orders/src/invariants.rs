//! What `markethall check` proves about orders.

use db::{DbError, TenantTx};
use kernel::Violation;
use uuid::Uuid;

const CHECKS: &[(&str, &str)] = &[
    ("order_lines_make_the_order", include_str!("check_lines.sql")),
    ("order_history_ends_where_it_stands", include_str!("check_history.sql")),
    ("order_numbers_within_counter", include_str!("check_numbers.sql")),
];

/// Every broken invariant of the tenant's orders; at most 100 of each kind.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let mut found = Vec::new();
    for (invariant, sql) in CHECKS {
        for row in tx.query(sql, &[&tx.tenant_id()]).await? {
            found.push(Violation { invariant, subject: row.try_get(0)?, detail: row.try_get(1)? });
        }
    }
    Ok(found)
}

/// Those of `ids` that are orders of the tenant.
///
/// # Errors
/// [`DbError`].
pub async fn find_existing(tx: &TenantTx, ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let rows = tx.query(include_str!("find_existing.sql"), &[&tx.tenant_id(), &ids]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// An order whose money came in at some time: what must stand beside it in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOrder {
    /// The order.
    pub id: Uuid,
    /// Its sale.
    pub sale: Uuid,
    /// Its payment, where a provider took the money.
    pub payment: Option<Uuid>,
    /// What was paid, in minor units.
    pub gross: i64,
    /// Whether the money is to go back.
    pub undone: bool,
}

/// Orders that were paid at some time, by id, after `after`; at most `take`.
///
/// # Errors
/// [`DbError`].
pub async fn list_paid(tx: &TenantTx, after: Uuid, take: i64) -> Result<Vec<PaidOrder>, DbError> {
    let rows = tx.query(include_str!("list_paid.sql"), &[&tx.tenant_id(), &after, &take]).await?;
    rows.iter()
        .map(|row| {
            Ok(PaidOrder {
                id: row.try_get(0)?,
                sale: row.try_get(1)?,
                payment: row.try_get(2)?,
                gross: row.try_get(3)?,
                undone: row.try_get(4)?,
            })
        })
        .collect()
}
