//! The routes of orders: look, list, move on.

use std::sync::Arc;

use axum::extract::State;
use customers::Buyer;
use db::{Db, TenantTx};
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::run_once,
    page::{Cursor, Limit, Page, PageQuery},
};
use futures::future::BoxFuture;
use garde::Validate;
use http::StatusCode;
use kernel::{Actor, Timestamp};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::{
    cache::{OrderCache, order_cache},
    change_status::{ChangeStatusError, change_status},
    effects::OrderEffects,
    find_orders::{OrderFilter, find_order, list_orders},
    model::{Order, OrderId, OrderStatus},
    problems::*,
};

/// What the routes need. Cheap to clone.
#[derive(Clone)]
pub struct Orders(Arc<Inner>);

struct Inner {
    db: Db,
    effects: Arc<dyn OrderEffects>,
    cache: OrderCache,
}

impl Orders {
    /// Routes over `db`; `effects` does what follows from a new status.
    #[must_use]
    pub fn new(db: Db, effects: Arc<dyn OrderEffects>) -> Self {
        Self(Arc::new(Inner { db, effects, cache: order_cache() }))
    }

    /// The orders kept in memory, to be told what other processes changed.
    #[must_use]
    pub fn cache(&self) -> &OrderCache {
        &self.0.cache
    }
}

impl Orders {
    /// Moves an order on; see [`change_status`].
    fn change_status<'a>(
        &self,
        tx: &'a TenantTx,
        id: OrderId,
        status: OrderStatus,
        reason: Option<String>,
    ) -> BoxFuture<'a, Result<Order, ChangeStatusError>> {
        Box::pin(change_status(tx, self.0.effects.clone(), id, status, reason))
    }
}

/// Which orders are listed; all conditions hold together.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[garde(allow_unvalidated)]
struct ListOrders {
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// Whose: `me`, `cus_..`, `gst_..` or `mem_..`. Customers and guests see their own in any case.
    #[garde(inner(length(chars, min = 2, max = 30)))]
    #[param(min_length = 2, max_length = 30)]
    customer: Option<String>,
    /// Where they stand.
    #[param(inline)]
    status: Option<OrderStatus>,
    /// Made at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Made before.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// With this number.
    #[garde(inner(range(min = 1)))]
    #[param(minimum = 1)]
    number: Option<i64>,
}

/// What an order shall become, and why.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct StatusInput {
    /// The next status.
    pub status: OrderStatus,
    /// Why; the customer may read it.
    #[garde(inner(length(chars, min = 1, max = 500)))]
    #[schema(min_length = 1, max_length = 500)]
    #[serde(default)]
    pub reason: Option<String>,
}

/// Every route of this domain.
pub fn routes(state: Orders) -> Routes<()> {
    Routes::<Orders>::new("Orders")
        .add(
            Op::get("/orders", "list_orders", "Orders, latest first")
                .owned(ORDERS_READ, ORDERS_OWN)
                .returns::<Page<Order>>(200),
            list,
        )
        .add(
            Op::get("/orders/{id}", "get_order", "One order, with how it came to stand where it stands")
                .owned(ORDERS_READ, ORDERS_OWN)
                .returns::<Order>(200)
                .etag()
                .problems(&[ORDER_NOT_FOUND]),
            get,
        )
        .add(
            Op::put("/orders/{id}/status", "set_order_status", "Move an order on")
                .description(
                    "Only along the allowed transitions. Marking a created order as paid posts its sale; cancelling or \
                     refunding a paid one takes the goods back into stock and sends the money back.",
                )
                .permission(ORDERS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Order>(200)
                .etag()
                .problems(&[ORDER_NOT_FOUND, TRANSITION_NOT_ALLOWED]),
            set_status,
        )
        .with_state(state)
}

impl From<ChangeStatusError> for Problem {
    fn from(error: ChangeStatusError) -> Self {
        let detail = error.to_string();
        match error {
            ChangeStatusError::NotFound => Self::new(ORDER_NOT_FOUND),
            ChangeStatusError::NotAllowed { from, .. } => Self::new(TRANSITION_NOT_ALLOWED)
                .detail(detail)
                .extension("status", json!(from))
                .extension("allowed", json!(from.next())),
            ChangeStatusError::Refused(problem) => *problem,
            ChangeStatusError::Db(error) => error.into(),
        }
    }
}

async fn list(
    State(state): State<Orders>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<ListOrders>,
) -> Result<Reply, Problem> {
    let visitor = matches!(ctx.caller.actor, Actor::Visitor(_)).then(|| Buyer::of(&ctx));
    let wanted = query.customer.as_deref().map(|text| Buyer::named(&ctx, text));
    let owner = match (visitor, wanted) {
        (None, None) => None,
        (Some(visitor), None) => Some(visitor),
        (_, Some(Ok(wanted))) if wanted.is_open_to(&ctx) => Some(wanted),
        // Somebody else's, or nobody's: there are none to be seen.
        (_, Some(_)) => {
            return Ok(Reply::ok(&Page::from_rows(Vec::new(), query.limit, |order: &Order| order.id)));
        }
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter =
        OrderFilter { owner, status: query.status, from: query.from, to: query.to, number: query.number };
    let tx = state.0.db.begin_read(&ctx).await?;
    let found = list_orders(&tx, &filter, &page).await?;
    tx.commit().await?;
    Ok(Reply::ok(&found))
}

async fn get(
    State(state): State<Orders>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<OrderId>,
) -> Result<Reply, Problem> {
    let not_found = || Problem::new(ORDER_NOT_FOUND);
    let place = (ctx.tenant_id(), id.0);
    let cache = &state.0.cache;
    let known = match cache.find(place.0, place.1) {
        Some(known) => known,
        None => {
            let epoch = cache.epoch(place.0, place.1);
            let tx = state.0.db.begin_read(&ctx).await?;
            let order = find_order(&tx, id).await?.ok_or_else(not_found)?;
            tx.commit().await?;
            let owner: Buyer = order.customer.parse().map_err(Problem::internal)?;
            let etag = order.version.to_string();
            cache.keep(place, &order, &etag, owner, epoch).map_err(Problem::internal)?
        }
    };
    if !known.about.is_open_to(&ctx) {
        return Err(not_found());
    }
    Ok(Reply::bytes(StatusCode::OK, known.body, Some(&known.etag)))
}

async fn set_status(
    State(state): State<Orders>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<OrderId>,
    if_match: IfMatch,
    key: Idempotency,
    Json(input): Json<StatusInput>,
) -> Result<Reply, Problem> {
    let db = state.0.db.clone();
    let (wanted, cache) = (state.clone(), state.0.cache.clone());
    let run = run_once(&db, &ctx, &key, async move |tx| {
        let before = find_order(tx, id).await?.ok_or_else(|| Problem::new(ORDER_NOT_FOUND))?;
        if_match.check(&before.version.to_string())?;
        let order = wanted.change_status(tx, id, input.status, input.reason.clone()).await?;
        Ok(Reply::ok(&order).etag(&order.version.to_string()))
    });
    let reply = run.await?;
    cache.forget(ctx.tenant_id(), id.0);
    Ok(reply)
}
