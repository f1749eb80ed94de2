//! What a platform may bill beside use, from the books of the domains.

use std::sync::Arc;

use async_trait::async_trait;
use control::usage::{BillableFacts, Fact};
use db::{DbError, TenantTx};
use kernel::Timestamp;
use orders::OrderId;
use sales::SaleId;
use uuid::Uuid;

/// Every kind of billable facts.
pub(crate) fn all() -> Vec<Arc<dyn BillableFacts>> {
    vec![Arc::new(BookedSales), Arc::new(PlacedOrders)]
}

/// Sales of any channel, once each; what is taken back stays a sale that was made.
struct BookedSales;

#[async_trait]
impl BillableFacts for BookedSales {
    fn kind(&self) -> &'static str {
        "sale"
    }

    async fn count(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(String, i64)>, DbError> {
        sales::count_booked(tx, from, until).await
    }

    async fn list(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
        after: Option<(Timestamp, Uuid)>,
        limit: i64,
    ) -> Result<Vec<Fact>, DbError> {
        let after = after.map(|(at, id)| (at, SaleId(id)));
        let booked = sales::list_booked(tx, from, until, after, limit).await?;
        let fact = |sale: sales::BookedSale| Fact {
            id: sale.id.to_string(),
            reference: sale.receipt_number,
            at: sale.booked_at,
            key: sale.id.0,
        };
        Ok(booked.into_iter().map(fact).collect())
    }
}

/// Orders, whatever became of them.
struct PlacedOrders;

#[async_trait]
impl BillableFacts for PlacedOrders {
    fn kind(&self) -> &'static str {
        "order"
    }

    async fn count(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(String, i64)>, DbError> {
        orders::count_placed(tx, from, until).await
    }

    async fn list(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
        after: Option<(Timestamp, Uuid)>,
        limit: i64,
    ) -> Result<Vec<Fact>, DbError> {
        let after = after.map(|(at, id)| (at, OrderId(id)));
        let placed = orders::list_placed(tx, from, until, after, limit).await?;
        let fact = |order: orders::PlacedOrder| Fact {
            id: order.id.to_string(),
            reference: order.number.to_string(),
            at: order.placed_at,
            key: order.id.0,
        };
        Ok(placed.into_iter().map(fact).collect())
    }
}
