//! Use cases: points for a purchase, and everything back when what they were for is undone.

use db::{DbError, TenantTx};

use super::{
    LoyaltyError, LoyaltyReason,
    ledger::{Posting, lock_survivor, post},
    rule::find_rule,
};
use crate::CustomerId;

/// What is known of a reference among a customer and those who have become this customer.
pub(super) struct Known {
    /// The sum of what was earned or burned with it, less what was taken back.
    pub(super) left: i64,
    /// How many entries were written for it.
    pub(super) entries: i64,
}

pub(super) async fn find_known(
    tx: &TenantTx,
    customer: CustomerId,
    reasons: &[LoyaltyReason],
    reference: &str,
) -> Result<Known, DbError> {
    let reasons: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
    let sql = include_str!("find_known.sql");
    let row = tx.query_one(sql, &[&tx.tenant_id(), &customer, &reasons, &reference]).await?;
    Ok(Known { left: row.try_get("remaining")?, entries: row.try_get("entries")? })
}

/// Gives the points for a purchase of `amount` minor units, once per `reference`; returns how many came now. None
/// while the merchant has no active rule. A customer who was merged earns for the one who stays.
///
/// # Errors
/// [`LoyaltyError`].
pub async fn earn(
    tx: &TenantTx,
    customer: CustomerId,
    amount: i64,
    reference: &str,
) -> Result<i64, LoyaltyError> {
    let Some(rule) = find_rule(tx).await?.filter(|rule| rule.active) else { return Ok(0) };
    let points = rule.earned(amount);
    if points == 0 {
        return Ok(0);
    }
    let customer = lock_survivor(tx, customer).await?;
    let reason = LoyaltyReason::Earn;
    if find_known(tx, customer, &[reason], reference).await?.entries > 0 {
        return Ok(0);
    }
    let posting = Posting { customer, points, reason, reference, origin: None, amount, note: "" };
    Ok(post(tx, &posting).await?.map_or(0, |_| points))
}

/// Takes back the points for `amount` minor units of the purchase `origin` that came back as `reference`: at most what
/// is left of them. Returns how many went. They go even when they have been spent: the balance is then below zero until
/// others are earned.
pub(super) async fn take_back(
    tx: &TenantTx,
    customer: CustomerId,
    amount: i64,
    origin: &str,
    reference: &str,
) -> Result<i64, LoyaltyError> {
    let Some(rule) = find_rule(tx).await? else { return Ok(0) };
    let customer = lock_survivor(tx, customer).await?;
    let left = find_known(tx, customer, &[LoyaltyReason::Earn], origin).await?.left;
    let points = rule.taken_back(amount).min(left);
    if points <= 0 {
        return Ok(0);
    }
    let posting = Posting {
        customer,
        points: -points,
        reason: LoyaltyReason::Reverse,
        reference,
        origin: Some(origin),
        amount,
        note: "",
    };
    Ok(post(tx, &posting).await?.map_or(0, |_| points))
}

/// Undoes whatever was earned and burned with `reference`, once: what was earned goes, even when it has been spent, and
/// what was burned comes back. Returns how the balance changed.
///
/// # Errors
/// [`LoyaltyError`].
pub async fn reverse(tx: &TenantTx, customer: CustomerId, reference: &str) -> Result<i64, LoyaltyError> {
    let customer = lock_survivor(tx, customer).await?;
    let reasons = [LoyaltyReason::Earn, LoyaltyReason::Burn];
    let left = find_known(tx, customer, &reasons, reference).await?.left;
    if left == 0 {
        return Ok(0);
    }
    let posting = Posting {
        customer,
        points: -left,
        reason: LoyaltyReason::Reverse,
        reference,
        origin: Some(reference),
        amount: 0,
        note: "",
    };
    Ok(post(tx, &posting).await?.map_or(0, |_| -left))
}
