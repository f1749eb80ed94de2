//! The ledger of points: entries, never changed, and the balance, which is their sum.

use std::fmt;

use db::{DbError, Row, TenantTx};
use garde::Validate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    CustomerId,
    model::{is_plain, refuse},
};

kernel::id!(
    /// An entry of the ledger of points.
    LoyaltyEntryId,
    "loy"
);

/// Neither a balance nor an entry is beyond this, in either direction.
pub(super) const MOST_POINTS: i64 = 1_000_000_000_000;

/// Why points came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoyaltyReason {
    /// For a purchase.
    Earn,
    /// Spent.
    Burn,
    /// By the staff.
    Adjust,
    /// Taken or given back, because what they came from or went into was undone.
    Reverse,
    /// Not spent in time.
    Expire,
    /// From a duplicate, or to the customer it was a duplicate of.
    Merge,
}

impl LoyaltyReason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Earn => "earn",
            Self::Burn => "burn",
            Self::Adjust => "adjust",
            Self::Reverse => "reverse",
            Self::Expire => "expire",
            Self::Merge => "merge",
        }
    }

    fn read(text: &str) -> Result<Self, DbError> {
        [Self::Earn, Self::Burn, Self::Adjust, Self::Reverse, Self::Expire, Self::Merge]
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| DbError::Other(format!("{text} is no reason")))
    }
}

/// Points that came or went.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoyaltyEntry {
    /// Identity.
    pub id: LoyaltyEntryId,
    /// How many; below zero when they went.
    pub points: i64,
    /// Why.
    pub reason: LoyaltyReason,
    /// What it was for: a sale, an order. Once per customer and reason.
    pub reference: String,
    /// What was said about it.
    pub note: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl LoyaltyEntry {
    fn decode(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.try_get("id")?,
            points: row.try_get("points")?,
            reason: LoyaltyReason::read(row.try_get("reason")?)?,
            reference: row.try_get("reference")?,
            note: row.try_get("note")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl fmt::Debug for LoyaltyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoyaltyEntry")
            .field("id", &self.id)
            .field("points", &self.points)
            .finish_non_exhaustive()
    }
}

/// Why points did not come or go.
#[derive(Debug, thiserror::Error)]
pub enum LoyaltyError {
    /// No such customer of this tenant.
    #[error("there is no such customer")]
    NotFound,
    /// The merchant has no active rule.
    #[error("points are not in use")]
    Inactive,
    /// Fewer points than wanted; how many there are.
    #[error("there are only {0} points")]
    Insufficient(i64),
    /// The reference was used for another number of points.
    #[error("the reference was used for other points")]
    ReferenceUsed,
    /// The number of points, or what the balance would be, cannot be recorded.
    #[error("the number of points is out of range")]
    OutOfRange,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What is written into the ledger.
pub(super) struct Posting<'a> {
    pub(super) customer: CustomerId,
    pub(super) points: i64,
    pub(super) reason: LoyaltyReason,
    pub(super) reference: &'a str,
    /// What is taken back.
    pub(super) origin: Option<&'a str>,
    pub(super) amount: i64,
    pub(super) note: &'a str,
}

/// The customer who has everything of `customer` now: itself or whom it was merged into. Stays so until the end of the
/// transaction.
pub(super) async fn lock_survivor(tx: &TenantTx, customer: CustomerId) -> Result<CustomerId, LoyaltyError> {
    let mut wanted = customer;
    for _ in 0..3 {
        let row = tx.query_opt(include_str!("lock_survivor.sql"), &[&tx.tenant_id(), &wanted]).await?;
        let merged: Option<CustomerId> =
            row.ok_or(LoyaltyError::NotFound)?.try_get("merged_into").map_err(DbError::from)?;
        match merged {
            None => return Ok(wanted),
            Some(into) => wanted = into,
        }
    }
    Err(DbError::Conflict("merged meanwhile".to_owned()).into())
}

/// Writes an entry of a customer who is locked; `None` when the reference was used for this reason before.
pub(super) async fn post(
    tx: &TenantTx,
    posting: &Posting<'_>,
) -> Result<Option<LoyaltyEntryId>, LoyaltyError> {
    let Posting { customer, points, reason, reference, origin, amount, note } = posting;
    let (id, now, author) = (LoyaltyEntryId::new(), tx.ctx().now(), tx.ctx().caller.actor.to_string());
    let (reason, tenant) = (reason.as_str(), tx.tenant_id());
    let row = tx
        .query_opt(
            include_str!("post_entry.sql"),
            &[&tenant, &id, customer, points, &reason, reference, origin, amount, note, &author, &now],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let balance: i64 = row.try_get("points").map_err(DbError::from)?;
    if balance.abs() > MOST_POINTS {
        return Err(LoyaltyError::OutOfRange);
    }
    Ok(Some(id))
}

/// The points of a customer; 0 for one who never had any.
///
/// # Errors
/// [`DbError`].
pub async fn find_balance(tx: &TenantTx, customer: CustomerId) -> Result<i64, DbError> {
    let row = tx.query_opt(include_str!("find_balance.sql"), &[&tx.tenant_id(), &customer]).await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("points")?))
}

/// The same, locked until the end of the transaction.
pub(super) async fn lock_balance(tx: &TenantTx, customer: CustomerId) -> Result<i64, DbError> {
    let row = tx.query_opt(include_str!("lock_balance.sql"), &[&tx.tenant_id(), &customer]).await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("points")?))
}

/// A customer's entries, latest first, before `before`; at most `take`.
pub(crate) async fn list_entries(
    tx: &TenantTx,
    customer: CustomerId,
    before: Option<LoyaltyEntryId>,
    take: i64,
) -> Result<Vec<LoyaltyEntry>, DbError> {
    let before = before.unwrap_or(LoyaltyEntryId(Uuid::max()));
    let sql = include_str!("list_entries.sql");
    let rows = tx.query(sql, &[&tx.tenant_id(), &customer, &before, &take]).await?;
    rows.iter().map(LoyaltyEntry::decode).collect()
}

/// Points that the staff gives or takes, and why.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AdjustInput {
    /// How many, not 0; below zero takes them.
    #[garde(custom(points_rule))]
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    points: i64,
    /// Why, for whoever reads the ledger.
    #[garde(custom(note_rule))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    note: String,
}

fn points_rule(points: &i64, _: &()) -> garde::Result {
    let fine = *points != 0 && points.abs() <= 1_000_000_000;
    refuse(fine, "must be between -1000000000 and 1000000000 and not 0")
}

fn note_rule(text: &str, _: &()) -> garde::Result {
    let fine = !text.trim().is_empty() && text.chars().count() <= 200 && is_plain(text);
    refuse(fine, "must be 1 to 200 characters, not all blank, without control characters")
}

/// Use case: the staff gives or takes points; never more than there are.
pub(crate) async fn adjust(
    tx: &TenantTx,
    customer: CustomerId,
    input: &AdjustInput,
) -> Result<LoyaltyEntry, LoyaltyError> {
    let customer = lock_survivor(tx, customer).await?;
    let balance = lock_balance(tx, customer).await?;
    if input.points < 0 && balance + input.points < 0 {
        return Err(LoyaltyError::Insufficient(balance));
    }
    let reference = LoyaltyEntryId::new().to_string();
    let posting = Posting {
        customer,
        points: input.points,
        reason: LoyaltyReason::Adjust,
        reference: &reference,
        origin: None,
        amount: 0,
        note: &input.note,
    };
    let id = post(tx, &posting).await?.ok_or(LoyaltyError::ReferenceUsed)?;
    let row = tx.query_one(include_str!("get_entry.sql"), &[&tx.tenant_id(), &id]).await?;
    Ok(LoyaltyEntry::decode(&row)?)
}

/// Gives the points of `from` to `into`, both locked for changes.
pub(crate) async fn move_points(
    tx: &TenantTx,
    from: CustomerId,
    into: CustomerId,
) -> Result<(), LoyaltyError> {
    let points = lock_balance(tx, from).await?;
    if points == 0 {
        return Ok(());
    }
    for (customer, points, other) in [(from, -points, into), (into, points, from)] {
        let reference = other.to_string();
        let posting = Posting {
            customer,
            points,
            reason: LoyaltyReason::Merge,
            reference: &reference,
            origin: None,
            amount: 0,
            note: "",
        };
        post(tx, &posting).await?;
    }
    Ok(())
}
