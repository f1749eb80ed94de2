//! A cart as its buyer sees it: what it comes to, and what has changed since things were put in.

use catalog::TaxTable;
use db::{DbError, Row, TenantTx};
use kernel::{Ctx, Money, MoneyError, Quantity, Rate, Timestamp, vat};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    change_cart::Products,
    model::{Cart, CheckoutId, Line},
};

/// What has become of a line since it was put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// It costs something else now; `currentPrice` says what.
    PriceChanged,
    /// It is not sold any more.
    Unavailable,
}

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CartLine {
    /// The product's SKU.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// How many.
    #[schema(value_type = String)]
    pub quantity: Quantity,
    /// The price of one when it was put in.
    pub unit_price: Money,
    /// What the line comes to at that price, with VAT.
    pub gross: Money,
    /// What has changed since.
    pub notice: Option<Notice>,
    /// The price of one today, where it changed.
    pub current_price: Option<Money>,
}

/// What a cart comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CartTotals {
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
    /// With VAT.
    pub gross: Money,
}

/// A cart as shown. Prices are those of when things were put in: a checkout asks for them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CartView {
    /// Whose.
    pub customer: String,
    /// What.
    pub lines: Vec<CartLine>,
    /// What it comes to.
    pub totals: CartTotals,
    /// Whether any line has a notice.
    pub has_notices: bool,
    /// The checkout that is under way with it.
    pub checkout_id: Option<CheckoutId>,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 0)]
    pub version: i32,
    /// When it was last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
    /// When it is gone unless it is changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Shows a cart beside today's catalog.
///
/// # Errors
/// [`DbError`].
pub async fn show_cart(tx: &TenantTx, taxes: &TaxTable, cart: &Cart) -> Result<CartView, DbError> {
    let skus: Vec<&str> = cart.lines.iter().map(|line| line.sku.as_str()).collect();
    let products = by_sku(&tx.run(catalog::sellable_stmt(tx.ctx(), &skus)).await?)?;
    view(tx.ctx(), taxes, &products, cart).map_err(|error| DbError::Other(error.to_string()))
}

/// Reads the rows of [`catalog::sellable_stmt`].
pub(crate) fn by_sku(rows: &[Row]) -> Result<Products, DbError> {
    let found = catalog::decode_sellable(rows)?;
    Ok(found.into_iter().map(|product| (product.sku.clone(), product)).collect())
}

/// A cart beside what is known of its products; one that is not known is not sold.
pub(crate) fn view(
    ctx: &Ctx,
    taxes: &TaxTable,
    products: &Products,
    cart: &Cart,
) -> Result<CartView, MoneyError> {
    let money = |amount| Money::new(amount, ctx.tenant.currency);
    let priced: Vec<vat::PricedLine> =
        cart.lines.iter().map(|line| priced(ctx, taxes, products, line)).collect();
    let settings = &ctx.tenant.settings;
    let policy =
        vat::Policy { prices_include_vat: settings.prices_include_vat, rounding: settings.vat_rounding };
    let computed = vat::compute(policy, &priced)?;
    let shown = |(line, amounts): (&Line, &vat::Amounts)| {
        let product = products.get(&line.sku).filter(|product| product.active);
        let (notice, current) = match product {
            None => (Some(Notice::Unavailable), None),
            Some(product) if product.price != line.unit_price => {
                (Some(Notice::PriceChanged), Some(money(product.price)))
            }
            Some(_) => (None, None),
        };
        CartLine {
            quantity: line.quantity(),
            unit_price: money(line.unit_price),
            gross: money(amounts.gross),
            notice,
            current_price: current,
            sku: line.sku.clone(),
            name: line.name.clone(),
        }
    };
    let lines: Vec<CartLine> = cart.lines.iter().zip(&computed.lines).map(shown).collect();
    let totals = computed.totals;
    Ok(CartView {
        customer: cart.owner.to_string(),
        has_notices: lines.iter().any(|line| line.notice.is_some()),
        lines,
        totals: CartTotals { net: money(totals.net), vat: money(totals.vat), gross: money(totals.gross) },
        checkout_id: cart.checkout,
        version: cart.version,
        updated_at: cart.times.map(|times| times.updated_at),
        expires_at: cart.times.map(|times| times.expires_at),
    })
}

/// A line at its own price; a tax category without a rate of today counts as untaxed until the checkout refuses it.
fn priced(ctx: &Ctx, taxes: &TaxTable, products: &Products, line: &Line) -> vat::PricedLine {
    let category = products.get(&line.sku).map(|product| product.tax_category.as_str());
    let rate = category.and_then(|category| taxes.rate_at(category, ctx.now())).unwrap_or(Rate(0));
    vat::PricedLine { unit_price: line.unit_price, quantity: line.quantity(), discount: 0, rate }
}
