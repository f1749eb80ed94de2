//! Use case: page through the book of stock, latest first.

use db::{DbError, Row, TenantTx};
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{MovementId, Reason, ShopId};

/// Which movements are wanted; every part narrows.
#[derive(Debug, Clone, Default)]
pub struct MovementFilter {
    /// Only of this SKU.
    pub sku: Option<String>,
    /// Only at this shop.
    pub shop: Option<ShopId>,
    /// Only for this reason.
    pub reason: Option<Reason>,
    /// Only from this time on.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
}

/// A line in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedMovement {
    /// Identity; sorts by when the goods moved.
    pub id: MovementId,
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// How many thousandths; negative when they left.
    pub quantity: i64,
    /// Why.
    pub reason: Reason,
    /// The sale, reservation or transfer it belongs to.
    pub reference: Option<Uuid>,
    /// A remark.
    pub note: Option<String>,
    /// When the goods moved.
    pub occurred_at: Timestamp,
    /// When it was written down.
    pub created_at: Timestamp,
}

/// At most `limit` movements, latest first, older than `before`.
///
/// # Errors
/// [`DbError`].
pub async fn list_movements(
    tx: &TenantTx,
    filter: &MovementFilter,
    before: Option<MovementId>,
    limit: i64,
) -> Result<Vec<PostedMovement>, DbError> {
    let sql = match (&filter.sku, filter.reason) {
        (Some(_), _) => include_str!("list_movements_of_sku.sql"),
        (None, None | Some(Reason::Sale)) => include_str!("list_movements.sql"),
        (None, Some(_)) => include_str!("list_movements_for_reason.sql"),
    };
    // The time within the id is that of the movement, so that a time range is a range of ids. It is whole
    // milliseconds; the statement looks at the exact time as well.
    let first = MovementId::floor(filter.from.unwrap_or(Timestamp::UNIX_EPOCH));
    let end = filter.to.and_then(|to| to.checked_add(jiff::SignedDuration::from_millis(1)).ok());
    let mut last = end.map_or(MovementId(Uuid::max()), MovementId::floor);
    if let Some(before) = before {
        last = last.min(before);
    }
    let reason = filter.reason.map(Reason::as_str);
    let rows = tx
        .query(
            sql,
            &[
                &tx.tenant_id(),
                &first,
                &last,
                &filter.shop,
                &reason,
                &filter.from,
                &filter.to,
                &limit,
                &filter.sku,
            ],
        )
        .await?;
    rows.iter().map(decode).collect()
}

fn decode(row: &Row) -> Result<PostedMovement, DbError> {
    let reason: &str = row.try_get(4)?;
    let unknown = || DbError::Other(format!("a movement has the unknown reason {reason}"));
    Ok(PostedMovement {
        id: row.try_get(0)?,
        shop: row.try_get(1)?,
        sku: row.try_get(2)?,
        quantity: row.try_get(3)?,
        reason: Reason::parse(reason).ok_or_else(unknown)?,
        reference: row.try_get(5)?,
        note: row.try_get(6)?,
        occurred_at: row.try_get(7)?,
        created_at: row.try_get(8)?,
    })
}
