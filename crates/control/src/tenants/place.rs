//! Step of provisioning: which shard and database a tenant gets.

use std::sync::Arc;

use db::{ControlTx, DbError};
use kernel::TenantId;

use crate::Control;

/// What matters for the choice.
pub(super) struct Wanted<'a> {
    pub(super) tenant: TenantId,
    pub(super) slug: &'a str,
    pub(super) dedicated: bool,
    pub(super) region: &'a str,
    pub(super) shard: Option<&'a str>,
}

/// Chooses the shard with the fewest tenants for its weight and writes it down; false when no shard will do.
///
/// Choices wait for each other, so that the counts are exact and the outcome depends on nothing else.
pub(super) async fn place(control: &Control, tx: &ControlTx, wanted: Wanted<'_>) -> Result<bool, DbError> {
    tx.query(include_str!("lock_placement.sql"), &[]).await?;
    let reachable: Vec<String> = control.db().shard_names().iter().map(Arc::to_string).collect();
    let Wanted { tenant, slug, dedicated, region, shard } = wanted;
    let database =
        if dedicated { database_name(control, slug) } else { control.config().shared_database.clone() };
    let placed = tx
        .execute(include_str!("place.sql"), &[&tenant, &dedicated, &region, &shard, &reachable, &database])
        .await?;
    Ok(placed == 1)
}

/// Slugs hold no underscore, so that two never share a name.
fn database_name(control: &Control, slug: &str) -> String {
    format!("{}{}", control.config().dedicated_prefix, slug.replace('-', "_"))
}
