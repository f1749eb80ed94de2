//! Use case: take somebody on the staff.

use db::{ControlTx, DbError};
use kernel::Ctx;

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
    /// Their name.
    pub name: String,
    /// Their role; never more than the caller may do.
    pub role: String,
    /// The stored form of a first password; only for an account that is new.
    pub password_hash: String,
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
/// tenant, and they keep their password.
///
/// # Errors
/// [`TakeOnError`].
pub async fn take_on(
    control: &Control,
    ctx: &Ctx,
    tx: &ControlTx,
    input: TakeOn,
) -> Result<StaffMember, TakeOnError> {
    let tenant = ctx.tenant_id();
    lock_staff(tx, tenant).await?;
    check_assignable(tx, tenant, &ctx.caller.permissions, &input.role).await?;
    let admission = Admission {
        tenant,
        email: &input.email,
        name: &input.name,
        role: &input.role,
        password: Some(&input.password_hash),
        invited: true,
    };
    let admitted = admit(control, tx, admission, ctx.now()).await?;
    if !admitted.new_place {
        return Err(TakeOnError::Exists);
    }
    let member = find_staff(tx, tenant, admitted.account).await?;
    member.ok_or_else(|| DbError::Other("the member just taken on is gone".to_owned()).into())
}
