//! Gives a person a place in a tenant, with an account made for them when they have none.

use db::{ControlTx, DbError};
use kernel::{TenantId, Timestamp};

use super::AccountId;
use crate::{Control, change::Change};

/// Who shall have which place.
pub(crate) struct Admission<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) email: &'a str,
    pub(crate) name: &'a str,
    pub(crate) role: &'a str,
    /// The stored form of a password for a new account; an account that exists keeps its own.
    pub(crate) password: Option<&'a str>,
    /// Whether an account that existed before has to accept, by signing in to this tenant.
    pub(crate) invited: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admitted {
    pub(crate) account: AccountId,
    /// False when the person had an active or invited place already; it is left as it was.
    pub(crate) new_place: bool,
}

/// Admits a person; repeating it changes nothing. A place that was taken away is given anew.
pub(crate) async fn admit(
    control: &Control,
    tx: &ControlTx,
    admission: Admission<'_>,
    now: Timestamp,
) -> Result<Admitted, DbError> {
    let email = admission.email.to_ascii_lowercase();
    let made = tx
        .query_opt(
            include_str!("create_account.sql"),
            &[&AccountId::new(), &email, &admission.name, &admission.password, &Some(admission.tenant), &now],
        )
        .await?;
    let (account, is_new): (AccountId, bool) = match made {
        Some(row) => (row.try_get(0)?, true),
        None => {
            let row = tx.query_one(include_str!("find_account_id.sql"), &[&email]).await?;
            (row.try_get(0)?, false)
        }
    };
    let status = if admission.invited && !is_new { "invited" } else { "active" };
    let placed = tx
        .execute(
            include_str!("create_membership.sql"),
            &[&admission.tenant, &account, &admission.role, &status, &now],
        )
        .await?;
    if placed == 1 {
        control.announce(tx, Change::Membership(admission.tenant, account)).await?;
    }
    Ok(Admitted { account, new_place: placed == 1 })
}
