//! Use case: let a configured cluster take tenants.

use db::{ControlTx, DbError};
use kernel::{Caller, Timestamp};

use super::{Purpose, Shard, find_shard};
use crate::Control;

/// The cluster to add.
#[derive(Debug, Clone)]
pub struct AddShard {
    /// The name under which it is configured.
    pub name: String,
    /// Where it stands.
    pub region: String,
    /// Its share of new tenants.
    pub weight: i32,
    /// Which kind of tenants it takes.
    pub purpose: Purpose,
}

/// Why a shard was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddShardError {
    /// This process does not know how to reach a cluster of that name.
    #[error("shard {0} is not configured")]
    NotConfigured(String),
    /// It takes tenants already.
    #[error("shard {0} exists")]
    Exists(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Adds a shard; new tenants may be placed there from now on.
///
/// # Errors
/// [`AddShardError`].
pub async fn add_shard(
    control: &Control,
    caller: &Caller,
    tx: &ControlTx,
    input: AddShard,
) -> Result<Shard, AddShardError> {
    if !control.db().shard_names().iter().any(|name| **name == *input.name) {
        return Err(AddShardError::NotConfigured(input.name));
    }
    let added = insert(tx, &input, false, caller.now).await?;
    if added == 0 {
        return Err(AddShardError::Exists(input.name));
    }
    let shard = find_shard(control, tx, &input.name).await?;
    tracing::info!(shard.name = %input.name, "shard added");
    shard.ok_or_else(|| DbError::Other("the shard just added is gone".to_owned()).into())
}

async fn insert(tx: &ControlTx, shard: &AddShard, draining: bool, now: Timestamp) -> Result<u64, DbError> {
    let AddShard { name, region, weight, purpose } = shard;
    tx.execute(include_str!("add_shard.sql"), &[name, region, weight, &purpose.as_str(), &draining, &now])
        .await
}

/// Adds the configured shards that are new; what was changed at runtime stays as it is.
pub(crate) async fn enter_configured(control: &Control) -> Result<(), DbError> {
    let tx = control.db().control().await?;
    for shard in &control.config().shards {
        let add = AddShard {
            name: shard.name.clone(),
            region: shard.region.clone(),
            weight: shard.weight,
            purpose: shard.purpose,
        };
        insert(&tx, &add, shard.draining, control.clock().now()).await?;
    }
    tx.commit().await
}
