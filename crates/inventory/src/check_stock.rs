//! Use case: prove that the levels and the book of stock agree.

use db::{DbError, TenantTx};
use kernel::Violation;
use uuid::Uuid;

use crate::units::Units;

/// Every way in which the stock of the tenant contradicts itself; at most 1,000 of each kind.
///
/// `stock_equals_movements`: on hand is the sum of the movements. `reserved_equals_open_reservations`: reserved is the
/// sum of the lines of open reservations. `confirmed_reservations_moved`: what was confirmed left the shelf, once.
/// `sold_reservations_moved`: what was confirmed by a sale left the shelf with that sale. `transfers_balance`: what left one shop arrived at the other.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let mut found = Vec::new();
    let checks: [(&'static str, &'static str); 5] = [
        ("stock_equals_movements", include_str!("check_movements.sql")),
        ("reserved_equals_open_reservations", include_str!("check_reserved.sql")),
        ("confirmed_reservations_moved", include_str!("check_confirmed.sql")),
        ("sold_reservations_moved", include_str!("check_sold.sql")),
        ("transfers_balance", include_str!("check_transfers.sql")),
    ];
    for (invariant, sql) in checks {
        for row in tx.query(sql, &[&tx.tenant_id()]).await? {
            let subject: String = row.try_get(0)?;
            let (expected, found_is): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
            let detail = format!("expected {}, found {}", Units(expected), Units(found_is));
            found.push(Violation { invariant, subject, detail });
        }
    }
    Ok(found)
}

/// Open reservations whose reference begins with `prefix`, each with its reference; at most `most`.
///
/// # Errors
/// [`DbError`].
pub async fn list_open(tx: &TenantTx, prefix: &str, most: i64) -> Result<Vec<(Uuid, String)>, DbError> {
    let rows = tx.query(include_str!("list_open.sql"), &[&tx.tenant_id(), &prefix, &most]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
