//! Use case: take somebody on the staff.

use db::{ControlTx, DbError};
use kernel::Ctx;
use secrecy::SecretString;

use super::{StaffMember, find_staff, lock_staff};
use crate::{
    Control,
    accounts::{Admission, admit},
    roles::{AssignError, check_assignable},
};

/// Whom to take on.
#[derive(Debug, Clone)]
pub struct TakeOn {
    /// The address they sign in with.
    pub email: String,
    /// What the tenant calls them; an account that exists keeps its own name.
    pub name: String,
    /// Their role; never more than the caller may do.
    pub role: String,
    /// The stored form of a first password; only for an account that is new.
    pub password_hash: String,
}

/// Somebody taken on.
#[derive(Debug)]
pub struct TakenOn {
    /// As they stand.
    pub member: StaffMember,
    /// The code of the invitation, if they had an account already; shown this once.
    pub invitation: Option<SecretString>,
}

/// Why nobody was taken on.
#[derive(Debug, thiserror::Error)]
pub enum TakeOnError {
    /// They are on the staff.
    #[error("on the staff already")]
    Exists,
    /// There is no such role for staff.
    #[error("unknown role")]
    UnknownRole,
    /// The role may do what the caller may not.
    #[error("permission {0} is beyond the caller's")]
    Beyond(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<AssignError> for TakeOnError {
    fn from(error: AssignError) -> Self {
        match error {
            AssignError::Unknown => Self::UnknownRole,
            AssignError::Beyond(name) => Self::Beyond(name),
            AssignError::Database(error) => Self::Database(error),
        }
    }
}

/// Takes a person on. One who has an account already is invited: their place counts once they sign in naming this
/// tenant with the code of the invitation, and they keep their password. As long as they have not, taking them on again
/// makes a new code.
///
/// # Errors
/// [`TakeOnError`].
pub async fn take_on(
    control: &Control,
    ctx: &Ctx,
    tx: &ControlTx,
    input: TakeOn,
) -> Result<TakenOn, TakeOnError> {
    let tenant = ctx.tenant_id();
    lock_staff(tx, tenant).await?;
    check_assignable(tx, tenant, &ctx.caller.permissions, &input.role).await?;
    may_invite_again(ctx, tx, &input.email).await?;
    let admission = Admission {
        tenant,
        email: &input.email,
        name: &input.name,
        role: &input.role,
        password: Some(&input.password_hash),
    };
    let admitted = admit(control, tx, admission, ctx.now()).await?;
    if !admitted.new_place {
        return Err(TakeOnError::Exists);
    }
    let member = find_staff(tx, tenant, admitted.account).await?;
    let member = member.ok_or_else(|| DbError::Other("the member just taken on is gone".to_owned()))?;
    Ok(TakenOn { member, invitation: admitted.invitation })
}

/// A new code for somebody who may do more than the caller is not the caller's to have.
async fn may_invite_again(ctx: &Ctx, tx: &ControlTx, email: &str) -> Result<(), TakeOnError> {
    let (tenant, email) = (ctx.tenant_id(), email.to_ascii_lowercase());
    let Some(row) = tx.query_opt(include_str!("find_invited_role.sql"), &[&tenant, &email]).await? else {
        return Ok(());
    };
    let role: String = row.try_get(0).map_err(DbError::from)?;
    match check_assignable(tx, tenant, &ctx.caller.permissions, &role).await {
        // A role that does not exist any more protects nobody.
        Ok(()) | Err(AssignError::Unknown) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
