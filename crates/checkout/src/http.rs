//! The routes of checkouts: begin one, look at one.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use cart::CheckoutId;
use customers::{Address, Buyer};
use db::DbError;
use edge::{
    FieldError, Idempotency, IdempotencyKey, Json, Op, Path, Problem, Reply, Routes, Tenanted,
    idempotency::Claim,
};
use garde::Validate;
use http::HeaderMap;
use inventory::ShopId;
use kernel::{Ctx, Money, Quantity, Timestamp};
use orders::OrderId;
use payments::PaymentId;
use sales::{Register, SaleId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    begin::{BeginError, BeginRequest},
    checkouts::Checkouts,
    flags::WEB_CHECKOUT,
    model::{Checkout, CheckoutState, Failure, StepRecord},
    place_order::create_order,
    problems::*,
    store::find_checkout,
    stuck::{Repaired, StuckMoney, list_stuck},
};

/// The longest that a client can have its answer wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How a cart is to be paid.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentInput {
    /// Who takes the money: `test`, or a provider of the merchant's.
    #[garde(length(chars, min = 1, max = 32))]
    #[schema(min_length = 1, max_length = 32)]
    pub provider: String,
    /// By what means, in the provider's words; never card data.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub method: String,
}

/// What is to be bought, and how.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct CheckoutInput {
    /// Whose cart: `me`, or the id of a customer or guest.
    #[garde(length(chars, min = 2, max = 30))]
    #[schema(min_length = 2, max_length = 30)]
    pub cart: String,
    /// How it is paid.
    #[garde(dive)]
    pub payment: PaymentInput,
    /// Where the goods go.
    #[garde(dive)]
    #[serde(default)]
    pub ship_to: Option<Address>,
    /// The shop that sells; the web shop when left out.
    #[serde(default)]
    pub shop_id: Option<ShopId>,
    /// A remark for the order.
    #[garde(length(chars, max = 1000))]
    #[schema(max_length = 1000)]
    #[serde(default)]
    pub note: String,
    /// The total that the shopper was shown; refused with the computed one when it differs.
    #[serde(default)]
    pub total: Option<Money>,
}

/// A checkout as shown.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutView {
    /// Identity.
    pub id: CheckoutId,
    /// Where it stands.
    pub state: CheckoutState,
    /// The order, once there is one.
    pub order_id: Option<OrderId>,
    /// The payment; none where nothing was due.
    pub payment_id: Option<PaymentId>,
    /// The sale in the books, once there is one.
    pub sale_id: Option<SaleId>,
    /// How much.
    pub total: Money,
    /// What the payer has to do for it to go on.
    #[schema(value_type = Option<Object>)]
    pub action: Option<Value>,
    /// Its history, oldest first.
    pub steps: Vec<StepRecord>,
    /// Why it came to nothing.
    pub failure: Option<Failure>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<Checkout> for CheckoutView {
    fn from(checkout: Checkout) -> Self {
        let completed = checkout.state == CheckoutState::Completed;
        Self {
            id: checkout.id,
            state: checkout.state,
            order_id: completed.then_some(checkout.order),
            payment_id: checkout.payment,
            sale_id: completed.then_some(checkout.sale),
            total: checkout.total,
            action: checkout.action,
            steps: checkout.steps,
            failure: checkout.failure,
            created_at: checkout.created_at,
            updated_at: checkout.updated_at,
        }
    }
}

const BEGINNING: &[kernel::Code] = &[
    CART_NOT_FOUND,
    CART_EMPTY,
    CART_IN_CHECKOUT,
    PRICE_CHANGED,
    PRODUCT_INACTIVE,
    UNKNOWN_SKU,
    TAX_RATE_MISSING,
    TOTAL_MISMATCH,
    CURRENCY_MISMATCH,
    AMOUNT_OUT_OF_RANGE,
    OUT_OF_STOCK,
    NO_SHOP,
    UNKNOWN_SHOP,
    PAYMENT_METHOD_UNKNOWN,
    edge::codes::FEATURE_OFF,
    edge::codes::OVERLOADED,
];

const ORDERING: &[kernel::Code] = &[
    CART_NOT_FOUND,
    UNKNOWN_SKU,
    PRODUCT_INACTIVE,
    TAX_RATE_MISSING,
    AMOUNT_OUT_OF_RANGE,
    NO_SHOP,
    UNKNOWN_SHOP,
];

/// Every route of this domain.
pub fn routes(state: Checkouts) -> Routes<()> {
    Routes::<Checkouts>::new("Checkout")
        .add(
            Op::post("/checkout", "create_checkout", "Turn a cart into a paid order")
                .description(
                    "Validates the cart, holds the units, takes the money, makes the order and its sale, clears the cart. \
                     With `Prefer: wait=N` (seconds, at most 60) the answer is 201 with the finished checkout, whether it \
                     completed or failed; where it takes longer, or the payer has to do something, 202.",
                )
                .owned(CHECKOUT_WRITE, CHECKOUT_OWN)
                .idempotency(IdempotencyKey::Optional)
                .timeout(LONGEST_WAIT + Duration::from_secs(10))
                .returns::<CheckoutView>(201)
                .returns::<CheckoutView>(202)
                .problems(BEGINNING),
            create,
        )
        .add(
            Op::get("/checkout/{id}", "get_checkout", "A checkout with its history")
                .owned(CHECKOUT_WRITE, CHECKOUT_OWN)
                .returns::<CheckoutView>(200)
                .problems(&[CHECKOUT_NOT_FOUND]),
            get,
        )
        .add(
            Op::post("/orders", "create_order", "Take an order that is paid later")
                .description("Priced from the catalog. Nothing is held and nothing is charged; `PUT .../status` marks it as paid.")
                .permission(orders::problems::ORDERS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<orders::Order>(201)
                .etag()
                .problems(ORDERING),
            create_order,
        )
        .add(
            Op::get("/payments/stuck", "list_stuck_money", "Money that is stuck, with what a repair would do")
                .permission(PAYMENTS_REPAIR)
                .returns::<StuckList>(200),
            stuck,
        )
        .add(
            Op::post("/payments/stuck/{payment}/repair", "repair_stuck_money", "Repair what is stuck about a payment")
                .description(
                    "Asks the provider, goes on with a checkout that was paid, gives back what was paid for nothing. \
                     Never charges and never refunds what somebody has bought; may be repeated.",
                )
                .permission(PAYMENTS_REPAIR)
                .timeout(LONGEST_WAIT)
                .returns::<Repaired>(200)
                .problems(&[payments::problems::PAYMENT_NOT_FOUND]),
            repair,
        )
        .with_state(state)
}

/// Money that is stuck.
#[derive(Debug, Serialize, ToSchema)]
struct StuckList {
    /// At most 200 of each kind.
    #[schema(max_items = 600)]
    items: Vec<StuckMoney>,
}

async fn stuck(State(state): State<Checkouts>, Tenanted(ctx): Tenanted) -> Result<Reply, Problem> {
    let tx = state.0.db.begin_report(&ctx).await?;
    let items = list_stuck(&tx).await?;
    tx.commit().await?;
    Ok(Reply::ok(&StuckList { items }))
}

async fn repair(
    State(state): State<Checkouts>,
    Tenanted(ctx): Tenanted,
    Path(payment): Path<PaymentId>,
) -> Result<Reply, Problem> {
    let repaired = state.repair(&ctx, payment).await?;
    let repaired = repaired.ok_or_else(|| Problem::new(payments::problems::PAYMENT_NOT_FOUND))?;
    Ok(Reply::ok(&repaired))
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Replay => Self::internal("a replay was not answered"),
            BeginError::SwitchedOff => Self::feature_off(WEB_CHECKOUT),
            BeginError::CartEmpty => Self::new(CART_EMPTY),
            BeginError::InCheckout(other) => {
                Self::new(CART_IN_CHECKOUT).extension("checkoutId", json!(other))
            }
            BeginError::PriceChanged(changes) => {
                Self::new(PRICE_CHANGED).extension("changes", json!(changes))
            }
            BeginError::Sale(error) => error.into(),
            BeginError::OutOfStock(short) => {
                short.into_iter().fold(Self::new(OUT_OF_STOCK), |problem, short| {
                    let left = Quantity::from_thousandths(short.left.max(0)).unwrap_or_default();
                    let detail = format!("{left} of {} left", short.sku);
                    problem.pointer(format!("/lines/{}", short.line), OUT_OF_STOCK, detail)
                })
            }
            BeginError::Db(error) => error.into(),
        }
    }
}

async fn create(
    State(state): State<Checkouts>,
    Tenanted(ctx): Tenanted,
    headers: HeaderMap,
    key: Idempotency,
    Json(input): Json<CheckoutInput>,
) -> Result<Reply, Problem> {
    let wait = wanted_wait(&headers)?;
    let owner = Buyer::named(&ctx, &input.cart).ok().filter(|buyer| buyer.is_open_to(&ctx));
    let owner = owner.ok_or_else(|| Problem::new(CART_NOT_FOUND))?;
    state.check_method(&input.payment)?;
    let room = state.0.room.clone().try_acquire_owned();
    let room = room.map_err(|_| Problem::new(edge::codes::OVERLOADED).retry_after(1))?;
    let claim = claim(&key);
    let request = state.request(&ctx, input, owner, claim).await?;
    let begun = match state.begin(&ctx, request).await {
        Ok(begun) => begun,
        Err(BeginError::Replay) => return state.replay(&ctx, &claim).await,
        Err(error) => return Err(error.into()),
    };
    let running = CheckoutView::from(begun.clone());
    let going = state.go_on(ctx, begun, Some(room));
    match tokio::time::timeout(wait, going).await {
        Ok(Ok(Ok(checkout))) => Ok(reply(checkout.into())),
        _ => Ok(reply(running)),
    }
}

/// Without a key of the client's, one that nobody will send again.
fn claim(key: &Idempotency) -> Claim {
    let resource = CheckoutId::new().0;
    Claim::new(key, resource).unwrap_or_else(|_| Claim {
        key: Uuid::new_v4(),
        fingerprint: Uuid::nil(),
        resource,
    })
}

/// 201 for what has ended, 202 for what goes on.
fn reply(view: CheckoutView) -> Reply {
    let location = format!("{}/checkout/{}", edge::API_PREFIX, view.id);
    match view.state {
        CheckoutState::Running => Reply::accepted(location, &view),
        CheckoutState::Completed | CheckoutState::Failed => Reply::created(location, &view),
    }
}

impl Checkouts {
    fn check_method(&self, payment: &PaymentInput) -> Result<(), Problem> {
        let refused = |field: &str, detail: &'static str| {
            let pointer = format!("/payment/{field}");
            Err(Problem::new(PAYMENT_METHOD_UNKNOWN).pointer(pointer, PAYMENT_METHOD_UNKNOWN, detail))
        };
        match self.0.payments.provider(&payment.provider) {
            None => refused("provider", "there is no such provider"),
            Some(provider) if !provider.takes(&payment.method) => {
                refused("method", "the provider takes no such method")
            }
            Some(_) => Ok(()),
        }
    }

    async fn request(
        &self,
        ctx: &Ctx,
        input: CheckoutInput,
        owner: Buyer,
        claim: Claim,
    ) -> Result<BeginRequest, Problem> {
        Ok(BeginRequest {
            claim,
            owner,
            register: self.register(ctx, input.shop_id).await?,
            taxes: self.0.catalog.tax_table(ctx).await?,
            provider: input.payment.provider,
            method: input.payment.method,
            ship_to: input.ship_to,
            note: input.note,
            total: input.total,
        })
    }

    /// The web register of the named shop, or of the shop that sells on the web.
    pub(crate) async fn register(&self, ctx: &Ctx, shop: Option<ShopId>) -> Result<Arc<Register>, Problem> {
        let shop = match shop.or_else(|| self.0.shops.get(&ctx.tenant_id())) {
            Some(shop) => shop,
            None => {
                let tx = self.0.db.begin_read(ctx).await?;
                let found = inventory::find_web_shop(&tx).await?;
                tx.commit().await?;
                let shop = found.ok_or_else(|| Problem::new(NO_SHOP))?;
                self.0.shops.insert(ctx.tenant_id(), shop);
                shop
            }
        };
        Ok(self.0.sales.web_register(ctx, shop).await?)
    }

    /// The checkout that an earlier request with the same key began, as it stands now.
    async fn replay(&self, ctx: &Ctx, claim: &Claim) -> Result<Reply, Problem> {
        let tx = self.0.db.begin_read(ctx).await?;
        let resource = edge::idempotency::find_claimed(&tx, claim).await?;
        let checkout = find_checkout(&tx, CheckoutId(resource)).await?;
        tx.commit().await?;
        let checkout = checkout.ok_or_else(|| Problem::internal("a key without its checkout"))?;
        Ok(reply(checkout.into()).replayed())
    }

    /// The checkout of that id, if the tenant has it.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn find(&self, ctx: &Ctx, id: CheckoutId) -> Result<Option<Checkout>, DbError> {
        let tx = self.0.db.begin_read(ctx).await?;
        let found = find_checkout(&tx, id).await?;
        tx.commit().await?;
        Ok(found)
    }
}

/// `Prefer: wait=N` (RFC 7240); other preferences are none of ours.
fn wanted_wait(headers: &HeaderMap) -> Result<Duration, Problem> {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let words = values.flat_map(|value| value.split([',', ';'])).map(str::trim);
    let Some(wait) = words.filter_map(|word| word.strip_prefix("wait=")).next() else {
        return Ok(Duration::ZERO);
    };
    let seconds: Option<u64> = wait.trim_matches('"').parse().ok();
    seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT)).ok_or_else(|| {
        let detail = "wait must be a number of seconds";
        Problem::invalid([FieldError::header("Prefer", edge::codes::INVALID_VALUE, detail)])
    })
}

async fn get(
    State(state): State<Checkouts>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<CheckoutId>,
) -> Result<Reply, Problem> {
    let found = state.find(&ctx, id).await?.filter(|checkout| checkout.owner.is_open_to(&ctx));
    let checkout = found.ok_or_else(|| Problem::new(CHECKOUT_NOT_FOUND))?;
    Ok(Reply::ok(&CheckoutView::from(checkout)))
}
