//! Use case: revoke an API key, at once.

use db::{ControlTx, DbError};
use kernel::Ctx;

use super::ApiKeyId;
use crate::{Control, change::Change};

/// Revokes a key; false when there is none of that name in the tenant. Revoking twice is fine.
///
/// # Errors
/// [`DbError`].
pub async fn revoke_key(control: &Control, ctx: &Ctx, tx: &ControlTx, id: ApiKeyId) -> Result<bool, DbError> {
    let found = tx.execute(include_str!("revoke_key.sql"), &[&ctx.tenant_id(), &id, &ctx.now()]).await?;
    if found == 0 {
        return Ok(false);
    }
    control.announce(tx, Change::ApiKey(id)).await?;
    Ok(true)
}
