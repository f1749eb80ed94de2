//! What `markethall check` asks of customers.

use db::{DbError, TenantTx};
use kernel::Violation;

use crate::CustomerId;

/// Each with its rows (customers who break it, at most 100) and what is said about them.
const CHECKS: [(&str, &str, &str); 5] = [
    (
        "customers_are_well_formed",
        include_str!("find_malformed.sql"),
        "its version, times, reference or name are outside their bounds",
    ),
    (
        "loyalty_balance_is_the_sum_of_its_entries",
        include_str!("loyalty/find_unbalanced.sql"),
        "its points are not the sum of what came and went",
    ),
    (
        "one_default_address_for_each_purpose",
        include_str!("profile/find_double_defaults.sql"),
        "it has several default addresses, or more addresses than there may be",
    ),
    (
        "merged_customers_are_inactive_and_empty",
        include_str!("find_wrongly_merged.sql"),
        "it was merged, but is active, has a login, points or addresses, or its survivor is missing or merged too",
    ),
    (
        "sign_ins_belong_to_active_customers",
        include_str!("accounts/find_orphaned_sessions.sql"),
        "it has a session without being active or having a login",
    ),
];

/// Every customer is within the rules that the routes hold. Details never show personal data; at most 100 are named
/// for each invariant.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let mut found = Vec::new();
    for (invariant, sql, detail) in CHECKS {
        for row in tx.query(sql, &[&tx.tenant_id()]).await? {
            let id: CustomerId = row.try_get("id")?;
            found.push(Violation { invariant, subject: id.to_string(), detail: detail.to_owned() });
        }
    }
    Ok(found)
}
