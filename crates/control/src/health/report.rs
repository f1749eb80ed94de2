//! Use case: how the tenants are, as operators and metrics are told.

use db::{ControlTx, DbError, Row};
use kernel::{Tier, Timestamp};

use super::{FailedTenant, Probe, SAMPLE, TenantHealth, TierHealth};
use crate::{
    Control,
    tenants::{read_status, read_tier},
};

const MOST_SLOW: i64 = 10;
const MOST_SILENT: i64 = 50;
const MOST_FAILED: i64 = 50;

/// How the tenants are at `now`.
///
/// # Errors
/// [`DbError`].
pub async fn tenant_health(tx: &ControlTx, now: Timestamp) -> Result<TenantHealth, DbError> {
    let since = now - SAMPLE;
    // Whoever is counted is in the lists too, which are read after it.
    let tiers = sum_tiers(tx, since).await?;
    let list = include_str!("list_probes.sql");
    let slowest = tx.query(list, &[&since, &true, &MOST_SLOW]).await?;
    let silent = tx.query(list, &[&since, &false, &MOST_SILENT]).await?;
    let failed = tx.query(include_str!("list_failed.sql"), &[&MOST_FAILED]).await?;
    Ok(TenantHealth {
        at: now,
        tiers,
        slowest: slowest.iter().map(decode_probe).collect::<Result<_, _>>()?,
        silent: silent.iter().map(decode_probe).collect::<Result<_, _>>()?,
        failed: failed.iter().map(decode_failed).collect::<Result<_, _>>()?,
    })
}

/// Each tier once, also one without tenants.
async fn sum_tiers(tx: &ControlTx, since: Timestamp) -> Result<Vec<TierHealth>, DbError> {
    let rows = tx.query(include_str!("sum_tiers.sql"), &[&since]).await?;
    let found = rows.iter().map(decode_tier).collect::<Result<Vec<_>, _>>()?;
    let of =
        |tier: Tier| found.iter().find(|health| health.tier == tier).cloned().unwrap_or_else(|| nobody(tier));
    Ok(Tier::ALL.map(of).to_vec())
}

fn nobody(tier: Tier) -> TierHealth {
    TierHealth {
        tier,
        active: 0,
        suspended: 0,
        provisioning: 0,
        failed: 0,
        migration_failed: 0,
        sampled: 0,
        answered: 0,
        median_us: None,
        slowest_us: None,
    }
}

fn decode_tier(row: &Row) -> Result<TierHealth, DbError> {
    Ok(TierHealth {
        tier: read_tier(row.try_get(0)?)?,
        active: row.try_get(1)?,
        suspended: row.try_get(2)?,
        provisioning: row.try_get(3)?,
        failed: row.try_get(4)?,
        sampled: row.try_get(5)?,
        answered: row.try_get(6)?,
        median_us: row.try_get(7)?,
        slowest_us: row.try_get(8)?,
        migration_failed: row.try_get(9)?,
    })
}

fn decode_probe(row: &Row) -> Result<Probe, DbError> {
    Ok(Probe {
        tenant: row.try_get(0)?,
        tier: read_tier(row.try_get(1)?)?,
        shard: row.try_get(2)?,
        database: row.try_get(3)?,
        checked_at: row.try_get(4)?,
        took_us: row.try_get(5)?,
        reason: row.try_get(6)?,
        silent_since: row.try_get(7)?,
    })
}

fn decode_failed(row: &Row) -> Result<FailedTenant, DbError> {
    Ok(FailedTenant {
        tenant: row.try_get(0)?,
        tier: read_tier(row.try_get(1)?)?,
        status: read_status(row.try_get(2)?)?,
        step: row.try_get(3)?,
        attempts: row.try_get(4)?,
        last_error: row.try_get(5)?,
        since: row.try_get(6)?,
    })
}

impl Control {
    /// Sets the gauges of how the tenants are, the same in every process: take one, not the sum.
    ///
    /// # Errors
    /// [`DbError`] when the control database fails; the gauges stay as they were.
    pub async fn report_tenants(&self) -> Result<(), DbError> {
        let tx = self.db().control().await?;
        let tiers = sum_tiers(&tx, self.clock().now() - SAMPLE).await?;
        tx.commit().await?;
        for health in tiers {
            let tier = health.tier.as_str();
            let counts = [
                ("active", health.active),
                ("suspended", health.suspended),
                ("provisioning", health.provisioning),
                ("failed", health.failed),
            ];
            for (status, count) in counts {
                metrics::gauge!("markethall_tenants", "tier" => tier, "status" => status).set(number(count));
            }
            metrics::gauge!("markethall_tenants_migration_failed", "tier" => tier)
                .set(number(health.migration_failed));
            let silent = health.sampled - health.answered;
            metrics::gauge!("markethall_tenants_sampled", "tier" => tier, "answered" => "true")
                .set(number(health.answered));
            metrics::gauge!("markethall_tenants_sampled", "tier" => tier, "answered" => "false")
                .set(number(silent));
            let seconds = |micros: Option<i32>| micros.map_or(0.0, |micros| f64::from(micros) / 1e6);
            metrics::gauge!("markethall_tenant_probe_median_seconds", "tier" => tier)
                .set(seconds(health.median_us));
            metrics::gauge!("markethall_tenant_probe_slowest_seconds", "tier" => tier)
                .set(seconds(health.slowest_us));
        }
        Ok(())
    }
}

fn number(count: i64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
