//! What a checkout is: its state, its steps, and everything that was decided when it began.

use cart::CheckoutId;
use customers::{Address, Buyer};
use db::{DbError, Row};
use inventory::{ReservationId, ShopId};
use kernel::{Ctx, Money, Timestamp};
use orders::OrderId;
use payments::PaymentId;
use sales::{PricedSale, SaleId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;

/// Where a checkout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutState {
    /// Under way.
    Running,
    /// There is a paid order.
    Completed,
    /// There is none, nothing is held, and what was paid goes back.
    Failed,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Take the money.
    Charge,
    /// Wait for the payer.
    Confirm,
    /// The money is there: make the order.
    Order,
    /// Nothing.
    Done,
}

impl Phase {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Confirm => "confirm",
            Self::Order => "order",
            Self::Done => "done",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Charge, Self::Confirm, Self::Order, Self::Done]
            .into_iter()
            .find(|phase| phase.as_str() == text)
    }
}

/// A step of the workflow, or what undoes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The cart is what the shopper saw.
    ValidateCart,
    /// The units are held.
    ReserveStock,
    /// The money is taken.
    Charge,
    /// The order stands, its sale is in the books.
    CreateOrder,
    /// What was bought is out of the cart.
    ClearCart,
    /// The units leave the shelf.
    ConfirmStock,
    /// The units are given back.
    ReleaseStock,
    /// The money goes back.
    Refund,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It is being done.
    Running,
    /// It is done.
    Done,
    /// It could not be done.
    Failed,
}

/// One entry of a checkout's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    /// Which step.
    pub name: Step,
    /// How it went.
    pub state: StepState,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl StepRecord {
    pub(crate) fn done(name: Step, started_at: Timestamp, at: Timestamp) -> Self {
        Self { name, state: StepState::Done, started_at, finished_at: Some(at), detail: None }
    }

    pub(crate) fn running(name: Step, at: Timestamp) -> Self {
        Self { name, state: StepState::Running, started_at: at, finished_at: None, detail: None }
    }
}

/// Why a checkout came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// A stable code: `PAYMENT_DECLINED`, `PAYMENT_TIMEOUT`, `PAYMENT_ABANDONED`, `OUT_OF_STOCK`, `ORDER_FAILED`.
    pub code: String,
    /// What happened.
    pub detail: String,
}

impl Failure {
    pub(crate) fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into() }
    }
}

/// A checkout as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkout {
    /// Identity.
    pub id: CheckoutId,
    /// Whose: who gets the order.
    pub owner: Buyer,
    /// Whose cart it is.
    pub cart: Buyer,
    /// Where it stands.
    pub state: CheckoutState,
    /// What is to be done next.
    pub phase: Phase,
    /// The shop that sells.
    pub shop: ShopId,
    /// The units held for it.
    pub reservation: ReservationId,
    /// Its payment; none where nothing is due.
    pub payment: Option<PaymentId>,
    /// The order that it makes.
    pub order: OrderId,
    /// The sale that it books.
    pub sale: SaleId,
    /// Who takes the money.
    pub provider: String,
    /// By what means.
    pub method: String,
    /// How much.
    pub total: Money,
    /// The priced lines.
    pub plan: PricedSale,
    /// Where to.
    pub ship_to: Option<Address>,
    /// A remark for the order.
    pub note: String,
    /// Why it came to nothing.
    pub failure: Option<Failure>,
    /// What the payer has to do.
    pub action: Option<Value>,
    /// Its history.
    pub steps: Vec<StepRecord>,
    /// How often somebody began to work on it.
    pub attempts: i32,
    /// From then on it is given up.
    pub deadline_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Checkout {
    /// Ends the running step, if there is one of that name, and says how.
    pub(crate) fn end_step(&mut self, name: Step, state: StepState, at: Timestamp, detail: Option<String>) {
        let running = |step: &&mut StepRecord| step.name == name && step.state == StepState::Running;
        match self.steps.iter_mut().rev().find(running) {
            Some(step) => (step.state, step.finished_at, step.detail) = (state, Some(at), detail),
            None => {
                self.steps.push(StepRecord { name, state, started_at: at, finished_at: Some(at), detail });
            }
        }
    }

    /// Reads a row with the columns of `find_checkout.sql`.
    pub(crate) fn decode(row: &Row, ctx: &Ctx) -> Result<Self, DbError> {
        let corrupt = |column: &str| DbError::Other(format!("a checkout's {column} cannot be read"));
        let buyer = |column: &str| {
            let text: String = row.try_get(column)?;
            text.parse().map_err(|_| corrupt(column))
        };
        let state = match row.try_get("state")? {
            "running" => CheckoutState::Running,
            "completed" => CheckoutState::Completed,
            "failed" => CheckoutState::Failed,
            _ => return Err(corrupt("state")),
        };
        Ok(Self {
            id: row.try_get("id")?,
            owner: buyer("owner")?,
            cart: buyer("cart_owner")?,
            state,
            phase: Phase::parse(row.try_get("phase")?).ok_or_else(|| corrupt("phase"))?,
            shop: row.try_get("shop_id")?,
            reservation: row.try_get("reservation_id")?,
            payment: row.try_get("payment_id")?,
            order: row.try_get("order_id")?,
            sale: row.try_get("sale_id")?,
            provider: row.try_get("provider")?,
            method: row.try_get("method")?,
            total: Money::new(row.try_get("total")?, ctx.tenant.currency),
            plan: json(row, "plan")?.ok_or_else(|| corrupt("plan"))?,
            ship_to: json(row, "ship_to")?,
            note: row.try_get("note")?,
            failure: json(row, "failure")?,
            action: row.try_get("action")?,
            steps: json(row, "steps")?.ok_or_else(|| corrupt("steps"))?,
            attempts: row.try_get("attempts")?,
            deadline_at: row.try_get("deadline_at")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>, DbError> {
    let value: Option<Value> = row.try_get(column)?;
    let read = value.map(serde_json::from_value).transpose();
    read.map_err(|_| DbError::Other(format!("a checkout's {column} cannot be read")))
}
