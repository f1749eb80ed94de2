//! A merchant in Berlin with two shops and eight months of random books: sales, discounts, refunds and voids.

use std::{fmt::Write as _, io::Write as _};

use catalog::Catalog;
use db::Migrations;
use jiff::{SignedDuration, Timestamp};
use kernel::{Ctx, Quantity};
use reporting::Reporting;
use sales::{RefundLine, RefundSale, Sale, SaleFilter, VoidSale};
use serde_json::json;
use testkit::{Client, Site, TestDatabases};

pub(crate) const ZONE: &str = "Europe/Berlin";

/// SKU, category, tax category.
const PRODUCTS: [(&str, &str, &str); 6] = [
    ("RYE", "Food/Bread/Rye", "reduced"),
    ("ROLL", "Food/Bread", "reduced"),
    ("MILK", "Food/Dairy", "reduced"),
    ("WINE", "Drinks/Wine", "standard"),
    ("STAMP", "", "zero"),
    ("PEN", "Office", "standard"),
];

/// Numbers that look random and are the same every time (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// 0 to `most - 1`.
    pub(crate) fn roll(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % most
    }
}

pub(crate) struct Books {
    pub(crate) site: Site,
    pub(crate) ctx: Ctx,
    pub(crate) clerk: Client,
    /// Every sale, void and refund as it stands in the book, read one by one.
    pub(crate) sales: Vec<Sale>,
}

impl Books {
    pub(crate) async fn open() -> Self {
        let migrations = Migrations::tenant([
            messages::MIGRATIONS,
            edge::idempotency::MIGRATIONS,
            catalog::MIGRATIONS,
            customers::MIGRATIONS,
            inventory::MIGRATIONS,
            sales::MIGRATIONS,
        ]);
        let databases = TestDatabases::create(&migrations, &Migrations::control([])).await.unwrap();
        let site = Site::new(databases, |db, _| vec![reporting::routes(Reporting::new(db.clone()))]).unwrap();
        let mut tenant = site.databases.tenant("acme").as_ref().clone();
        tenant.settings.time_zone = ZONE.to_owned();
        let tenant = site.put_tenant(tenant);
        site.add_tenant("other");
        let (ctx, clerk) = (site.ctx(&tenant), site.member("acme", &["reports:read"]));
        let mut books = Self { site, ctx, clerk, sales: Vec::new() };
        books.keep().await;
        books
    }

    /// Imports sales, then takes some of them back.
    async fn keep(&mut self) {
        let catalog = Catalog::new(self.site.db.clone(), std::env::temp_dir());
        let tx = self.site.db.begin(&self.ctx).await.unwrap();
        catalog::seed_tax_rates(&tx).await.unwrap();
        tx.commit().await.unwrap();
        let mut file = String::from("sku,name,price,category,tax_category\n");
        for (sku, category, tax) in PRODUCTS {
            writeln!(file, "{sku},The {sku},1.00,{category},{tax}").unwrap();
        }
        let mut rejects = csvio::RejectWriter::new(Vec::new()).unwrap();
        catalog::import_products(&catalog, &self.ctx, file.as_bytes(), &mut rejects, |_| ()).await.unwrap();
        assert_eq!(rejects.count(), 0);
        let mut dice = Dice::new();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(random_sales(&mut dice).as_bytes()).unwrap();
        let imported =
            sales::import_sales(&self.site.db, &catalog, &self.ctx, file.path(), Vec::new(), |_| ())
                .await
                .unwrap();
        assert_eq!(imported.rejected, 0);
        for sale in self.read().await {
            match dice.roll(8) {
                0 => self.void(&sale).await,
                1 => self.refund(&sale, &mut dice).await,
                _ => {}
            }
        }
        self.sales = self.read().await;
    }

    async fn void(&self, sale: &Sale) {
        let tx = self.site.db.begin(&self.ctx).await.unwrap();
        if sales::void_sale(&tx, sale.id, &VoidSale { reason: "test".to_owned() }).await.is_ok() {
            tx.commit().await.unwrap();
        }
    }

    /// Takes back half of one line, some days later.
    async fn refund(&self, sale: &Sale, dice: &mut Dice) {
        let line = &sale.lines[dice.roll(sale.lines.len())];
        let half = Quantity::from_thousandths((line.quantity.thousandths() / 2).max(1)).unwrap();
        let input = RefundSale {
            reason: "test".to_owned(),
            lines: vec![RefundLine { line: line.line, quantity: half, restock: true }],
            tenders: None,
            register_id: None,
        };
        let mut ctx = self.ctx.clone();
        let days = i64::try_from(dice.roll(40)).unwrap();
        ctx.caller.now += SignedDuration::from_hours(24 * days);
        let tx = self.site.db.begin(&ctx).await.unwrap();
        if sales::refund_sale(&tx, sale.id, &input, None).await.is_ok() {
            tx.commit().await.unwrap();
        }
    }

    async fn read(&self) -> Vec<Sale> {
        let tx = self.site.db.begin_read(&self.ctx).await.unwrap();
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = serde_json::from_value(json!({ "limit": 200, "cursor": cursor })).unwrap();
            let page = sales::list_sales(&tx, &SaleFilter::default(), &page).await.unwrap();
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return all;
            }
        }
    }
}

/// Some hundred sales from March to November, many of them around midnight and on the days when clocks change.
fn random_sales(dice: &mut Dice) -> String {
    let mut file = String::from(
        "external_id,shop,register,occurred_at,customer,sku,quantity,unit_price,discount,tender\n",
    );
    let start: Timestamp = "2026-03-27T22:00:00Z".parse().unwrap();
    for number in 0..400 {
        let day = match dice.roll(4) {
            0 => dice.roll(4),
            1 => 210 + dice.roll(4),
            _ => dice.roll(238),
        };
        let minute = if dice.roll(2) == 0 { dice.roll(240) } else { dice.roll(1440) };
        let minutes = i64::try_from(day * 1440 + minute).unwrap();
        let at = start + SignedDuration::from_mins(minutes);
        let shop = ["S01", "S02"][dice.roll(2)];
        for _ in 0..=dice.roll(4) {
            let (sku, ..) = PRODUCTS[dice.roll(PRODUCTS.len())];
            let quantity = ["1", "2", "3", "0.450", "1.275"][dice.roll(5)];
            let (price, discount) = (dice.roll(2000) + 100, dice.roll(20));
            writeln!(
                file,
                "sale {number},{shop},R01,{at},,{sku},{quantity},{}.{:02},0.{discount:02},card",
                price / 100,
                price % 100
            )
            .unwrap();
        }
    }
    file
}
