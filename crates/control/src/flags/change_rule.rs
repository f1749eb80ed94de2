//! Use cases: decide about a feature, for one tenant or for everybody, and take the decision back.

use db::{ControlTx, DbError};
use kernel::{Caller, TenantId, Timestamp};
use serde_json::{Map, Value};

use super::{FeatureRule, config, find_rule, store::MOST};
use crate::{Control, change::Change};

/// What shall be decided.
#[derive(Debug, Clone)]
pub struct SetRule {
    /// Whether it is on at all.
    pub enabled: bool,
    /// For how many of a hundred, 0 to 100, when it is.
    pub percentage: u8,
    /// It holds from here on; at once when `None`.
    pub starts_at: Option<Timestamp>,
    /// It holds until before this; for ever when `None`.
    pub ends_at: Option<Timestamp>,
    /// What the code that asks is told besides.
    pub config: Option<Map<String, Value>>,
    /// The version to change; any, or none yet, when `None`.
    pub version: Option<i32>,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum SetRuleError {
    /// The program has no such feature; those that it has.
    #[error("there is no feature of that name; there are: {0}")]
    UnknownFeature(String),
    /// A part of the decision cannot be: which, and why.
    #[error("{0} {1}")]
    Invalid(&'static str, &'static str),
    /// It has been changed since it was read.
    #[error("the decision has changed")]
    Changed,
    /// There are as many decisions as fit into memory.
    #[error("there are too many decisions")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Why no decision was taken back.
#[derive(Debug, thiserror::Error)]
pub enum ClearRuleError {
    /// Nothing was decided.
    #[error("nothing was decided")]
    NotFound,
    /// It has been changed since it was read.
    #[error("the decision has changed")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Decides about a feature, for `tenant` or for everybody; returns the decision and whether it is the first. Every
/// process knows within a moment of the commit.
///
/// # Errors
/// [`SetRuleError`].
pub async fn set_rule(
    control: &Control,
    caller: &Caller,
    tx: &ControlTx,
    feature: &str,
    tenant: Option<TenantId>,
    input: SetRule,
) -> Result<(FeatureRule, bool), SetRuleError> {
    let declared = control.flag_store().declared();
    if !declared.iter().any(|flag| flag.name == feature) {
        let names: Vec<&str> = declared.iter().map(|flag| flag.name).collect();
        return Err(SetRuleError::UnknownFeature(names.join(", ")));
    }
    check(&input)?;
    let SetRule { enabled, percentage, starts_at, ends_at, config, version } = input;
    let config = config.map(Value::Object);
    let row = tx
        .query_opt(
            include_str!("set_rule.sql"),
            &[
                &feature,
                &tenant,
                &enabled,
                &i16::from(percentage),
                &starts_at,
                &ends_at,
                &config,
                &caller.now,
                &caller.actor.to_string(),
                &version,
                &MOST,
            ],
        )
        .await?;
    let Some(row) = row else {
        return Err(if version.is_some() { SetRuleError::Changed } else { SetRuleError::TooMany });
    };
    let is_first = row.try_get::<_, i32>(0).map_err(DbError::from)? == 1;
    control.announce(tx, Change::Flags).await?;
    let rule = find_rule(tx, feature, tenant).await?;
    let rule = rule.ok_or_else(|| DbError::Other("the decision just made is gone".to_owned()))?;
    tracing::info!(
        flag.name = feature,
        flag.tenant = rule.tenant.as_deref().unwrap_or("*"),
        flag.enabled = enabled,
        flag.percentage = percentage,
        "feature flag changed"
    );
    Ok((rule, is_first))
}

fn check(input: &SetRule) -> Result<(), SetRuleError> {
    if input.percentage > 100 {
        return Err(SetRuleError::Invalid("percentage", "must be between 0 and 100"));
    }
    if let (Some(start), Some(end)) = (input.starts_at, input.ends_at)
        && start >= end
    {
        return Err(SetRuleError::Invalid("endsAt", "must be after startsAt"));
    }
    match &input.config {
        Some(config) => config::check(config).map_err(|wrong| SetRuleError::Invalid("config", wrong)),
        None => Ok(()),
    }
}

/// Takes a decision back: for a tenant what holds for everybody holds again, for everybody the program's default. Also
/// of features that the program has no more.
///
/// # Errors
/// [`ClearRuleError`].
pub async fn clear_rule(
    control: &Control,
    tx: &ControlTx,
    feature: &str,
    tenant: Option<TenantId>,
    version: Option<i32>,
) -> Result<(), ClearRuleError> {
    let removed = tx.execute(include_str!("clear_rule.sql"), &[&feature, &tenant, &version]).await?;
    if removed == 0 {
        let there = find_rule(tx, feature, tenant).await?.is_some();
        return Err(if there { ClearRuleError::Changed } else { ClearRuleError::NotFound });
    }
    control.announce(tx, Change::Flags).await?;
    Ok(())
}
