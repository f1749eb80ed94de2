//! Use cases: who works for a tenant.

use db::{ControlTx, DbError, Row};
use kernel::TenantId;

use super::{StaffMember, StaffStatus};
use crate::accounts::AccountId;

/// A page of the staff in the order of their accounts' making; `limit` as SQL needs it.
///
/// # Errors
/// [`DbError`].
pub async fn list_staff(
    tx: &ControlTx,
    tenant: TenantId,
    status: Option<StaffStatus>,
    after: Option<AccountId>,
    limit: i64,
) -> Result<Vec<StaffMember>, DbError> {
    let status = status.map(StaffStatus::as_str);
    let rows = tx.query(include_str!("list_staff.sql"), &[&tenant, &status, &after, &limit]).await?;
    rows.iter().map(decode).collect()
}

/// One of the staff.
///
/// # Errors
/// [`DbError`].
pub async fn find_staff(
    tx: &ControlTx,
    tenant: TenantId,
    account: AccountId,
) -> Result<Option<StaffMember>, DbError> {
    let row = tx.query_opt(include_str!("find_staff.sql"), &[&tenant, &account]).await?;
    row.map(|row| decode(&row)).transpose()
}

/// Makes changes of one tenant's staff and roles wait for each other, until the transaction ends.
pub(crate) async fn lock_staff(tx: &ControlTx, tenant: TenantId) -> Result<(), DbError> {
    tx.query(include_str!("lock_staff.sql"), &[&tenant]).await.map(drop)
}

fn decode(row: &Row) -> Result<StaffMember, DbError> {
    let status = match row.try_get(4)? {
        "active" => StaffStatus::Active,
        "invited" => StaffStatus::Invited,
        _ => StaffStatus::Inactive,
    };
    Ok(StaffMember {
        id: row.try_get(0)?,
        email: row.try_get(1)?,
        name: row.try_get(2)?,
        role: row.try_get(3)?,
        status,
        last_sign_in_at: row.try_get(5)?,
        created_at: row.try_get(6)?,
        updated_at: row.try_get(7)?,
        version: row.try_get(8)?,
        accepted: row.try_get(9)?,
    })
}
