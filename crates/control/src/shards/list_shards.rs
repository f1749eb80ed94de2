//! Use case: the shards with how many tenants each has.

use db::{ControlTx, DbError};

use super::{Shard, decode};
use crate::Control;

/// All shards by name; there are at most a few hundred.
///
/// # Errors
/// [`DbError`].
pub async fn list_shards(control: &Control, tx: &ControlTx) -> Result<Vec<Shard>, DbError> {
    let configured = control.db().shard_names();
    let rows = tx.query(include_str!("list_shards.sql"), &[&None::<&str>]).await?;
    rows.iter().map(|row| decode(row, &configured)).collect()
}

/// The shard of that name.
///
/// # Errors
/// [`DbError`].
pub async fn find_shard(control: &Control, tx: &ControlTx, name: &str) -> Result<Option<Shard>, DbError> {
    let configured = control.db().shard_names();
    let row = tx.query_opt(include_str!("list_shards.sql"), &[&Some(name)]).await?;
    row.map(|row| decode(&row, &configured)).transpose()
}
