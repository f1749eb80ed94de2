//! For points: what known customers have bought and what came back, in the order in which it was recorded.

use async_trait::async_trait;
use customers::{Purchase, Purchases};
use db::{DbError, Row, TenantTx};
use uuid::Uuid;

use crate::model::SaleId;

/// The book of record as the source of points.
#[derive(Debug, Clone, Copy)]
pub struct RecordedPurchases;

#[async_trait]
impl Purchases for RecordedPurchases {
    async fn list(
        &self,
        tx: &TenantTx,
        after: Uuid,
        until: Uuid,
        take: i64,
    ) -> Result<Vec<Purchase>, DbError> {
        let sql = include_str!("list_purchases.sql");
        let rows = tx.query(sql, &[&tx.tenant_id(), &after, &until, &take]).await?;
        rows.iter().map(decode).collect()
    }
}

fn decode(row: &Row) -> Result<Purchase, DbError> {
    let id: SaleId = row.try_get("id")?;
    let original: Option<SaleId> = row.try_get("original_id")?;
    Ok(Purchase {
        id: id.0,
        reference: id.to_string(),
        customer: row.try_get("customer_id")?,
        gross: row.try_get("gross")?,
        original: original.map(|original| original.to_string()),
        occurred_at: row.try_get("occurred_at")?,
    })
}
