//! Customers as the merchant keeps them.

use std::fmt;

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::run_once,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Customers, problem};
use crate::{
    manage_customers::{
        CustomerFilter, create_customer, deactivate_customer, get_customer, list_customers, lock_customer,
        update_customer,
    },
    merge_customers::{MergeError, merge_customers},
    model::{Customer, CustomerId, CustomerInput},
    problems::{
        CUSTOMER_INACTIVE, CUSTOMER_MERGED, CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS, CUSTOMERS_READ,
        CUSTOMERS_WRITE, MERGE_CYCLE, MERGE_WITH_ITSELF, POINTS_OUT_OF_RANGE, TOO_MANY_ADDRESSES,
        TOO_MANY_TAGS,
    },
};

/// Which customers.
#[derive(Clone, Default, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
pub struct CustomerQuery {
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    pub limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    pub cursor: Option<Cursor>,
    /// Only the customer with this reference.
    #[garde(inner(length(chars, min = 1, max = 64)))]
    #[param(min_length = 1, max_length = 64)]
    pub reference: Option<String>,
    /// Only those that are, or are no more, customers.
    pub active: Option<bool>,
    /// Only those with this tag.
    #[garde(inner(length(chars, min = 1, max = 40)))]
    #[param(min_length = 1, max_length = 40)]
    pub tag: Option<String>,
    /// Only those whose name or address of mail begins with this, whatever the case.
    #[garde(inner(length(chars, min = 2, max = 100)))]
    #[param(min_length = 2, max_length = 100)]
    pub q: Option<String>,
}

impl fmt::Debug for CustomerQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerQuery").finish_non_exhaustive()
    }
}

/// Who is the same person.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MergeInput {
    /// The customer who is to go.
    #[garde(skip)]
    duplicate: CustomerId,
}

pub(super) fn routes() -> Routes<Customers> {
    Routes::new("Customers")
        .add(
            Op::get("/customers", "list_customers", "Customers in the order of their creation")
                .permission(CUSTOMERS_READ)
                .returns::<Page<Customer>>(200),
            list,
        )
        .add(
            Op::post("/customers", "create_customer", "Create a customer")
                .permission(CUSTOMERS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Customer>(201)
                .etag()
                .problems(&[CUSTOMER_REFERENCE_EXISTS]),
            create,
        )
        .add(
            Op::get("/customers/{id}", "get_customer", "One customer by id")
                .permission(CUSTOMERS_READ)
                .returns::<Customer>(200)
                .etag()
                .problems(&[CUSTOMER_NOT_FOUND]),
            get,
        )
        .add(
            Op::put("/customers/{id}", "update_customer", "Replace what is said about a customer")
                .permission(CUSTOMERS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Customer>(200)
                .etag()
                .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS, CUSTOMER_MERGED]),
            update,
        )
        .add(
            Op::delete("/customers/{id}", "delete_customer", "Deactivate a customer")
                .description("The customer stays in the books. Doing it again changes nothing.")
                .permission(CUSTOMERS_WRITE)
                .returns_nothing(204)
                .problems(&[CUSTOMER_NOT_FOUND]),
            delete,
        )
        .add(
            Op::post("/customers/{id}/merge", "merge_customers", "Merge a duplicate into a customer")
                .description(
                    "Addresses, tags, notes, points and the login, if there is no other, go to the customer; what was \
                     consented to is known of both. The duplicate stays, inactive, and names who has everything now. \
                     Doing it again changes nothing.",
                )
                .permission(CUSTOMERS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Customer>(200)
                .etag()
                .problems(&[
                    CUSTOMER_NOT_FOUND,
                    CUSTOMER_MERGED,
                    CUSTOMER_INACTIVE,
                    MERGE_CYCLE,
                    MERGE_WITH_ITSELF,
                    TOO_MANY_ADDRESSES,
                    TOO_MANY_TAGS,
                    POINTS_OUT_OF_RANGE,
                ]),
            merge,
        )
}

fn shown(customer: &Customer) -> Reply {
    Reply::ok(customer).etag(&customer.version.to_string())
}

async fn list(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Query(query): Query<CustomerQuery>,
) -> Result<Reply, Problem> {
    let after: Option<CustomerId> = query.cursor.as_ref().map(Cursor::key).transpose()?;
    let CustomerQuery { reference, active, tag, q, .. } = query;
    let filter = CustomerFilter { reference, active, tag, begins: q };
    let tx = state.db().begin_read(&ctx).await?;
    let rows = list_customers(&tx, &filter, after, query.limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(rows, query.limit, |customer| customer.id)))
}

async fn create(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    idempotency: Idempotency,
    Json(input): Json<CustomerInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let customer = create_customer(tx, &input).await.map_err(problem)?;
        let location = format!("{}/customers/{}", edge::API_PREFIX, customer.id);
        Ok(Reply::created(location, &customer).etag(&customer.version.to_string()))
    })
    .await
}

async fn get(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<CustomerId>,
) -> Result<Reply, Problem> {
    let tx = state.db().begin_read(&ctx).await?;
    let customer = get_customer(&tx, id).await.map_err(problem)?;
    tx.commit().await?;
    Ok(shown(&customer))
}

async fn update(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<CustomerId>,
    if_match: IfMatch,
    idempotency: Idempotency,
    Json(input): Json<CustomerInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let before = lock_customer(tx, id).await.map_err(problem)?;
        if_match.check(&before.version.to_string())?;
        Ok(shown(&update_customer(tx, before, &input).await.map_err(problem)?))
    })
    .await
}

async fn delete(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<CustomerId>,
    if_match: IfMatch,
) -> Result<Reply, Problem> {
    let tx = state.db().begin(&ctx).await?;
    let before = lock_customer(&tx, id).await.map_err(problem)?;
    if_match.check(&before.version.to_string())?;
    deactivate_customer(&tx, before).await.map_err(problem)?;
    tx.commit().await?;
    Ok(Reply::no_content())
}

async fn merge(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<CustomerId>,
    idempotency: Idempotency,
    Json(input): Json<MergeInput>,
) -> Result<Reply, Problem> {
    let hooks = state.hooks().clone();
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let merged = merge_customers(tx, &hooks, id, input.duplicate).await;
        Ok(shown(&merged.map_err(merge_problem)?))
    })
    .await
}

fn merge_problem(error: MergeError) -> Problem {
    let merged = |code, into: CustomerId| Problem::new(code).extension("mergedInto", into.to_string());
    match error {
        MergeError::NotFound => Problem::new(CUSTOMER_NOT_FOUND),
        MergeError::DuplicateNotFound => Problem::new(CUSTOMER_NOT_FOUND).pointer(
            "/duplicate",
            CUSTOMER_NOT_FOUND,
            "there is no such customer",
        ),
        MergeError::WithItself => Problem::new(MERGE_WITH_ITSELF),
        MergeError::Merged(into) => merged(CUSTOMER_MERGED, into),
        MergeError::Cycle(into) => merged(MERGE_CYCLE, into),
        MergeError::Inactive => Problem::new(CUSTOMER_INACTIVE),
        MergeError::TooManyAddresses => Problem::new(TOO_MANY_ADDRESSES),
        MergeError::TooManyTags => Problem::new(TOO_MANY_TAGS),
        MergeError::TooManyPoints => Problem::new(POINTS_OUT_OF_RANGE),
        MergeError::Db(error) => error.into(),
    }
}
