//! Use case: a way back in for a tenant whose administrators have lost theirs.

use db::{ControlTx, DbError};
use kernel::{TenantId, Timestamp};
use secrecy::SecretString;

use crate::{
    Control,
    accounts::{AccountId, Admission, admit, end_all_tokens, forget_lock},
    change::Change,
    permissions::TENANT_ADMIN,
    staff::lock_staff,
};

/// Who shall be administrator again.
#[derive(Debug, Clone)]
pub struct ResetAdmin {
    /// The address they sign in with; an account is made when there is none.
    pub email: String,
    /// The stored form of their new password, if the account is new or the tenant's alone.
    pub password_hash: String,
}

/// What came of it.
#[derive(Debug)]
pub struct AdminReset {
    /// The account.
    pub account: AccountId,
    /// Whether the new password holds; an account that others rely on too keeps its own.
    pub password_set: bool,
    /// The code of the invitation that such an account has to accept; shown this once.
    pub invitation: Option<SecretString>,
}

/// Makes the person an administrator of `tenant`. An account that is the tenant's alone gets the new password, is active
/// at once, and all its sign-ins end; any other keeps its password and is invited, unless it has an active place.
///
/// # Errors
/// [`DbError`].
pub async fn reset_admin(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    tenant: TenantId,
    input: &ResetAdmin,
) -> Result<AdminReset, DbError> {
    lock_staff(tx, tenant).await?;
    let done = match reset_own(control, now, tx, tenant, input).await? {
        Some(account) => AdminReset { account, password_set: true, invitation: None },
        None => admit_other(control, now, tx, tenant, input).await?,
    };
    if done.password_set {
        forget_lock(tx, &input.email).await?;
    }
    control.announce(tx, Change::Membership(tenant, done.account)).await?;
    tracing::info!(tenant.id = %tenant, account.id = %done.account, "administrator reset");
    Ok(done)
}

/// A new password and an active place for an account that is the tenant's alone; `None` when it is not.
async fn reset_own(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    tenant: TenantId,
    input: &ResetAdmin,
) -> Result<Option<AccountId>, DbError> {
    let email = input.email.to_ascii_lowercase();
    let row = tx
        .query_opt(
            include_str!("reset_admin.sql"),
            &[&tenant, &email, &input.password_hash, &TENANT_ADMIN, &now],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let account = row.try_get(0)?;
    end_all_tokens(control, tx, account, "password reset by the operator", now).await?;
    Ok(Some(account))
}

/// A new account, an invitation, or the role for somebody who has an active place.
async fn admit_other(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    tenant: TenantId,
    input: &ResetAdmin,
) -> Result<AdminReset, DbError> {
    let password = Some(input.password_hash.as_str());
    let admission = Admission { tenant, email: &input.email, name: "", role: TENANT_ADMIN, password };
    let admitted = admit(control, tx, admission, now).await?;
    if !admitted.new_place {
        let promote = include_str!("promote_admin.sql");
        tx.execute(promote, &[&tenant, &admitted.account, &TENANT_ADMIN, &now]).await?;
    }
    Ok(AdminReset {
        account: admitted.account,
        password_set: admitted.new_account,
        invitation: admitted.invitation,
    })
}
