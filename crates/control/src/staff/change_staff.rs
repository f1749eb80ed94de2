//! Use case: another role for somebody, their leaving and coming back, a new password for them.

use db::{ControlTx, DbError};
use kernel::Ctx;

use super::{StaffMember, StaffStatus, find_staff, lock_staff};
use crate::{
    Control,
    accounts::{AccountId, end_all_tokens, revoke_sessions},
    change::Change,
    permissions::TENANT_ADMIN,
    roles::{AssignError, check_assignable},
};

/// How somebody's place shall be.
#[derive(Debug, Clone)]
pub struct ChangeStaff {
    /// Their role.
    pub role: String,
    /// Whether they work; somebody invited stays so until they accept.
    pub active: bool,
    /// The stored form of a new password.
    pub password_hash: Option<String>,
    /// The version to change; any when `None`.
    pub version: Option<i32>,
}

/// Why a place was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeStaffError {
    /// They are not on the staff.
    #[error("not on the staff")]
    NotFound,
    /// The place has been changed since it was read.
    #[error("the place has changed")]
    Changed,
    /// There is no such role for staff.
    #[error("unknown role")]
    UnknownRole,
    /// The role they have or shall have may do what the caller may not.
    #[error("permission {0} is beyond the caller's")]
    Beyond(String),
    /// Nobody would be left to run the tenant.
    #[error("the last administrator")]
    LastAdmin,
    /// The account was not made by this tenant, or has places in others: its password is its owner's.
    #[error("the account is shared")]
    Shared,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<AssignError> for ChangeStaffError {
    fn from(error: AssignError) -> Self {
        match error {
            AssignError::Unknown => Self::UnknownRole,
            AssignError::Beyond(name) => Self::Beyond(name),
            AssignError::Database(error) => Self::Database(error),
        }
    }
}

/// Changes a place. Tokens issued under the old one end within moments.
///
/// # Errors
/// [`ChangeStaffError`].
pub async fn change_staff(
    control: &Control,
    ctx: &Ctx,
    tx: &ControlTx,
    account: AccountId,
    input: ChangeStaff,
) -> Result<StaffMember, ChangeStaffError> {
    let tenant = ctx.tenant_id();
    // Two administrators must not dismiss one another.
    lock_staff(tx, tenant).await?;
    let member = find_staff(tx, tenant, account).await?.ok_or(ChangeStaffError::NotFound)?;
    if input.version.is_some_and(|version| version != member.version) {
        return Err(ChangeStaffError::Changed);
    }
    may_touch(ctx, tx, &member, &input.role).await?;
    let status = match (input.active, member.status) {
        (false, _) => StaffStatus::Inactive,
        (true, StaffStatus::Invited) => StaffStatus::Invited,
        // Nobody but its owner accepts a place.
        (true, StaffStatus::Inactive) if !member.accepted => StaffStatus::Invited,
        (true, _) => StaffStatus::Active,
    };
    // The first administrator may still be invited.
    let stays_admin = status != StaffStatus::Inactive && input.role == TENANT_ADMIN;
    let was_admin = member.status != StaffStatus::Inactive && member.role == TENANT_ADMIN;
    if was_admin && !stays_admin {
        let row =
            tx.query_one(include_str!("count_other_admins.sql"), &[&tenant, &account, &TENANT_ADMIN]).await?;
        if row.try_get::<_, i64>(0).map_err(DbError::from)? == 0 {
            return Err(ChangeStaffError::LastAdmin);
        }
    }
    if let Some(hash) = &input.password_hash {
        set_password(control, ctx, tx, account, hash).await?;
    }
    tx.execute(
        include_str!("change_staff.sql"),
        &[&tenant, &account, &input.role, &status.as_str(), &ctx.now()],
    )
    .await?;
    if status == StaffStatus::Inactive {
        revoke_sessions(tx, account, Some(tenant), "dismissed", ctx.now()).await?;
    }
    control.announce(tx, Change::Membership(tenant, account)).await?;
    find_staff(tx, tenant, account).await?.ok_or(ChangeStaffError::NotFound)
}

/// Nobody touches those who may do more than they may themselves, nor makes anybody such.
async fn may_touch(
    ctx: &Ctx,
    tx: &ControlTx,
    member: &StaffMember,
    role: &str,
) -> Result<(), ChangeStaffError> {
    let (tenant, held) = (ctx.tenant_id(), &ctx.caller.permissions);
    match check_assignable(tx, tenant, held, &member.role).await {
        // A role that does not exist any more protects nobody.
        Ok(()) | Err(AssignError::Unknown) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(check_assignable(tx, tenant, held, role).await?)
}

async fn set_password(
    control: &Control,
    ctx: &Ctx,
    tx: &ControlTx,
    account: AccountId,
    hash: &str,
) -> Result<(), ChangeStaffError> {
    let changed = tx
        .execute(include_str!("reset_password.sql"), &[&ctx.tenant_id(), &account, &hash, &ctx.now()])
        .await?;
    if changed == 0 {
        return Err(ChangeStaffError::Shared);
    }
    Ok(end_all_tokens(control, tx, account, "password reset", ctx.now()).await?)
}
