//! What `markethall check` proves about the book of record.

use db::{DbError, TenantTx};
use kernel::Violation;

/// At most so many violations of one invariant are named.
const MOST: i64 = 100;

const CHECKS: &[(&str, &str)] = &[
    ("lines_make_the_sale", include_str!("check_lines.sql")),
    ("taxes_make_the_sale", include_str!("check_taxes.sql")),
    ("tenders_pay_the_sale", include_str!("check_tenders.sql")),
    ("receipts_are_gapless", include_str!("check_receipts.sql")),
    ("refunds_within_sales", include_str!("check_refunds.sql")),
    ("corrections_point_to_sales", include_str!("check_originals.sql")),
    ("z_reports_match_sales", include_str!("check_shifts.sql")),
    ("imports_have_sales", include_str!("check_imports.sql")),
];

/// Every broken invariant of the tenant's sales, registers and shifts.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let mut found = Vec::new();
    for (invariant, sql) in CHECKS {
        for row in tx.query(sql, &[&tx.tenant_id(), &MOST]).await? {
            found.push(Violation { invariant, subject: row.try_get(0)?, detail: row.try_get(1)? });
        }
    }
    Ok(found)
}

/// Units sold less units taken back to the shelf per shop and SKU, in thousandths: what the book of stock must hold
/// under the reasons sale, void and refund.
///
/// # Errors
/// [`DbError`].
pub async fn sold_units(tx: &TenantTx) -> Result<Vec<(uuid::Uuid, String, i64)>, DbError> {
    let rows = tx.query(include_str!("sold_units.sql"), &[&tx.tenant_id()]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

/// What each of `sales` comes to, in minor units; sales that do not exist are missing.
///
/// # Errors
/// [`DbError`].
pub async fn find_gross(tx: &TenantTx, sales: &[uuid::Uuid]) -> Result<Vec<(uuid::Uuid, i64)>, DbError> {
    let rows = tx.query(include_str!("find_gross.sql"), &[&tx.tenant_id(), &sales]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// How many sales were booked for orders, and what they come to in minor units, corrections left aside.
///
/// # Errors
/// [`DbError`].
pub async fn sum_orders(tx: &TenantTx) -> Result<(i64, i64), DbError> {
    let row = tx.query_one(include_str!("sum_orders.sql"), &[&tx.tenant_id()]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
