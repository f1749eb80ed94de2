//! Use cases: what was decided about features.

use db::{ControlTx, DbError, Row};
use kernel::TenantId;
use serde_json::Value;

use super::FeatureRule;

/// Which decisions; all conditions hold together.
#[derive(Debug, Clone, Default)]
pub struct RuleFilter {
    /// About this feature.
    pub feature: Option<String>,
    /// For the tenant of this slug.
    pub tenant: Option<String>,
    /// Only those that follow this feature and slug (empty: everybody) in the list.
    pub after: Option<(String, String)>,
    /// At most so many, 1 to 1000.
    pub limit: i64,
}

/// A page of decisions by feature and slug; that for everybody comes first.
///
/// # Errors
/// [`DbError`].
pub async fn list_rules(tx: &ControlTx, filter: &RuleFilter) -> Result<Vec<FeatureRule>, DbError> {
    let (feature, slug) = filter.after.as_ref().map(|(feature, slug)| (feature, slug)).unzip();
    let limit = filter.limit.clamp(1, 1000);
    let rows = tx
        .query(include_str!("list_rules.sql"), &[&filter.feature, &filter.tenant, &feature, &slug, &limit])
        .await?;
    rows.iter().map(decode).collect()
}

/// What was decided about `feature` for a tenant, or for everybody.
///
/// # Errors
/// [`DbError`].
pub async fn find_rule(
    tx: &ControlTx,
    feature: &str,
    tenant: Option<TenantId>,
) -> Result<Option<FeatureRule>, DbError> {
    let row = tx.query_opt(include_str!("find_rule.sql"), &[&feature, &tenant]).await?;
    row.map(|row| decode(&row)).transpose()
}

fn decode(row: &Row) -> Result<FeatureRule, DbError> {
    let percentage: i16 = row.try_get(3)?;
    let config = match row.try_get::<_, Option<Value>>(6)? {
        Some(Value::Object(config)) => Some(config),
        Some(_) => return Err(DbError::Other("the configuration of a feature is no object".to_owned())),
        None => None,
    };
    Ok(FeatureRule {
        feature: row.try_get(0)?,
        tenant: row.try_get(1)?,
        enabled: row.try_get(2)?,
        percentage: u8::try_from(percentage).unwrap_or(0),
        starts_at: row.try_get(4)?,
        ends_at: row.try_get(5)?,
        config,
        created_at: row.try_get(7)?,
        updated_at: row.try_get(8)?,
        updated_by: row.try_get(9)?,
        version: row.try_get(10)?,
    })
}
