//! The demo market: three merchants of different tier with products, stock, registers and staff.
//!
//! Made once; a later start finds it and does nothing. Meant for a machine of one's own: its passwords are public.

use std::io::sink;

use anyhow::{Context, Result, bail};
use control::{CreateTenant, create_staff, create_tenant};
use csvio::RejectWriter;
use edge::Registry;
use inventory::{CreateShop, CreateShopError, ShopKind};
use kernel::{Actor, Ctx, Currency, TenantSettings, TenantStatus, Tier};

use crate::app::App;

/// The password of every account of the demo market.
const PASSWORD: &str = "markethall-demo";
/// The code of each merchant's web shop.
const WEB_SHOP: &str = "WEB";
/// A guest's way through the web channel.
const WALK: &str = include_str!("walk.sh");
/// Units of each product in each shop.
const UNITS: &str = "200";

struct Merchant {
    slug: &'static str,
    name: &'static str,
    tier: Tier,
    products: &'static str,
    shops: &'static [&'static str],
}

const MERCHANTS: [Merchant; 3] = [
    Merchant {
        slug: "bakery",
        name: "Corner Bakery",
        tier: Tier::Free,
        products: include_str!("bakery.csv"),
        shops: &["S01"],
    },
    Merchant {
        slug: "books",
        name: "Lighthouse Books",
        tier: Tier::Standard,
        products: include_str!("books.csv"),
        shops: &["S01", "S02"],
    },
    Merchant {
        slug: "market",
        name: "Grand Market",
        tier: Tier::Enterprise,
        products: include_str!("market.csv"),
        shops: &["S01", "S02", "S03"],
    },
];

/// Makes what is missing and returns what to tell the operator; `origin` is where it will be served.
///
/// # Errors
/// When a merchant cannot be made; the next start goes on from there.
pub async fn make(app: &App, origin: &str) -> Result<String> {
    for merchant in &MERCHANTS {
        let known = app.control.find_tenant(merchant.slug).await.context("cannot look up merchants")?;
        let stocked = match known {
            Some(tenant) if tenant.status == TenantStatus::Active => {
                is_stocked(app, &context(app, tenant)).await?
            }
            _ => false,
        };
        if !stocked {
            open(app, merchant).await.with_context(|| format!("cannot make {}", merchant.slug))?;
        }
    }
    Ok(welcome(origin))
}

fn context(app: &App, tenant: std::sync::Arc<kernel::Tenant>) -> Ctx {
    let mut ctx = Ctx::system(tenant, "demo", app.clock.now());
    ctx.caller.actor = Actor::Operator;
    ctx
}

/// Registers are made last, so that a merchant with one is complete.
async fn is_stocked(app: &App, ctx: &Ctx) -> Result<bool> {
    let tx = app.db.begin_read(ctx).await?;
    let stocked = sales::has_registers(&tx).await?;
    tx.commit().await?;
    Ok(stocked)
}

async fn open(app: &App, merchant: &Merchant) -> Result<()> {
    let caller = crate::cli::operator(app.clock.now());
    let wanted = CreateTenant {
        slug: merchant.slug.to_owned(),
        name: merchant.name.to_owned(),
        tier: merchant.tier,
        currency: Currency::EUR,
        settings: TenantSettings::default(),
        placement: None,
        region: String::new(),
        shard: None,
        admin_email: format!("admin@{}.example", merchant.slug),
        admin_password: Some(PASSWORD.to_owned().into()),
    };
    match create_tenant(&app.control, &caller, wanted).await {
        Ok(_) | Err(control::CreateTenantError::Exists(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(tenant) = app.control.find_tenant(merchant.slug).await? else {
        bail!("the merchant is not there after it was made")
    };
    let ctx = context(app, tenant);
    let cashier = format!("cashier@{}.example", merchant.slug);
    create_staff(&app.control, &ctx, &cashier, "cashier", PASSWORD.to_owned().into()).await?;
    stock(app, &ctx, merchant).await
}

async fn stock(app: &App, ctx: &Ctx, merchant: &Merchant) -> Result<()> {
    let mut rejects = RejectWriter::new(sink())?;
    catalog::import_products(&app.catalog, ctx, merchant.products.as_bytes(), &mut rejects, |_| {}).await?;
    open_web_shop(app, ctx).await?;
    let mut levels = String::from("shop,sku,on_hand\n");
    for shop in merchant.shops.iter().chain(&[WEB_SHOP]) {
        for product in merchant.products.lines().skip(1) {
            let sku = product.split(',').next().unwrap_or_default();
            levels.push_str(&format!("{shop},{sku},{UNITS}\n"));
        }
    }
    inventory::import_stock(&app.db, ctx, levels.as_bytes(), &mut rejects, |_| {}).await?;
    if rejects.count() > 0 {
        bail!("{} rows of the demo data were not taken", rejects.count());
    }
    let tx = app.db.begin(ctx).await?;
    let shops = inventory::ensure_shops(&tx, merchant.shops).await?;
    let registers: Vec<_> = shops.into_iter().map(|(code, shop)| (shop, code, "R01".to_owned())).collect();
    sales::ensure_registers(&tx, &registers).await?;
    tx.commit().await?;
    Ok(())
}

/// The shop whose shelves the web channel sells from.
async fn open_web_shop(app: &App, ctx: &Ctx) -> Result<()> {
    let tx = app.db.begin(ctx).await?;
    let shop = CreateShop {
        code: Some(WEB_SHOP.to_owned()),
        name: "Web shop".to_owned(),
        kind: ShopKind::Web,
        address: String::new(),
    };
    match inventory::create_shop(&tx, shop).await {
        Ok(_) => Ok(tx.commit().await?),
        Err(CreateShopError::CodeTaken(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn welcome(origin: &str) -> String {
    let mut lines = vec!["  demo       merchants and sign-ins (password of all: markethall-demo)".to_owned()];
    for merchant in &MERCHANTS {
        lines.push(format!(
            "             {:<8} {:<10?} admin@{}.example, cashier@{}.example",
            merchant.slug, merchant.tier, merchant.slug, merchant.slug
        ));
    }
    lines.push("  try        from search to paid order, as a guest of the bakery".to_owned());
    lines.extend(WALK.replace("ORIGIN", origin).lines().map(|line| format!("             {line}")));
    lines.join("\n")
}
