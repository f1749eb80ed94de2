//! The routes of customers.

use axum::extract::State;
use db::Db;
use edge::{
    Idempotency, IdempotencyKey, IfMatch, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::run_once,
    page::{Cursor, Limit, Page},
};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    manage_customers::{
        CustomerError, CustomerFilter, create_customer, deactivate_customer, get_customer, list_customers,
        lock_customer, update_customer,
    },
    model::{Customer, CustomerId, CustomerInput},
    problems::{CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS, CUSTOMERS_READ, CUSTOMERS_WRITE},
};

/// What the routes need.
#[derive(Clone)]
pub struct Customers {
    db: Db,
}

impl Customers {
    /// Routes over `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

/// Which customers.
#[derive(Debug, Clone, Default, Deserialize, IntoParams, Validate)]
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
}

/// Every route of this domain.
pub fn routes(state: Customers) -> Routes<()> {
    Routes::<Customers>::new("Customers")
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
                .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS]),
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
        .with_state(state)
}

fn problem(error: CustomerError) -> Problem {
    match error {
        CustomerError::NotFound => Problem::new(CUSTOMER_NOT_FOUND),
        CustomerError::ReferenceExists => Problem::new(CUSTOMER_REFERENCE_EXISTS).pointer(
            "/reference",
            CUSTOMER_REFERENCE_EXISTS,
            "another customer has this reference",
        ),
        CustomerError::Db(error) => error.into(),
    }
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
    let filter = CustomerFilter { reference: query.reference, active: query.active };
    let tx = state.db.begin_read(&ctx).await?;
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
    run_once(&state.db, &ctx, &idempotency, async move |tx| {
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
    let tx = state.db.begin_read(&ctx).await?;
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
    run_once(&state.db, &ctx, &idempotency, async move |tx| {
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
    let tx = state.db.begin(&ctx).await?;
    let before = lock_customer(&tx, id).await.map_err(problem)?;
    if_match.check(&before.version.to_string())?;
    deactivate_customer(&tx, before).await.map_err(problem)?;
    tx.commit().await?;
    Ok(Reply::no_content())
}
