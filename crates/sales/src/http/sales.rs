//! `/sales`: sell, look, void, refund.

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::Claim,
    page::{Cursor, Limit, Page, PageQuery},
};
use garde::Validate;
use http::StatusCode;
use kernel::{Ctx, Timestamp};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Sales;
use crate::{
    create_sale::{SaleRequest, submission_error},
    error::SaleError,
    explain::explain_vat,
    find_sales::{SaleFilter, find_sale, find_sale_as_booked, list_sales},
    model::{Channel, NewSale, RegisterId, Sale, SaleId},
    problems::*,
    refund_sale::{RefundSale, refund_sale},
    void_sale::{VoidSale, void_sale},
};

pub(super) fn routes() -> Routes<Sales> {
    use IdempotencyKey::Required;
    Routes::new("Sales")
        .add(
            Op::post("/sales", "create_sale", "Sell: one transaction for everything a sale touches")
                .permission(SALES_WRITE)
                .idempotency(Required)
                .returns::<Sale>(201)
                .problems(SELLING),
            create_sale,
        )
        .add(
            Op::get("/sales", "list_sales", "Sales, latest first")
                .permission(SALES_READ)
                .returns::<Page<Sale>>(200),
            list,
        )
        .add(
            Op::get("/sales/{id}", "get_sale", "One sale, with what became of it")
                .permission(SALES_READ)
                .returns::<Sale>(200)
                .etag()
                .problems(&[SALE_NOT_FOUND]),
            get_sale,
        )
        .add(
            Op::post("/sales/{id}/void", "void_sale", "Void a sale before its shift closes")
                .permission(SALES_VOID)
                .idempotency(Required)
                .returns::<Sale>(201)
                .problems(&[
                    SALE_NOT_FOUND,
                    NOT_A_SALE,
                    ALREADY_VOIDED,
                    ALREADY_REFUNDED,
                    SHIFT_CLOSED,
                    VOID_TOO_LATE,
                    inventory::problems::STOCK_OUT_OF_RANGE,
                ]),
            void,
        )
        .add(
            Op::post("/sales/{id}/refund", "refund_sale", "Refund lines of a sale, in part or whole")
                .permission(SALES_REFUND)
                .idempotency(Required)
                .returns::<Sale>(201)
                .problems(REFUNDING),
            refund,
        )
}

const SELLING: &[kernel::Code] = &[
    FEATURE_OFF,
    SHOP_REQUIRED,
    UNKNOWN_SHOP,
    UNKNOWN_REGISTER,
    REGISTER_IN_OTHER_SHOP,
    UNKNOWN_CUSTOMER,
    UNKNOWN_SKU,
    PRODUCT_INACTIVE,
    TAX_RATE_MISSING,
    OUT_OF_STOCK,
    TOTAL_MISMATCH,
    TENDER_SHORT,
    TENDER_OVERPAID,
    CURRENCY_MISMATCH,
    DISCOUNT_TOO_LARGE,
    AMOUNT_OUT_OF_RANGE,
    OCCURRED_IN_FUTURE,
    inventory::problems::STOCK_OUT_OF_RANGE,
    edge::codes::PERMISSION_DENIED,
];

const REFUNDING: &[kernel::Code] = &[
    SALE_NOT_FOUND,
    NOT_A_SALE,
    ALREADY_VOIDED,
    REFUND_EXCEEDS_SALE,
    REFUND_TENDER_EXCEEDED,
    UNKNOWN_LINE,
    inventory::problems::STOCK_OUT_OF_RANGE,
    UNKNOWN_REGISTER,
    TENDER_SHORT,
    CURRENCY_MISMATCH,
];

async fn create_sale(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(sale): Json<NewSale>,
) -> Result<Reply, Problem> {
    allowed(&ctx, &sale)?;
    let inner = &sales.0;
    let register = inner.registers.resolve(&ctx, sale.register_id, sale.shop_id).await?;
    let taxes = inner.catalog.tax_table(&ctx).await?;
    let channel = if sale.register_id.is_some() { Channel::Till } else { Channel::Api };
    let claim = Claim::new(&key, SaleId::new().0)?;
    let request = SaleRequest { sale, channel, register, taxes, claim };
    match inner.combiner.submit(ctx.clone(), request).await {
        Ok(Ok(sale)) => {
            inner.counts.sales.add(ctx.tenant.tier);
            Ok(booked(&sale))
        }
        Ok(Err(SaleError::Replay { .. })) => replay(&sales, &ctx, &claim).await,
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(submission_error(error).into()),
    }
}

/// Another price or a discount is a permission of its own.
fn allowed(ctx: &Ctx, sale: &NewSale) -> Result<(), Problem> {
    let may = |permission| ctx.caller.permissions.allows(permission);
    for (index, line) in sale.lines.iter().enumerate() {
        let missing = match line {
            line if line.unit_price.is_some() && !may(SALES_PRICE) => Some(("unitPrice", SALES_PRICE)),
            line if line.discount.is_some() && !may(SALES_DISCOUNT) => Some(("discount", SALES_DISCOUNT)),
            _ => None,
        };
        if let Some((field, permission)) = missing {
            let detail = format!("needs the permission {permission}");
            let code = edge::codes::PERMISSION_DENIED;
            return Err(Problem::new(code).pointer(format!("/lines/{index}/{field}"), code, detail));
        }
    }
    Ok(())
}

fn booked(sale: &Sale) -> Reply {
    Reply::created(format!("/api/v1/sales/{}", sale.id), sale)
}

/// The answer that the first request with this key was given.
async fn replay(sales: &Sales, ctx: &Ctx, claim: &Claim) -> Result<Reply, Problem> {
    let tx = sales.0.db.begin_read(ctx).await?;
    let resource = edge::idempotency::find_claimed(&tx, claim).await?;
    let sale = find_sale_as_booked(&tx, SaleId(resource)).await?;
    tx.commit().await?;
    let sale = sale.ok_or_else(|| Problem::internal("a key without its sale"))?;
    Ok(booked(&sale).replayed())
}

/// How a sale is shown.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[garde(allow_unvalidated)]
struct ShowSale {
    /// `vat`: with how each amount came about.
    #[param(inline)]
    explain: Option<Explain>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Explain {
    Vat,
}

async fn get_sale(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<SaleId>,
    Query(show): Query<ShowSale>,
) -> Result<Reply, Problem> {
    if show.explain.is_none()
        && let Some(known) = sales.0.cache.find(ctx.tenant_id(), id.0)
    {
        return Ok(Reply::bytes(StatusCode::OK, known.body, Some(&known.etag)));
    }
    let epoch = sales.0.cache.epoch(ctx.tenant_id(), id.0);
    let tx = sales.0.db.begin_report(&ctx).await?;
    let found = find_sale(&tx, id).await?;
    let mut sale = found.ok_or_else(|| Problem::new(SALE_NOT_FOUND))?;
    if show.explain.is_some() {
        let (policy, _) = crate::find_sales::find_policy(&tx, id).await?;
        sale.explanation = Some(explain_vat(&sale, policy));
        tx.commit().await?;
        return Ok(Reply::ok(&sale).etag(&format!("{}-vat", crate::cache::etag(&sale))));
    }
    tx.commit().await?;
    let (place, etag) = ((ctx.tenant_id(), id.0), crate::cache::etag(&sale));
    let kept = sales.0.cache.keep(place, &sale, &etag, (), epoch).map_err(Problem::internal)?;
    Ok(Reply::bytes(StatusCode::OK, kept.body, Some(&kept.etag)))
}

/// Which sales are listed; all conditions hold together.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[garde(allow_unvalidated)]
struct ListSales {
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// Occurred at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Occurred before.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// In this shop.
    #[param(inline)]
    shop: Option<inventory::ShopId>,
    /// On this register.
    #[param(inline)]
    register: Option<RegisterId>,
    /// By this cashier: the subject of the token that sold.
    #[garde(inner(length(min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    cashier: Option<String>,
    /// By this customer.
    #[param(inline)]
    customer: Option<customers::CustomerId>,
    /// From this channel.
    #[param(inline)]
    channel: Option<Channel>,
    /// With this receipt number, `S01-R02-000123`.
    #[garde(inner(pattern(r"^[A-Z0-9]{1,12}-[A-Z0-9]{1,8}-[0-9]{6,18}$")))]
    #[param(pattern = "^[A-Z0-9]{1,12}-[A-Z0-9]{1,8}-[0-9]{6,18}$")]
    receipt_number: Option<String>,
}

async fn list(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<ListSales>,
) -> Result<Reply, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let receipt = query.receipt_number.as_deref().and_then(|number| number.rsplit_once('-'));
    let filter = SaleFilter {
        from: query.from,
        to: query.to,
        shop: query.shop,
        register: query.register,
        cashier: query.cashier,
        customer: query.customer,
        channel: query.channel,
        receipt: receipt.and_then(|(head, seq)| Some((format!("{head}-"), seq.parse().ok()?))),
    };
    let tx = sales.0.db.begin_report(&ctx).await?;
    let found = list_sales(&tx, &filter, &page).await?;
    tx.commit().await?;
    Ok(Reply::ok(&found))
}

async fn void(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<SaleId>,
    key: Idempotency,
    Json(input): Json<VoidSale>,
) -> Result<Reply, Problem> {
    let run = edge::idempotency::run_once(&sales.0.db, &ctx, &key, async move |tx| {
        let sale = void_sale(tx, id, &input).await?;
        Ok(booked(&sale))
    });
    let reply = run.await?;
    if !reply.is_replayed() {
        sales.0.counts.voids.add(ctx.tenant.tier);
    }
    sales.0.cache.forget(ctx.tenant_id(), id.0);
    Ok(reply)
}

async fn refund(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<SaleId>,
    key: Idempotency,
    Json(input): Json<RefundSale>,
) -> Result<Reply, Problem> {
    let register = match input.register_id {
        Some(register) => Some(sales.0.registers.resolve(&ctx, Some(register), None).await?),
        None => None,
    };
    let run = edge::idempotency::run_once(&sales.0.db, &ctx, &key, async move |tx| {
        let sale = refund_sale(tx, id, &input, register.as_deref()).await?;
        Ok(booked(&sale))
    });
    let reply = run.await?;
    if !reply.is_replayed() {
        sales.0.counts.refunds.add(ctx.tenant.tier);
    }
    sales.0.cache.forget(ctx.tenant_id(), id.0);
    Ok(reply)
}
