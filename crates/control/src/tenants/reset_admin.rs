//! Use case: a way back in for a tenant whose administrators have lost theirs.

use db::{ControlTx, DbError};
use kernel::{TenantId, Timestamp};

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
    /// The stored form of their new password.
    pub password_hash: String,
}

/// Makes the person an active administrator of `tenant` with a new password, and ends all their sign-ins.
///
/// # Errors
/// [`DbError`].
pub async fn reset_admin(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    tenant: TenantId,
    input: &ResetAdmin,
) -> Result<AccountId, DbError> {
    lock_staff(tx, tenant).await?;
    let admission = Admission {
        tenant,
        email: &input.email,
        name: "",
        role: TENANT_ADMIN,
        password: Some(&input.password_hash),
        invited: false,
    };
    let account = admit(control, tx, admission, now).await?.account;
    tx.execute(
        include_str!("reset_admin.sql"),
        &[&tenant, &account, &TENANT_ADMIN, &input.password_hash, &now],
    )
    .await?;
    end_all_tokens(control, tx, account, "password reset by the operator", now).await?;
    forget_lock(tx, &input.email).await?;
    control.announce(tx, Change::Membership(tenant, account)).await?;
    tracing::info!(tenant.id = %tenant, account.id = %account, "administrator reset");
    Ok(account)
}
