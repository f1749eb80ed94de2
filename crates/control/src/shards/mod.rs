//! The clusters that take tenants: added, drained and listed while the program runs.

mod add_shard;
mod http;
mod list_shards;
mod update_shard;

use db::{DbError, Row};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use add_shard::enter_configured;
pub use add_shard::{AddShard, AddShardError, add_shard};
pub(crate) use http::routes;
pub use list_shards::{find_shard, list_shards};
pub use update_shard::{UpdateShard, UpdateShardError, update_shard};

/// Which kind of tenants a shard takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Any.
    #[default]
    Any,
    /// Only tenants that share a database.
    Shared,
    /// Only tenants with their own database; preferred for those.
    Dedicated,
}

impl Purpose {
    /// The written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Shared => "shared",
            Self::Dedicated => "dedicated",
        }
    }

    fn read(text: &str) -> Result<Self, DbError> {
        match text {
            "any" => Ok(Self::Any),
            "shared" => Ok(Self::Shared),
            "dedicated" => Ok(Self::Dedicated),
            other => Err(DbError::Other(format!("unknown shard purpose {other}"))),
        }
    }
}

/// A cluster that takes tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shard {
    /// Its configured name.
    pub name: String,
    /// Where it stands; empty when that does not matter.
    pub region: String,
    /// How many tenants it takes in proportion to the others.
    pub weight: i32,
    /// Which kind of tenants it takes.
    pub purpose: Purpose,
    /// Takes no new tenants; those it has stay.
    pub draining: bool,
    /// Whether this process is configured to reach it.
    pub configured: bool,
    /// Tenants that live there.
    pub tenants: i64,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The version for `If-Match`.
    #[serde(skip)]
    pub version: i32,
}

fn decode(row: &Row, configured: &[std::sync::Arc<str>]) -> Result<Shard, DbError> {
    let name: String = row.try_get(0)?;
    Ok(Shard {
        configured: configured.iter().any(|known| **known == *name),
        name,
        region: row.try_get(1)?,
        weight: row.try_get(2)?,
        purpose: Purpose::read(row.try_get(3)?)?,
        draining: row.try_get(4)?,
        tenants: row.try_get(5)?,
        created_at: row.try_get(6)?,
        version: row.try_get(7)?,
    })
}
