//! Routes of points.

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::run_once,
    page::{Page, PageQuery},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Customers, subject::Subject};
use crate::{
    CustomerId,
    loyalty::{
        AdjustInput, LoyaltyEntry, LoyaltyError, LoyaltyRule, LoyaltyRuleInput, adjust, find_balance,
        get_rule, list_entries, set_rule,
    },
    problems::{
        CUSTOMER_MERGED, CUSTOMER_NOT_FOUND, CUSTOMERS_OWN, CUSTOMERS_READ, CUSTOMERS_WRITE,
        INSUFFICIENT_POINTS, LOYALTY_INACTIVE, POINTS_OUT_OF_RANGE,
    },
};

/// A customer's points.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoyaltyAccount {
    /// How many there are; below zero when points went back after they had been spent.
    points: i64,
    /// What they are worth now, in minor units of the merchant's currency; 0 while points are not in use.
    worth: i64,
    /// What came and went, latest first.
    #[schema(max_items = 200)]
    items: Vec<LoyaltyEntry>,
    /// Where the next page begins; null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

pub(super) fn routes() -> Routes<Customers> {
    Routes::new("Loyalty")
        .add(
            Op::get("/customers/loyalty-rule", "get_loyalty_rule", "How points are earned and what they are worth")
                .owned(CUSTOMERS_READ, CUSTOMERS_OWN)
                .returns::<LoyaltyRule>(200)
                .etag(),
            rule,
        )
        .add(
            Op::put("/customers/loyalty-rule", "set_loyalty_rule", "Say how points are earned and what they are worth")
                .description(
                    "Once active, what known customers buy from then on earns points, within minutes. Points that \
                     customers have stay as many when the rule changes.",
                )
                .permission(CUSTOMERS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<LoyaltyRule>(200)
                .etag(),
            put_rule,
        )
        .add(
            Op::get("/customers/{id}/loyalty", "get_loyalty", "A customer's points, and what came and went")
                .owned(CUSTOMERS_READ, CUSTOMERS_OWN)
                .returns::<LoyaltyAccount>(200)
                .problems(&[CUSTOMER_NOT_FOUND]),
            account,
        )
        .add(
            Op::post("/customers/{id}/loyalty", "adjust_loyalty", "Give or take points")
                .permission(CUSTOMERS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<LoyaltyEntry>(201)
                .problems(&[
                    CUSTOMER_NOT_FOUND,
                    CUSTOMER_MERGED,
                    INSUFFICIENT_POINTS,
                    LOYALTY_INACTIVE,
                    POINTS_OUT_OF_RANGE,
                ]),
            post_adjustment,
        )
}

fn loyalty_problem(error: LoyaltyError) -> Problem {
    match error {
        LoyaltyError::NotFound => Problem::new(CUSTOMER_NOT_FOUND),
        LoyaltyError::Inactive => Problem::new(LOYALTY_INACTIVE),
        LoyaltyError::Insufficient(balance) => {
            Problem::new(INSUFFICIENT_POINTS).extension("balance", balance)
        }
        LoyaltyError::OutOfRange => Problem::new(POINTS_OUT_OF_RANGE),
        LoyaltyError::ReferenceUsed => Problem::internal("a reference made here was used"),
        LoyaltyError::Db(error) => error.into(),
    }
}

async fn rule(State(state): State<Customers>, Tenanted(ctx): Tenanted) -> Result<Reply, Problem> {
    let tx = state.db().begin_read(&ctx).await?;
    let rule = get_rule(&tx).await?;
    tx.commit().await?;
    Ok(Reply::ok(&rule).etag(&rule.version.to_string()))
}

async fn put_rule(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    if_match: IfMatch,
    idempotency: Idempotency,
    Json(input): Json<LoyaltyRuleInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        if_match.check(&get_rule(tx).await?.version.to_string())?;
        let rule = set_rule(tx, &input).await?;
        Ok(Reply::ok(&rule).etag(&rule.version.to_string()))
    })
    .await
}

async fn account(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(subject): Path<Subject>,
    Query(query): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let before = query.after()?;
    let tx = state.db().begin_read(&ctx).await?;
    let customer = subject.read(&tx).await?.id;
    let points = find_balance(&tx, customer).await?;
    let rule = get_rule(&tx).await?;
    let rows = list_entries(&tx, customer, before, query.limit.sql()).await?;
    tx.commit().await?;
    let worth = if rule.active { rule.worth(points) } else { 0 };
    let Page { items, next_cursor } = Page::from_rows(rows, query.limit, |entry| entry.id);
    Ok(Reply::ok(&LoyaltyAccount { points, worth, items, next_cursor }))
}

async fn post_adjustment(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<CustomerId>,
    idempotency: Idempotency,
    Json(input): Json<AdjustInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let customer = Subject::Of(id).lock(tx).await?;
        let made = adjust(tx, customer.id, &input).await.map_err(loyalty_problem)?;
        Ok(Reply::created(format!("{}/customers/{}/loyalty", edge::API_PREFIX, customer.id), &made))
    })
    .await
}
