//! Use case: points for money off.

use db::TenantTx;

use super::{
    LoyaltyError, LoyaltyReason,
    earn::find_known,
    ledger::{MOST_POINTS, Posting, lock_balance, lock_survivor, post},
    rule::find_rule,
};
use crate::CustomerId;

/// Points that were spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burned {
    /// How many.
    pub points: i64,
    /// What they were worth then, in minor units.
    pub amount: i64,
}

/// Spends `points`, once per `reference`: again with the same number it is told what was done the first time. Never more
/// than there are, however many spend at once. A customer who was merged spends what the one who stays has.
///
/// # Errors
/// [`LoyaltyError`].
pub async fn burn(
    tx: &TenantTx,
    customer: CustomerId,
    points: i64,
    reference: &str,
) -> Result<Burned, LoyaltyError> {
    if !(1..=MOST_POINTS).contains(&points) {
        return Err(LoyaltyError::OutOfRange);
    }
    let customer = lock_survivor(tx, customer).await?;
    let balance = lock_balance(tx, customer).await?;
    let reason = LoyaltyReason::Burn;
    if find_known(tx, customer, &[reason], reference).await?.entries > 0 {
        return find_burned(tx, customer, points, reference).await;
    }
    let rule = find_rule(tx).await?.filter(|rule| rule.active).ok_or(LoyaltyError::Inactive)?;
    if balance < points {
        return Err(LoyaltyError::Insufficient(balance));
    }
    let amount = rule.worth(points);
    let posting = Posting { customer, points: -points, reason, reference, origin: None, amount, note: "" };
    post(tx, &posting).await?.ok_or(LoyaltyError::ReferenceUsed)?;
    Ok(Burned { points, amount })
}

/// What was spent with `reference` before.
async fn find_burned(
    tx: &TenantTx,
    customer: CustomerId,
    points: i64,
    reference: &str,
) -> Result<Burned, LoyaltyError> {
    let sql = include_str!("find_burned.sql");
    let row = tx.query_opt(sql, &[&tx.tenant_id(), &customer, &reference, &-points]).await?;
    let row = row.ok_or(LoyaltyError::ReferenceUsed)?;
    Ok(Burned { points, amount: row.try_get("amount").map_err(db::DbError::from)? })
}
