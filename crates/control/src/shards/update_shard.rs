//! Use case: drain a shard, or change its share of new tenants.

use db::{ControlTx, DbError};
use kernel::Caller;

use super::{Shard, find_shard};
use crate::Control;

/// How the shard shall be; name, region and purpose never change.
#[derive(Debug, Clone)]
pub struct UpdateShard {
    /// Its share of new tenants.
    pub weight: i32,
    /// Takes no new tenants.
    pub draining: bool,
    /// The version to change; any when `None`.
    pub version: Option<i32>,
}

/// Why a shard was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateShardError {
    /// There is none of that name.
    #[error("there is no such shard")]
    NotFound,
    /// It has been changed since it was read.
    #[error("the shard has changed")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Changes a shard; tenants that live there stay.
///
/// # Errors
/// [`UpdateShardError`].
pub async fn update_shard(
    control: &Control,
    caller: &Caller,
    tx: &ControlTx,
    name: &str,
    input: UpdateShard,
) -> Result<Shard, UpdateShardError> {
    let UpdateShard { weight, draining, version } = input;
    let changed = tx
        .execute(include_str!("update_shard.sql"), &[&name, &weight, &draining, &version, &caller.now])
        .await?;
    let shard = find_shard(control, tx, name).await?.ok_or(UpdateShardError::NotFound)?;
    if changed == 0 {
        return Err(UpdateShardError::Changed);
    }
    tracing::info!(shard.name = %name, shard.weight = weight, shard.draining = draining, "shard changed");
    Ok(shard)
}
