//! The routes of carts.

use axum::extract::State;
use cache::Redis;
use catalog::Catalog;
use customers::Buyer;
use db::{Combiner, CombinerLimits, Db};
use edge::{Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Path2, Problem, Reply, Routes, Tenanted};
use garde::Validate;
use kernel::{Ctx, Quantity};
use serde::Deserialize;
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use crate::{
    change_batch::{ChangeBatch, ChangeRequest},
    change_cart::{Change, ChangeCartError, Wanted},
    get_cart::get_cart,
    problems::*,
    read_counts::ReadCounts,
    shared_carts::SharedCarts,
    show_cart::CartView,
};

/// What the routes need. Cheap to clone.
#[derive(Clone)]
pub struct Carts {
    db: Db,
    catalog: Catalog,
    shared: SharedCarts,
    reads: ReadCounts,
    changes: Combiner<ChangeBatch>,
}

impl Carts {
    /// Routes over `db` and, where there is one, `redis`, which carts are read from; `combiner` says how changes are
    /// batched.
    #[must_use]
    pub fn new(db: Db, catalog: Catalog, redis: Option<Redis>, combiner: CombinerLimits) -> Self {
        let changes = Combiner::new(db.clone(), ChangeBatch, combiner);
        Self { db, catalog, shared: SharedCarts::new(redis), reads: ReadCounts::registered(), changes }
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn shared(&self) -> &SharedCarts {
        &self.shared
    }

    pub(crate) fn reads(&self) -> &ReadCounts {
        &self.reads
    }
}

/// Whose cart, as a path names it: `me` or an id; not yet known to be anybody.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct OwnerName(String);

impl PartialSchema for OwnerName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(me|(cus|gst|mem)_[0-7][0-9A-HJKMNP-TV-Z]{25})$"))
            .into()
    }
}

impl ToSchema for OwnerName {}

/// Units of a SKU for a cart.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct LineInput {
    /// The product.
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    pub sku: String,
    /// Above zero, up to three decimals, at most 1,000,000.
    #[schema(schema_with = Quantity::line_schema)]
    pub quantity: Quantity,
}

/// How many units of a SKU.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct QuantityInput {
    /// Above zero, up to three decimals, at most 1,000,000.
    #[schema(schema_with = Quantity::line_schema)]
    pub quantity: Quantity,
}

/// All that shall be in a cart.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CartInput {
    /// Up to 500 lines, each SKU once.
    #[garde(dive)]
    #[schema(max_items = 500)]
    pub lines: Vec<LineInput>,
}

const CHANGING: &[kernel::Code] = &[
    CART_NOT_FOUND,
    CART_IN_CHECKOUT,
    CART_TOO_LARGE,
    QUANTITY_NOT_POSITIVE,
    QUANTITY_TOO_LARGE,
    UNKNOWN_SKU,
    PRODUCT_INACTIVE,
];

/// Every route of this domain.
pub fn routes(state: Carts) -> Routes<()> {
    let change = |op: Op| {
        op.owned(CARTS_WRITE, CARTS_OWN)
            .idempotency(IdempotencyKey::Optional)
            .returns::<CartView>(200)
            .etag()
            .problems(CHANGING)
    };
    Routes::<Carts>::new("Carts")
        .add(
            Op::get("/carts/{customer}", "get_cart", "A cart, with what has changed since")
                .description("`me` is the caller's own. A cart that nobody filled is empty.")
                .owned(CARTS_READ, CARTS_OWN)
                .returns::<CartView>(200)
                .problems(&[CART_NOT_FOUND]),
            get,
        )
        .add(
            change(Op::put("/carts/{customer}", "put_cart", "Replace all that is in a cart"))
                .problems(&[SKU_REPEATED]),
            put,
        )
        .add(
            Op::delete("/carts/{customer}", "delete_cart", "Empty a cart")
                .owned(CARTS_WRITE, CARTS_OWN)
                .returns_nothing(204)
                .problems(&[CART_NOT_FOUND, CART_IN_CHECKOUT]),
            delete,
        )
        .add(
            change(Op::post("/carts/{customer}/lines", "add_cart_line", "Put units of a SKU into a cart"))
                .description("Adds to what is in it. The line takes the price of now."),
            add,
        )
        .add(
            change(Op::put("/carts/{customer}/lines/{sku}", "set_cart_line", "Set how many units"))
                .problems(&[LINE_NOT_FOUND]),
            set,
        )
        .add(
            change(Op::delete(
                "/carts/{customer}/lines/{sku}",
                "remove_cart_line",
                "Take a SKU out of a cart",
            ))
            .description("A SKU that is not in it is no error."),
            remove,
        )
        .add(
            change(Op::post("/carts/{customer}/accept", "accept_cart", "Take over what has changed"))
                .description("Lines take the prices of now; what is not sold any more is taken out."),
            accept,
        )
        .with_state(state)
}

impl From<ChangeCartError> for Problem {
    fn from(error: ChangeCartError) -> Self {
        let detail = error.to_string();
        let at = |code, line: usize, field: &str| {
            Self::new(code).pointer(format!("/lines/{line}/{field}"), code, detail.clone())
        };
        match error {
            ChangeCartError::UnknownSku { line, .. } => at(UNKNOWN_SKU, line, "sku"),
            ChangeCartError::Inactive { line, .. } => at(PRODUCT_INACTIVE, line, "sku"),
            ChangeCartError::NotPositive { line } => at(QUANTITY_NOT_POSITIVE, line, "quantity"),
            ChangeCartError::TooMuch { line } => at(QUANTITY_TOO_LARGE, line, "quantity"),
            ChangeCartError::Repeated { line } => at(SKU_REPEATED, line, "sku"),
            ChangeCartError::TooManyLines => Self::new(CART_TOO_LARGE).detail(detail),
            ChangeCartError::NoSuchLine => Self::new(LINE_NOT_FOUND),
            ChangeCartError::InCheckout(checkout) => {
                Self::new(CART_IN_CHECKOUT).extension("checkoutId", json!(checkout))
            }
        }
    }
}

/// The buyer that a path names, if the caller may reach their cart.
fn owner(ctx: &Ctx, name: &OwnerName) -> Result<Buyer, Problem> {
    let named = Buyer::named(ctx, &name.0).ok();
    named.filter(|buyer| buyer.is_open_to(ctx)).ok_or_else(|| Problem::new(CART_NOT_FOUND))
}

async fn get(
    State(state): State<Carts>,
    Tenanted(ctx): Tenanted,
    Path(customer): Path<OwnerName>,
) -> Result<Reply, Problem> {
    let owner = owner(&ctx, &customer)?;
    Ok(Reply::ok(&get_cart(&state, &ctx, owner).await?))
}

/// Changes a cart together with whoever changes one at the same time, and shows it.
async fn change(
    state: &Carts,
    ctx: Ctx,
    customer: &OwnerName,
    if_match: IfMatch,
    key: Idempotency,
    change: Change,
) -> Result<Reply, Problem> {
    let owner = owner(&ctx, customer)?;
    let taxes = state.catalog.tax_table(&ctx).await?;
    let request = ChangeRequest { owner, change, if_match, key, taxes };
    let (tenant, now) = (ctx.tenant_id(), ctx.now());
    let outcome = state.changes.submit(ctx, request).await?;
    if let Some(changed) = &outcome.changed {
        state.shared.tell(tenant, changed, now).await;
    }
    outcome.decision
}

fn wanted(line: &LineInput) -> Wanted {
    Wanted { sku: line.sku.clone(), quantity: line.quantity }
}

async fn put(
    State(state): State<Carts>,
    Tenanted(ctx): Tenanted,
    Path(customer): Path<OwnerName>,
    key: Idempotency,
    Json(input): Json<CartInput>,
) -> Result<Reply, Problem> {
    let all = Change::replace(input.lines.iter().map(wanted).collect())?;
    change(&state, ctx, &customer, IfMatch::any(), key, all).await
}

async fn delete(
    State(state): State<Carts>,
    Tenanted(ctx): Tenanted,
    Path(customer): Path<OwnerName>,
    if_match: IfMatch,
) -> Result<Reply, Problem> {
    change(&state, ctx, &customer, if_match, Idempotency::none(), Change::Clear).await
}

async fn add(
    State(state): State<Carts>,
    Tenanted(ctx): Tenanted,
    Path(customer): Path<OwnerName>,
    key: Idempotency,
    Json(input): Json<LineInput>,
) -> Result<Reply, Problem> {
    change(&state, ctx, &customer, IfMatch::any(), key, Change::Add(wanted(&input))).await
}

async fn set(
    State(state): State<Carts>,
    Tenanted(ctx): Tenanted,
    Path2(customer, sku): Path2<OwnerName, String>,
    key: Idempotency,
    Json(input): Json<QuantityInput>,
) -> Result<Reply, Problem> {
    let wanted = Wanted { sku, quantity: input.quantity };
    change(&state, ctx, &customer, IfMatch::any(), key, Change::Set(wanted)).await
}

async fn remove(
    State(state): State<Carts>,
    Tenanted(ctx): Tenanted,
    Path2(customer, sku): Path2<OwnerName, String>,
    key: Idempotency,
) -> Result<Reply, Problem> {
    change(&state, ctx, &customer, IfMatch::any(), key, Change::Remove(sku)).await
}

async fn accept(
    State(state): State<Carts>,
    Tenanted(ctx): Tenanted,
    Path(customer): Path<OwnerName>,
    key: Idempotency,
) -> Result<Reply, Problem> {
    change(&state, ctx, &customer, IfMatch::any(), key, Change::Accept).await
}
