//! Use case: prove that payments, refunds, their histories and the test provider's ledger agree.

use db::{DbError, TenantTx};
use kernel::Violation;

/// Every way in which the payments of the tenant contradict themselves; at most 1,000 of each kind.
///
/// `payment_equals_refunds`: refunded and refunding are the sums of the payment's refunds.
/// `payments_match_test_ledger`: what the test provider took and gave back is what the books say, either way.
/// `nothing_waits_unasked`: nothing is overdue for a look by more than an hour.
/// `history_ends_in_state`: the last entry of each history is the present state.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let mut found = Vec::new();
    let now = tx.ctx().now();
    let checks: [(&'static str, &'static str); 4] = [
        ("payment_equals_refunds", include_str!("check_refunds.sql")),
        ("payments_match_test_ledger", include_str!("check_test_ledger.sql")),
        ("nothing_waits_unasked", include_str!("check_overdue.sql")),
        ("history_ends_in_state", include_str!("check_history.sql")),
    ];
    for (invariant, sql) in checks {
        for row in tx.query(sql, &[&tx.tenant_id(), &now]).await? {
            found.push(Violation { invariant, subject: row.try_get(0)?, detail: row.try_get(1)? });
        }
    }
    Ok(found)
}
