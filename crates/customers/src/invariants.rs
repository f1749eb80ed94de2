//! What `markethall check` asks of customers.

use db::{DbError, TenantTx};
use kernel::Violation;

use crate::CustomerId;

/// Every customer is within the rules that the routes hold. Details never show personal data; at most 100 are named.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let rows = tx.query(include_str!("find_malformed.sql"), &[&tx.tenant_id()]).await?;
    let violation = |id: CustomerId| Violation {
        invariant: "customers_are_well_formed",
        subject: id.to_string(),
        detail: "its version, times, reference or name are outside their bounds".to_owned(),
    };
    rows.iter().map(|row| Ok(violation(row.try_get("id")?))).collect()
}
