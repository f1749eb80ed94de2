//! Holding units: reserve, release, confirm.

use std::time::Duration;

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Json, Op, Path, Problem, Reply, Routes, Tenanted, idempotency::run_once,
};

use super::{
    Inventory,
    inputs::{ReservationBody, ReserveBody},
    outputs::ReservationView,
};
use crate::{
    confirm_stock::confirm_stock,
    model::ReservationId,
    problems::{
        INVENTORY_READ, INVENTORY_RESERVE, OUT_OF_STOCK, RESERVATION_CLOSED, RESERVATION_EXPIRED,
        RESERVATION_NOT_FOUND, UNKNOWN_SHOP, UNKNOWN_SKU,
    },
    release_stock::release_stock,
    reservation::find_reservation,
    reserve_stock::{ReserveStock, reserve_stock},
};

pub(super) fn routes(state: Inventory) -> Routes<()> {
    Routes::new("Inventory")
        .add(
            Op::post("/inventory/reserve", "reserve_stock", "Hold units, all lines or none")
                .permission(INVENTORY_RESERVE)
                .idempotency(IdempotencyKey::Required)
                .returns::<ReservationView>(201)
                .problems(&[OUT_OF_STOCK, UNKNOWN_SHOP, UNKNOWN_SKU]),
            reserve,
        )
        .add(
            Op::get("/inventory/reservations/{id}", "get_reservation", "One reservation")
                .permission(INVENTORY_READ)
                .returns::<ReservationView>(200)
                .problems(&[RESERVATION_NOT_FOUND]),
            get,
        )
        .add(
            Op::post("/inventory/release", "release_stock", "Give held units back")
                .description("Releasing what is released or expired already succeeds and changes nothing.")
                .permission(INVENTORY_RESERVE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<ReservationView>(200)
                .problems(&[RESERVATION_NOT_FOUND, RESERVATION_CLOSED]),
            release,
        )
        .add(
            Op::post("/inventory/confirm", "confirm_stock", "Held units leave the shelf")
                .description("Confirming again succeeds and changes nothing.")
                .permission(INVENTORY_RESERVE)
                .idempotency(IdempotencyKey::Optional)
                .returns::<ReservationView>(200)
                .problems(&[RESERVATION_NOT_FOUND, RESERVATION_CLOSED, RESERVATION_EXPIRED]),
            confirm,
        )
        .with_state(state)
}

async fn reserve(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<ReserveBody>,
) -> Result<Reply, Problem> {
    let seconds = body.expires_in_seconds.map(|seconds| Duration::from_secs(seconds.into()));
    let hold_for = seconds.unwrap_or(state.config.hold_for);
    run_once(&state.db, &ctx, &key, async move |tx| {
        let ReserveBody { lines, reference, .. } = body.clone();
        let lines = lines.into_iter().map(Into::into).collect();
        let held = reserve_stock(tx, ReserveStock { reference, hold_for, lines }).await?;
        let location = format!("/api/v1/inventory/reservations/{}", held.id);
        Ok(Reply::created(location, &ReservationView::from(held)))
    })
    .await
}

async fn get(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    Path(id): Path<ReservationId>,
) -> Result<Reply, Problem> {
    let tx = state.db.begin_read(&ctx).await?;
    let found = find_reservation(&tx, id).await?;
    tx.commit().await?;
    let reservation = found.ok_or_else(|| Problem::new(RESERVATION_NOT_FOUND))?;
    Ok(Reply::ok(&ReservationView::from(reservation)))
}

async fn release(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<ReservationBody>,
) -> Result<Reply, Problem> {
    run_once(&state.db, &ctx, &key, async move |tx| {
        let released = release_stock(tx, body.reservation_id).await?;
        Ok(Reply::ok(&ReservationView::from(released)))
    })
    .await
}

async fn confirm(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<ReservationBody>,
) -> Result<Reply, Problem> {
    run_once(&state.db, &ctx, &key, async move |tx| {
        let confirmed = confirm_stock(tx, body.reservation_id).await?;
        Ok(Reply::ok(&ReservationView::from(confirmed)))
    })
    .await
}
