//! A merchant with two shops and some products, on databases of its own.

use std::{sync::Arc, time::Duration};

use db::{Db, DbError, Migrations, TenantTx};
use inventory::{
    Guard, HoldLine, Level, Movement, Reason, ReservationId, ReserveStock, Restock, ShopId, StockLine,
};
use jiff::Timestamp;
use kernel::{Ctx, Quantity, Tenant};
use testkit::TestDatabases;

pub(crate) const BREAD: &str = "BREAD";
pub(crate) const MILK: &str = "MILK";
pub(crate) const SKUS: [&str; 4] = [BREAD, MILK, "EGGS", "SALT"];

pub(crate) fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

pub(crate) fn units(count: i64) -> Quantity {
    Quantity::from_units(count).unwrap()
}

pub(crate) fn migrations() -> Migrations {
    Migrations::tenant([
        messages::MIGRATIONS,
        edge::idempotency::MIGRATIONS,
        catalog::MIGRATIONS,
        inventory::MIGRATIONS,
    ])
}

pub(crate) struct Fixture {
    pub(crate) databases: Arc<TestDatabases>,
    pub(crate) db: Db,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) shops: [ShopId; 2],
    pub(crate) now: Timestamp,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let databases = TestDatabases::create(&migrations(), &Migrations::control([])).await.unwrap();
        let db = databases.db().unwrap();
        Self::merchant(Arc::new(databases), db, "acme").await
    }

    /// Another merchant in the same database.
    pub(crate) async fn neighbour(&self, slug: &str) -> Self {
        Self::merchant(self.databases.clone(), self.db.clone(), slug).await
    }

    async fn merchant(databases: Arc<TestDatabases>, db: Db, slug: &str) -> Self {
        let tenant = databases.tenant(slug);
        let now = start();
        let ctx = databases.ctx(&tenant, now);
        create_products(&db, &ctx).await;
        let tx = db.begin(&ctx).await.unwrap();
        let shops = inventory::ensure_shops(&tx, &["S01", "S02"]).await.unwrap();
        tx.commit().await.unwrap();
        Self { databases, db, tenant, shops: [shops["S01"], shops["S02"]], now }
    }

    pub(crate) fn later(&self, seconds: i64) -> Self {
        let now = self.now + jiff::SignedDuration::from_secs(seconds);
        Self {
            databases: self.databases.clone(),
            db: self.db.clone(),
            tenant: self.tenant.clone(),
            shops: self.shops,
            now,
        }
    }

    pub(crate) fn ctx(&self) -> Ctx {
        self.databases.ctx(&self.tenant, self.now)
    }

    pub(crate) async fn begin(&self) -> TenantTx {
        self.db.begin(&self.ctx()).await.unwrap()
    }

    pub(crate) fn line(&self, shop: usize, sku: &str, count: i64) -> StockLine {
        StockLine { shop: self.shops[shop], sku: sku.to_owned(), quantity: units(count) }
    }

    pub(crate) fn hold_line(&self, shop: usize, sku: &str, count: i64) -> HoldLine {
        HoldLine { shop: self.shops[shop], sku: sku.to_owned(), quantity: units(count) }
    }

    pub(crate) fn sold(&self, shop: usize, sku: &str, count: i64) -> Movement {
        Movement {
            shop: self.shops[shop],
            sku: sku.to_owned(),
            quantity: units(-count),
            reason: Reason::Sale,
            reference: None,
            note: None,
            occurred_at: self.now,
        }
    }

    pub(crate) async fn restock(&self, shop: usize, sku: &str, count: i64) {
        let tx = self.begin().await;
        let lines = vec![self.line(shop, sku, count)];
        inventory::restock(&tx, Restock { lines, note: None }).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Sells what the lines say, or nothing; whether it was sold.
    pub(crate) async fn sell(&self, lines: &[(usize, &str, i64)]) -> bool {
        let movements: Vec<Movement> =
            lines.iter().map(|(shop, sku, count)| self.sold(*shop, sku, *count)).collect();
        let tx = self.begin().await;
        let pairs: std::collections::BTreeSet<_> =
            movements.iter().map(|movement| (movement.shop, movement.sku.clone())).collect();
        let applied = inventory::post_movements(&tx, &movements, Guard::Refuse).await.unwrap();
        if applied.len() < pairs.len() {
            return false;
        }
        tx.commit().await.unwrap();
        true
    }

    /// Reserves for `seconds`; `None` when there was not enough. Any conflict with others fails the test.
    pub(crate) async fn reserve(&self, lines: Vec<HoldLine>, seconds: u64) -> Option<ReservationId> {
        let input = ReserveStock { reference: None, hold_for: Duration::from_secs(seconds), lines };
        let tx = self.begin().await;
        let taken = inventory::reserve_stock(&tx, input).await;
        if matches!(taken, Err(inventory::ReserveStockError::OutOfStock(_))) {
            return None;
        }
        let held = taken.unwrap();
        tx.commit().await.unwrap();
        Some(held.id)
    }

    pub(crate) async fn confirm(&self, id: ReservationId) -> Result<(), inventory::CloseReservationError> {
        let tx = self.begin().await;
        inventory::confirm_stock(&tx, id).await?;
        tx.commit().await.map_err(Into::into)
    }

    pub(crate) async fn release(&self, id: ReservationId) -> Result<(), inventory::CloseReservationError> {
        let tx = self.begin().await;
        inventory::release_stock(&tx, id).await?;
        tx.commit().await.map_err(Into::into)
    }

    pub(crate) async fn expire(&self) -> usize {
        let tx = self.begin().await;
        let count = inventory::expire_reservations(&tx, 100).await.unwrap();
        tx.commit().await.unwrap();
        count
    }

    /// The stock row, if there is one.
    pub(crate) async fn level(&self, shop: usize, sku: &str) -> Option<Level> {
        let tx = self.begin().await;
        let rows = tx.run(inventory::levels_stmt(tx.ctx(), &[(self.shops[shop], sku)])).await.unwrap();
        inventory::decode_levels(&rows).unwrap().pop()
    }

    /// On hand and reserved, in whole units.
    pub(crate) async fn on_hand_and_reserved(&self, shop: usize, sku: &str) -> (i64, i64) {
        let level = self.level(shop, sku).await;
        level.map_or((0, 0), |level| (level.on_hand / 1000, level.reserved / 1000))
    }

    pub(crate) async fn invariants(&self) -> Vec<kernel::Violation> {
        let tx = self.begin().await;
        inventory::invariants(&tx).await.unwrap()
    }

    /// How many messages of that type this merchant has published.
    pub(crate) async fn published(&self, kind: &str) -> i64 {
        let client = self.databases.look().await.unwrap();
        let sql = "select count(*) from messages.outbox where tenant_id = $1 and kind = $2";
        client.query_one(sql, &[&self.tenant.id, &kind]).await.unwrap().get(0)
    }
}

pub(crate) async fn create_products(db: &Db, ctx: &Ctx) {
    let tx = db.begin(ctx).await.unwrap();
    catalog::seed_tax_rates(&tx).await.unwrap();
    tx.commit().await.unwrap();
    let rows: String = SKUS.iter().map(|sku| format!("{sku},{sku},1.00\n")).collect();
    let file = format!("sku,name,price\n{rows}");
    let mut rejects = csvio::RejectWriter::new(Vec::new()).unwrap();
    let catalog = catalog::Catalog::new(db.clone(), std::env::temp_dir());
    let imported = catalog::import_products(&catalog, ctx, file.as_bytes(), &mut rejects, |_| ()).await;
    imported.unwrap();
    assert_eq!(rejects.count(), 0);
}

/// The database's error behind one of reservations.
pub(crate) fn is_conflict(error: &inventory::CloseReservationError) -> bool {
    matches!(error, inventory::CloseReservationError::Db(DbError::Conflict(_)))
}
