//! Use cases: how points are earned and what they are worth, as the merchant says.

use db::{DbError, Row, TenantTx};
use garde::Validate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ledger::MOST_POINTS;

/// How points are earned and what they are worth. Amounts are minor units of the merchant's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoyaltyRule {
    /// Points are earned and spent now.
    pub active: bool,
    /// So many points are earned ..
    pub earn_points: i64,
    /// .. for this amount; what is left over earns nothing.
    pub earn_per_amount: i64,
    /// So many points are worth ..
    pub burn_points: i64,
    /// .. this amount.
    pub burn_amount: i64,
    /// Points that are not spent within so many months are lost; null when they are kept.
    pub expiry_months: Option<i32>,
    /// Counts changes; the entity tag. 0 as long as nobody has set the rule.
    pub version: i32,
}

impl LoyaltyRule {
    /// What is so until somebody sets it.
    fn unset() -> Self {
        Self {
            active: false,
            earn_points: 1,
            earn_per_amount: 100,
            burn_points: 100,
            burn_amount: 100,
            expiry_months: None,
            version: 0,
        }
    }

    pub(super) fn decode(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            active: row.try_get("active")?,
            earn_points: row.try_get("earn_points")?,
            earn_per_amount: row.try_get("earn_per_amount")?,
            burn_points: row.try_get("burn_points")?,
            burn_amount: row.try_get("burn_amount")?,
            expiry_months: row.try_get("expiry_months")?,
            version: row.try_get("version")?,
        })
    }

    /// The points that `amount` minor units earn, rounded down; none for nothing or less.
    #[must_use]
    pub fn earned(&self, amount: i64) -> i64 {
        scale(amount, self.earn_points, self.earn_per_amount, 0)
    }

    /// The points that are taken back with `amount` minor units, rounded up.
    #[must_use]
    pub fn taken_back(&self, amount: i64) -> i64 {
        scale(amount, self.earn_points, self.earn_per_amount, i128::from(self.earn_per_amount) - 1)
    }

    /// What `points` are worth in minor units, rounded down.
    #[must_use]
    pub fn worth(&self, points: i64) -> i64 {
        scale(points, self.burn_amount, self.burn_points, 0)
    }
}

/// `value * by / per`, within what can be recorded; `up` is added before dividing.
fn scale(value: i64, by: i64, per: i64, up: i128) -> i64 {
    if value <= 0 || per <= 0 {
        return 0;
    }
    let scaled = (i128::from(value) * i128::from(by) + up) / i128::from(per);
    i64::try_from(scaled).unwrap_or(MOST_POINTS).min(MOST_POINTS)
}

/// How points are earned and what they are worth; the whole of it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoyaltyRuleInput {
    /// Points are earned and spent from now on.
    #[garde(skip)]
    active: bool,
    /// So many points are earned ..
    #[garde(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    earn_points: i64,
    /// .. for this amount in minor units.
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    earn_per_amount: i64,
    /// So many points are worth ..
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    burn_points: i64,
    /// .. this amount in minor units.
    #[garde(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    burn_amount: i64,
    /// Points that are not spent within so many months are lost; null when they are kept.
    #[garde(range(min = 1, max = 120))]
    #[schema(minimum = 1, maximum = 120)]
    #[serde(default)]
    expiry_months: Option<i32>,
}

/// The rule, if somebody has set one.
///
/// # Errors
/// [`DbError`].
pub async fn find_rule(tx: &TenantTx) -> Result<Option<LoyaltyRule>, DbError> {
    let row = tx.query_opt(include_str!("find_rule.sql"), &[&tx.tenant_id()]).await?;
    row.as_ref().map(LoyaltyRule::decode).transpose()
}

/// The rule, or what is so until somebody sets it.
pub(crate) async fn get_rule(tx: &TenantTx) -> Result<LoyaltyRule, DbError> {
    Ok(find_rule(tx).await?.unwrap_or_else(LoyaltyRule::unset))
}

/// Replaces the rule. What is sold from the moment of activation earns points, nothing before.
pub(crate) async fn set_rule(tx: &TenantTx, input: &LoyaltyRuleInput) -> Result<LoyaltyRule, DbError> {
    let LoyaltyRuleInput { active, earn_points, earn_per_amount, burn_points, burn_amount, expiry_months } =
        input;
    let now = tx.ctx().now();
    let row = tx
        .query_one(
            include_str!("set_rule.sql"),
            &[
                &tx.tenant_id(),
                active,
                earn_points,
                earn_per_amount,
                burn_points,
                burn_amount,
                expiry_months,
                &now,
                &first_id(now),
            ],
        )
        .await?;
    LoyaltyRule::decode(&row)
}

/// Every identifier made at `time` or later is behind this one, every one made before is not.
pub(super) fn first_id(time: Timestamp) -> Uuid {
    let ms = u128::try_from(time.as_millisecond()).unwrap_or_default();
    Uuid::from_u128(ms << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    // CUS-1
    #[test]
    fn points_are_rounded_for_the_merchant_and_never_more_than_can_be_recorded() {
        let rule = LoyaltyRule { earn_points: 3, earn_per_amount: 200, ..LoyaltyRule::unset() };
        assert_eq!((rule.earned(199), rule.earned(200), rule.earned(-200)), (2, 3, 0));
        assert_eq!((rule.taken_back(1), rule.taken_back(199), rule.taken_back(200)), (1, 3, 3));
        assert_eq!(rule.earned(i64::MAX), MOST_POINTS);
        let rule = LoyaltyRule { burn_points: 150, burn_amount: 100, ..LoyaltyRule::unset() };
        assert_eq!((rule.worth(149), rule.worth(150), rule.worth(0)), (99, 100, 0));
    }

    #[test]
    fn identifiers_sort_around_the_first_one_of_a_moment() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        assert_eq!(first_id(now).get_timestamp(), None, "it is no identifier itself");
        let made = Uuid::now_v7();
        let (seconds, nanos) = made.get_timestamp().unwrap().to_unix();
        let at = Timestamp::new(i64::try_from(seconds).unwrap(), i32::try_from(nanos).unwrap()).unwrap();
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap();
        assert!(first_id(at) <= made);
        assert!(first_id(at + std::time::Duration::from_millis(1)) > made);
    }
}
