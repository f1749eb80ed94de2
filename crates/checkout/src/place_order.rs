//! Use case: take an order that is not paid yet: by staff for a customer, by a program.

use std::collections::HashMap;

use axum::extract::State;
use catalog::TaxTable;
use customers::{Address, Buyer};
use db::TenantTx;
use edge::{Idempotency, Json, Problem, Reply, Tenanted, idempotency::run_once};
use garde::Validate;
use inventory::ShopId;
use orders::{NewOrder, Order, OrderId, OrderStatus, OrderSums, StoredLine};
use sales::{NewLine, PricedSale, SaleId, price_lines};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{checkouts::Checkouts, problems::CART_NOT_FOUND};

/// An order to be taken; it is priced from the catalog and paid later.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct OrderInput {
    /// For whom: `me`, `cus_..` or `gst_..`.
    #[garde(length(chars, min = 2, max = 30))]
    #[schema(min_length = 2, max_length = 30)]
    pub customer: String,
    /// What: 1 to 500 lines, at the catalog's prices.
    #[garde(length(min = 1, max = 500), dive)]
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<OrderLineInput>,
    /// The shop that sells; the web shop when left out.
    #[serde(default)]
    pub shop_id: Option<ShopId>,
    /// Where the goods go.
    #[garde(dive)]
    #[serde(default)]
    pub ship_to: Option<Address>,
    /// A remark.
    #[garde(length(chars, max = 1000))]
    #[schema(max_length = 1000)]
    #[serde(default)]
    pub note: String,
}

/// Units of a SKU that are ordered.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct OrderLineInput {
    /// The product.
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    pub sku: String,
    /// Above zero, up to three decimals, at most 1,000,000.
    #[garde(custom(orderable))]
    #[schema(schema_with = kernel::Quantity::line_schema)]
    pub quantity: kernel::Quantity,
}

fn orderable(quantity: &kernel::Quantity, (): &()) -> garde::Result {
    match quantity.fits_a_line() {
        true => Ok(()),
        false => Err(garde::Error::new("must be above 0 and at most 1000000")),
    }
}

/// Takes an order: it is created, priced and numbered; nothing is held and nothing is charged.
pub(crate) async fn create_order(
    State(state): State<Checkouts>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(input): Json<OrderInput>,
) -> Result<Reply, Problem> {
    let owner = Buyer::named(&ctx, &input.customer).map_err(|_| Problem::new(CART_NOT_FOUND))?;
    let register = state.register(&ctx, input.shop_id).await?;
    let taxes = state.0.catalog.tax_table(&ctx).await?;
    run_once(&state.0.db, &ctx, &key, async move |tx| {
        if let Buyer::Customer(id) = owner
            && !customers::exists(tx, id).await?
        {
            return Err(Problem::new(CART_NOT_FOUND));
        }
        let order = place(tx, &taxes, owner, register.shop_id, &input).await?;
        let location = format!("{}/orders/{}", edge::API_PREFIX, order.id);
        Ok(Reply::created(location, &order).etag(&order.version.to_string()))
    })
    .await
}

async fn place(
    tx: &TenantTx,
    taxes: &TaxTable,
    owner: Buyer,
    shop: ShopId,
    input: &OrderInput,
) -> Result<Order, Problem> {
    let ctx = tx.ctx();
    let skus: Vec<&str> = input.lines.iter().map(|line| line.sku.as_str()).collect();
    let products = catalog::decode_sellable(&tx.run(catalog::sellable_stmt(ctx, &skus)).await?)?;
    let by_sku: HashMap<&str, _> = products.iter().map(|product| (product.sku.as_str(), product)).collect();
    let line = |line: &OrderLineInput| NewLine {
        sku: line.sku.clone(),
        quantity: line.quantity,
        unit_price: None,
        discount: None,
    };
    let lines: Vec<NewLine> = input.lines.iter().map(line).collect();
    let plan = price_lines(&ctx.tenant, &lines, &by_sku, taxes, ctx.now())?;
    let order = NewOrder {
        id: OrderId::new(),
        status: OrderStatus::Created,
        channel: "api",
        owner,
        shop,
        checkout: None,
        payment: None,
        sale: SaleId::new().0,
        sums: sums(&plan),
        lines: stored_lines(&plan),
        ship_to: input.ship_to.clone(),
        note: input.note.clone(),
    };
    tx.run(orders::insert_orders_stmt(ctx, std::slice::from_ref(&order))).await?;
    messages::publish(tx, &orders::events::placed(ctx, &order)).await?;
    let found = orders::find_order(tx, order.id).await?;
    found.ok_or_else(|| Problem::internal("an order was not written"))
}

/// What a priced sale comes to, as an order says it.
pub(crate) fn sums(plan: &PricedSale) -> OrderSums {
    let totals = plan.totals;
    OrderSums { net: totals.net, vat: totals.vat, gross: totals.gross, discount: plan.discount }
}

/// The lines of a priced sale, as an order keeps them.
pub(crate) fn stored_lines(plan: &PricedSale) -> Vec<StoredLine> {
    let line = |line: &sales::BookedLine| StoredLine {
        sku: line.sku.clone(),
        name: line.name.clone(),
        category: line.category.clone(),
        units: line.quantity.thousandths(),
        unit_price: line.unit_price,
        discount: line.discount,
        net: line.amounts.net,
        vat: line.amounts.vat,
        gross: line.amounts.gross,
        rate: line.rate.0,
    };
    plan.lines.iter().map(line).collect()
}
