//! Every invariant of every domain, and those that no domain can prove alone.

mod books;

use std::collections::HashMap;

use anyhow::Result;
use db::{DbError, TenantTx};
use kernel::{Ctx, Violation};
use serde::Serialize;

use crate::app::App;

/// A violation and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The merchant, or the database that merchants share, or `control`.
    pub place: String,
    /// What is broken.
    #[serde(flatten)]
    pub violation: Violation,
}

/// Proves one merchant's invariants on one state of the database.
///
/// # Errors
/// [`DbError`]; nothing is proven then.
pub async fn check_tenant(app: &App, ctx: &Ctx) -> Result<Vec<Finding>, DbError> {
    let tx = app.db.begin_snapshot(ctx).await?;
    let mut violations = Vec::new();
    violations.extend(edge::idempotency::invariants(&tx).await?);
    violations.extend(audit::invariants(&tx).await?);
    violations.extend(messages::invariants(&tx).await?);
    violations.extend(catalog::invariants(&tx).await?);
    violations.extend(customers::invariants(&tx).await?);
    violations.extend(inventory::invariants(&tx).await?);
    violations.extend(payments::invariants(&tx).await?);
    violations.extend(sales::invariants(&tx).await?);
    violations.extend(orders::invariants(&tx).await?);
    violations.extend(checkout::invariants(&tx).await?);
    violations.extend(webhooks::invariants(&tx).await?);
    violations.extend(goods_match_sales(&tx).await?);
    violations.extend(books::orders_match_money(&tx).await?);
    tx.commit().await?;
    let place = ctx.tenant.slug.to_string();
    Ok(violations.into_iter().map(|violation| Finding { place: place.clone(), violation }).collect())
}

/// Proves what belongs to no single merchant: the control database and the relay of each database.
///
/// # Errors
/// [`DbError`].
pub async fn check_platform(app: &App) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let tx = app.db.control().await?;
    for violation in control::invariants(&tx).await? {
        found.push(Finding { place: "control".to_owned(), violation });
    }
    tx.commit().await?;
    for placement in messages::TenantLookup::list_databases(&app.control).await? {
        let now = app.clock.now();
        for violation in messages::database_invariants(&app.db, &placement, now).await? {
            found.push(Finding { place: format!("{}/{}", placement.shard, placement.database), violation });
        }
    }
    Ok(found)
}

/// What was sold and taken back is what the book of stock says under those reasons, per shop and SKU.
async fn goods_match_sales(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let mut sold: HashMap<(uuid::Uuid, String), i64> =
        sales::sold_units(tx).await?.into_iter().map(|(shop, sku, units)| ((shop, sku), units)).collect();
    let mut found = Vec::new();
    let mut report = |shop: uuid::Uuid, sku: &str, sold: i64, moved: i64| {
        if found.len() < 100 {
            found.push(Violation {
                invariant: "goods_match_sales",
                subject: format!("{} {sku}", inventory::ShopId(shop)),
                detail: format!("sales say {sold} thousandths were sold, stock says {moved}"),
            });
        }
    };
    for (shop, sku, moved) in inventory::sold_movements(tx).await? {
        let units = sold.remove(&(shop, sku.clone())).unwrap_or(0);
        if units != moved {
            report(shop, &sku, units, moved);
        }
    }
    for ((shop, sku), units) in sold {
        report(shop, &sku, units, 0);
    }
    Ok(found)
}
