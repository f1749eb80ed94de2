//! Routes of the till: thin, each handler extracts, calls and maps.

mod registers;
mod sales;

use std::sync::Arc;

use catalog::Catalog;
use db::{Combiner, CombinerLimits, Db};
use edge::{Routes, telemetry::TierCounter};

use crate::{
    cache::{SaleCache, sale_cache},
    create_sale::SaleBatch,
    registers::Registers,
};

/// What the handlers of this domain share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sales(Arc<Inner>);

struct Inner {
    db: Db,
    catalog: Catalog,
    combiner: Combiner<SaleBatch>,
    registers: Registers,
    cache: SaleCache,
    counts: Counts,
}

/// What trade does, for metrics.
struct Counts {
    sales: TierCounter,
    refunds: TierCounter,
    voids: TierCounter,
}

impl Counts {
    fn new() -> Self {
        let back = |kind| {
            let help = "Sales taken back in part or whole, by kind and the merchant's tier.";
            TierCounter::new("markethall_refunds_total", help, &[("kind", kind)])
        };
        let help = "Sales recorded in the books, imports aside, by the merchant's tier.";
        let sales = TierCounter::new("markethall_sales_total", help, &[]);
        Self { sales, refunds: back("refund"), voids: back("void") }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sales").finish_non_exhaustive()
    }
}

impl Sales {
    /// The state of this domain.
    #[must_use]
    pub fn new(db: Db, catalog: Catalog, limits: CombinerLimits) -> Self {
        let combiner = Combiner::new(db.clone(), SaleBatch::default(), limits);
        let registers = Registers::new(db.clone());
        Self(Arc::new(Inner { db, catalog, combiner, registers, cache: sale_cache(), counts: Counts::new() }))
    }

    /// The sales kept in memory, to be told what other processes changed.
    #[must_use]
    pub fn cache(&self) -> &SaleCache {
        &self.0.cache
    }

    /// The register that the web channel of `shop` sells on.
    ///
    /// # Errors
    /// [`crate::problems::UNKNOWN_SHOP`], a database that fails.
    pub async fn web_register(
        &self,
        ctx: &kernel::Ctx,
        shop: inventory::ShopId,
    ) -> Result<Arc<crate::Register>, crate::SaleError> {
        self.0.registers.for_web(ctx, shop).await
    }

    /// The same inside a transaction, on whose connection it is looked up: whoever holds one must not wait for another.
    ///
    /// # Errors
    /// `UNKNOWN_SHOP`, [`db::DbError`].
    pub async fn web_register_in(
        &self,
        tx: &db::TenantTx,
        shop: inventory::ShopId,
    ) -> Result<Arc<crate::Register>, crate::SaleError> {
        self.0.registers.for_web_in(tx, shop).await
    }

    /// Counts a sale that was booked for a merchant of `tier` by others than the till: by a checkout, by an order.
    pub fn count_sale(&self, tier: kernel::Tier) {
        self.0.counts.sales.add(tier);
    }

    /// Counts a refund that others than the till have booked.
    pub fn count_refund(&self, tier: kernel::Tier) {
        self.0.counts.refunds.add(tier);
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }
}

/// Every route of this domain.
pub fn routes(state: Sales) -> Routes<()> {
    sales::routes().with_state(state.clone()).merge(registers::routes().with_state(state))
}
