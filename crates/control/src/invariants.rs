//! What must always hold in the control database; asked by `markethall check`.

use db::{ControlTx, DbError};
use kernel::Violation;

/// An invariant: its name, and a query for what breaks it, as rows of subject and detail.
const INVARIANTS: [(&str, &str); 8] = [
    ("active_tenants_are_placed", include_str!("invariants/active_tenants_are_placed.sql")),
    ("active_tenants_are_set_up", include_str!("invariants/active_tenants_are_set_up.sql")),
    ("databases_are_not_mixed", include_str!("invariants/databases_are_not_mixed.sql")),
    ("active_tenants_have_an_admin", include_str!("invariants/active_tenants_have_an_admin.sql")),
    ("memberships_have_a_role", include_str!("invariants/memberships_have_a_role.sql")),
    ("sessions_have_a_membership", include_str!("invariants/sessions_have_a_membership.sql")),
    ("refresh_tokens_are_single", include_str!("invariants/refresh_tokens_are_single.sql")),
    ("a_signing_key_verifies", include_str!("invariants/a_signing_key_verifies.sql")),
];

/// The names of the built-in roles, for the query that looks for others.
fn built_in() -> Vec<&'static str> {
    crate::permissions::BUILT_IN_ROLES.iter().map(|role| role.name).collect()
}

/// Everything that is wrong; at most 100 of each kind.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &ControlTx) -> Result<Vec<Violation>, DbError> {
    let mut violations = Vec::new();
    for (invariant, query) in INVARIANTS {
        for row in tx.query(query, &[&built_in()]).await? {
            violations.push(Violation { invariant, subject: row.try_get(0)?, detail: row.try_get(1)? });
        }
    }
    Ok(violations)
}
