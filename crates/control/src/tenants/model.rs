//! The tenant as the control database holds it and as operators see it.

use std::sync::Arc;

use db::{DbError, Row};
use kernel::{
    Currency, Flags, Placement, RateLimit, Spending, Tenant, TenantId, TenantSettings, TenantStatus, Tier,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Where a tenant's data lives, or shall live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlacementKind {
    /// In a database with others, apart by row-level security.
    Shared,
    /// In a database of its own.
    Dedicated,
}

impl PlacementKind {
    /// Where tenants of `tier` live unless said otherwise.
    #[must_use]
    pub fn default_for(tier: Tier) -> Self {
        match tier {
            Tier::Free | Tier::Standard => Self::Shared,
            Tier::Enterprise => Self::Dedicated,
        }
    }
}

/// Where a tenant lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlacementView {
    /// Shared or dedicated.
    pub kind: PlacementKind,
    /// The cluster; null before the first step of setting up.
    pub shard: Option<String>,
    /// The database in it.
    pub database: Option<String>,
}

/// How far setting up has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProvisioningView {
    /// The step that is next: place, create_database, migrate, seed, admin, activate, done.
    pub step: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// Milliseconds from the request to the first sale that could be made.
    pub duration_ms: Option<i64>,
}

/// A tenant as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantView {
    /// Identity.
    pub id: TenantId,
    /// The name in addresses and headers.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// The tier.
    pub tier: Tier,
    /// Where it stands.
    pub status: TenantStatus,
    /// The one currency of its prices and books.
    pub currency: Currency,
    /// Where its data must stay; empty when that does not matter.
    pub region: String,
    /// Where it lives.
    pub placement: PlacementView,
    /// How it trades.
    pub settings: TenantSettings,
    /// How often it may call, where that is not what its tier says.
    pub rate_limit: Option<RateLimit>,
    /// How far setting up has come.
    pub provisioning: ProvisioningView,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// The version for `If-Match`.
    #[serde(skip)]
    pub version: i32,
}

impl TenantView {
    /// The entity tag.
    #[must_use]
    pub fn etag(&self) -> String {
        self.version.to_string()
    }
}

pub(crate) fn read_tier(text: &str) -> Result<Tier, DbError> {
    let known = Tier::ALL.into_iter().find(|tier| tier.as_str() == text);
    known.ok_or_else(|| DbError::Other(format!("unknown tier {text}")))
}

pub(crate) fn status_text(status: TenantStatus) -> &'static str {
    match status {
        TenantStatus::Provisioning => "provisioning",
        TenantStatus::Active => "active",
        TenantStatus::Suspended => "suspended",
        TenantStatus::ProvisionError => "provision_error",
        TenantStatus::MigrationError => "migration_error",
    }
}

pub(crate) fn read_status(text: &str) -> Result<TenantStatus, DbError> {
    match text {
        "provisioning" => Ok(TenantStatus::Provisioning),
        "active" => Ok(TenantStatus::Active),
        "suspended" => Ok(TenantStatus::Suspended),
        "provision_error" => Ok(TenantStatus::ProvisionError),
        "migration_error" => Ok(TenantStatus::MigrationError),
        other => Err(DbError::Other(format!("unknown tenant status {other}"))),
    }
}

/// Settings as stored; what a newer program has added is left out, so that both can run side by side.
fn read_settings(stored: Value) -> Result<TenantSettings, DbError> {
    let broken = |error: serde_json::Error| DbError::Other(format!("tenant settings: {error}"));
    let Value::Object(mut members) = stored else {
        return Err(DbError::Other("tenant settings are no object".to_owned()));
    };
    if let Value::Object(known) = serde_json::to_value(TenantSettings::default()).map_err(broken)? {
        members.retain(|name, _| known.contains_key(name));
    }
    serde_json::from_value(Value::Object(members)).map_err(broken)
}

fn read_rate_limit(stored: Option<Value>) -> Result<Option<RateLimit>, DbError> {
    stored
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| DbError::Other(format!("a tenant's rate limit: {error}")))
}

pub(crate) fn settings_json(settings: &TenantSettings) -> Result<Value, DbError> {
    serde_json::to_value(settings).map_err(|error| DbError::Other(format!("tenant settings: {error}")))
}

/// Reads id, slug, name, tier, status, currency, settings, dedicated, shard, database, rate_limit.
pub(crate) fn decode_tenant(row: &Row, flags: &Flags) -> Result<Tenant, DbError> {
    let currency: &str = row.try_get(5)?;
    let text = |at: usize| -> Result<Arc<str>, DbError> {
        Ok(row.try_get::<_, Option<&str>>(at)?.unwrap_or_default().into())
    };
    Ok(Tenant {
        id: row.try_get(0)?,
        slug: text(1)?,
        name: text(2)?,
        tier: read_tier(row.try_get(3)?)?,
        status: read_status(row.try_get(4)?)?,
        currency: currency.parse().map_err(|_| DbError::Other(format!("unknown currency {currency}")))?,
        settings: read_settings(row.try_get(6)?)?,
        // Not placed yet: such a tenant is not active, and nobody asks for its data.
        placement: Placement { shard: text(8)?, database: text(9)?, dedicated: row.try_get(7)? },
        rate_limit: read_rate_limit(row.try_get(10)?)?,
        flags: flags.clone(),
        spending: Spending::default(),
    })
}

/// Reads what [`decode_tenant`] reads, then region, version, created_at, updated_at, step, attempts, last_error,
/// started_at, finished_at.
pub(crate) fn decode_view(row: &Row) -> Result<TenantView, DbError> {
    let tenant = decode_tenant(row, &Flags::default())?;
    let (started, finished): (Timestamp, Option<Timestamp>) = (row.try_get(18)?, row.try_get(19)?);
    let duration = |finished: Timestamp| finished.as_millisecond() - started.as_millisecond();
    let kind = if tenant.placement.dedicated { PlacementKind::Dedicated } else { PlacementKind::Shared };
    Ok(TenantView {
        id: tenant.id,
        slug: tenant.slug.to_string(),
        name: tenant.name.to_string(),
        tier: tenant.tier,
        status: tenant.status,
        currency: tenant.currency,
        region: row.try_get(11)?,
        placement: PlacementView { kind, shard: row.try_get(8)?, database: row.try_get(9)? },
        settings: tenant.settings,
        rate_limit: tenant.rate_limit,
        provisioning: ProvisioningView {
            step: row.try_get(15)?,
            attempts: row.try_get(16)?,
            last_error: row.try_get(17)?,
            duration_ms: finished.map(duration),
        },
        created_at: row.try_get(13)?,
        updated_at: row.try_get(14)?,
        version: row.try_get(12)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_newer_program_are_read_by_an_older_one() {
        let mut stored = serde_json::to_value(TenantSettings::default()).unwrap();
        stored["laterAddition"] = Value::Bool(true);
        assert_eq!(read_settings(stored).unwrap(), TenantSettings::default());
    }

    // PLT-2
    #[test]
    fn free_and_standard_share_and_enterprise_has_its_own() {
        assert_eq!(PlacementKind::default_for(Tier::Free), PlacementKind::Shared);
        assert_eq!(PlacementKind::default_for(Tier::Standard), PlacementKind::Shared);
        assert_eq!(PlacementKind::default_for(Tier::Enterprise), PlacementKind::Dedicated);
    }
}
