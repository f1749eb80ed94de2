//! Routes of the addresses that customers keep.

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Json, Op, Path, Path2, Problem, Reply, Routes, Tenanted,
    idempotency::run_once, page::Page,
};

use super::{Customers, subject::Subject};
use crate::{
    problems::{
        ADDRESS_NOT_FOUND, CUSTOMER_MERGED, CUSTOMER_NOT_FOUND, CUSTOMERS_OWN, CUSTOMERS_READ,
        CUSTOMERS_WRITE, TOO_MANY_ADDRESSES,
    },
    profile::{
        AddressError, AddressId, SavedAddress, SavedAddressInput, create_address, delete_address,
        list_addresses, update_address,
    },
};

pub(super) fn routes() -> Routes<Customers> {
    Routes::new("Customer profiles")
        .add(
            Op::get("/customers/{id}/addresses", "list_addresses", "A customer's addresses, at most 20")
                .owned(CUSTOMERS_READ, CUSTOMERS_OWN)
                .returns::<Page<SavedAddress>>(200)
                .problems(&[CUSTOMER_NOT_FOUND]),
            list,
        )
        .add(
            Op::post("/customers/{id}/addresses", "create_address", "Add an address")
                .description("The new default for a purpose takes the place of the old one.")
                .owned(CUSTOMERS_WRITE, CUSTOMERS_OWN)
                .idempotency(IdempotencyKey::Optional)
                .returns::<SavedAddress>(201)
                .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_MERGED, TOO_MANY_ADDRESSES]),
            create,
        )
        .add(
            Op::put("/customers/{id}/addresses/{address}", "update_address", "Replace an address")
                .owned(CUSTOMERS_WRITE, CUSTOMERS_OWN)
                .idempotency(IdempotencyKey::Optional)
                .returns::<SavedAddress>(200)
                .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_MERGED, ADDRESS_NOT_FOUND, TOO_MANY_ADDRESSES]),
            update,
        )
        .add(
            Op::delete("/customers/{id}/addresses/{address}", "delete_address", "Remove an address")
                .owned(CUSTOMERS_WRITE, CUSTOMERS_OWN)
                .returns_nothing(204)
                .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_MERGED, ADDRESS_NOT_FOUND, TOO_MANY_ADDRESSES]),
            delete,
        )
}

fn address_problem(error: AddressError) -> Problem {
    match error {
        AddressError::NotFound => Problem::new(ADDRESS_NOT_FOUND),
        AddressError::TooMany => Problem::new(TOO_MANY_ADDRESSES),
        AddressError::Db(error) => error.into(),
    }
}

async fn list(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(subject): Path<Subject>,
) -> Result<Reply, Problem> {
    let tx = state.db().begin_read(&ctx).await?;
    let customer = subject.read(&tx).await?;
    let items = list_addresses(&tx, customer.id).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page { items, next_cursor: None }))
}

async fn create(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(subject): Path<Subject>,
    idempotency: Idempotency,
    Json(input): Json<SavedAddressInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let customer = subject.lock(tx).await?;
        let made = create_address(tx, customer.id, &input).await.map_err(address_problem)?;
        let location = format!("{}/customers/{}/addresses/{}", edge::API_PREFIX, customer.id, made.id);
        Ok(Reply::created(location, &made))
    })
    .await
}

async fn update(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path2(subject, id): Path2<Subject, AddressId>,
    idempotency: Idempotency,
    Json(input): Json<SavedAddressInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let customer = subject.lock(tx).await?;
        Ok(Reply::ok(&update_address(tx, customer.id, id, &input).await.map_err(address_problem)?))
    })
    .await
}

async fn delete(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path2(subject, id): Path2<Subject, AddressId>,
) -> Result<Reply, Problem> {
    let tx = state.db().begin(&ctx).await?;
    let customer = subject.lock(&tx).await?;
    delete_address(&tx, customer.id, id).await.map_err(address_problem)?;
    tx.commit().await?;
    Ok(Reply::no_content())
}
