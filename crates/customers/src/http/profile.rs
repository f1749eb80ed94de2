//! Routes of consents, and of the staff's notes.

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    idempotency::run_once,
    page::{Page, PageQuery},
};

use super::{Customers, subject::Subject};
use crate::{
    CustomerId,
    problems::{CUSTOMER_MERGED, CUSTOMER_NOT_FOUND, CUSTOMERS_OWN, CUSTOMERS_READ, CUSTOMERS_WRITE},
    profile::{
        Consent, ConsentInput, Note, NoteInput, create_note, list_consents, list_notes, record_consent,
    },
};

pub(super) fn routes() -> Routes<Customers> {
    Routes::new("Customer profiles")
        .add(
            Op::get("/customers/{id}/consents", "list_consents", "What a customer has allowed, latest first")
                .description("The latest entry of a purpose counts; without any, nothing is allowed.")
                .owned(CUSTOMERS_READ, CUSTOMERS_OWN)
                .returns::<Page<Consent>>(200)
                .problems(&[CUSTOMER_NOT_FOUND]),
            consents,
        )
        .add(
            Op::post(
                "/customers/{id}/consents",
                "record_consent",
                "Record what a customer allows or forbids",
            )
            .owned(CUSTOMERS_WRITE, CUSTOMERS_OWN)
            .idempotency(IdempotencyKey::Optional)
            .returns::<Consent>(201)
            .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_MERGED]),
            consent,
        )
        .add(
            Op::get("/customers/{id}/notes", "list_notes", "What the staff has noted, latest first")
                .permission(CUSTOMERS_READ)
                .returns::<Page<Note>>(200)
                .problems(&[CUSTOMER_NOT_FOUND]),
            notes,
        )
        .add(
            Op::post("/customers/{id}/notes", "create_note", "Note something about a customer")
                .permission(CUSTOMERS_WRITE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<Note>(201)
                .problems(&[CUSTOMER_NOT_FOUND, CUSTOMER_MERGED]),
            note,
        )
}

async fn consents(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(subject): Path<Subject>,
    Query(query): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let before = query.after()?;
    let tx = state.db().begin_read(&ctx).await?;
    let customer = subject.read(&tx).await?;
    let rows = list_consents(&tx, customer.id, before, query.limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(rows, query.limit, |consent| consent.id)))
}

async fn consent(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(subject): Path<Subject>,
    idempotency: Idempotency,
    Json(input): Json<ConsentInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let customer = subject.lock(tx).await?;
        let made = record_consent(tx, customer.id, &input).await?;
        Ok(Reply::created(format!("{}/customers/{}/consents", edge::API_PREFIX, customer.id), &made))
    })
    .await
}

async fn notes(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<CustomerId>,
    Query(query): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let before = query.after()?;
    let tx = state.db().begin_read(&ctx).await?;
    let customer = Subject::Of(id).read(&tx).await?;
    let rows = list_notes(&tx, customer.id, before, query.limit.sql()).await?;
    tx.commit().await?;
    Ok(Reply::ok(&Page::from_rows(rows, query.limit, |note| note.id)))
}

async fn note(
    State(state): State<Customers>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<CustomerId>,
    idempotency: Idempotency,
    Json(input): Json<NoteInput>,
) -> Result<Reply, Problem> {
    run_once(state.db(), &ctx, &idempotency, async move |tx| {
        let customer = Subject::Of(id).lock(tx).await?;
        let made = create_note(tx, customer.id, &input).await?;
        Ok(Reply::created(format!("{}/customers/{}/notes", edge::API_PREFIX, customer.id), &made))
    })
    .await
}
