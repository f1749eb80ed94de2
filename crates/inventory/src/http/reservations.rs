//! Holding units: reserve, release, confirm.

use std::time::Duration;

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Json, Op, Path, Problem, Reply, Routes, Tenanted,
    idempotency::{Claim, run_once},
};
use kernel::Ctx;

use super::{
    Inventory,
    inputs::{ReservationBody, ReserveBody},
    outputs::ReservationView,
};
use crate::{
    change_stock::Shortage,
    confirm_stock::confirm_stock,
    hold_stock::{Hold, HoldLine},
    model::ReservationId,
    problems::{
        INVENTORY_READ, INVENTORY_RESERVE, OUT_OF_STOCK, RESERVATION_CLOSED, RESERVATION_EXPIRED,
        RESERVATION_NOT_FOUND, UNKNOWN_SHOP, UNKNOWN_SKU,
    },
    release_stock::release_stock,
    reservation::{Reservation, ReservationLine, ReservationState, find_reservation},
    reserve_batch::{HoldAnswer, HoldRequest, expiry},
    reserve_stock::{ReserveStockError, merge},
    targets::find_unknown_targets,
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
    let claim = Claim::new(&key, ReservationId::new().0)?;
    let lines: Vec<HoldLine> = body.lines.into_iter().map(Into::into).collect();
    let hold = Hold {
        id: ReservationId(claim.resource),
        reference: body.reference,
        expires_at: expiry(ctx.now(), hold_for),
        lines: merge(lines.clone()),
    };
    let request = HoldRequest { claim, hold: hold.clone() };
    match state.holds.submit(ctx.clone(), request).await? {
        HoldAnswer::Held => Ok(held(&begun(&ctx, hold))),
        HoldAnswer::Replay => replay(&state, &ctx, &claim).await,
        HoldAnswer::Short(short) => Err(refusal(&state, &ctx, &lines, &short).await?),
    }
}

fn held(view: &ReservationView) -> Reply {
    Reply::created(format!("/api/v1/inventory/reservations/{}", view.id), view)
}

/// A reservation as it is right after it was made.
fn begun(ctx: &Ctx, hold: Hold) -> ReservationView {
    let line = |line: HoldLine| ReservationLine {
        shop: line.shop,
        sku: line.sku,
        quantity: line.quantity.thousandths(),
    };
    ReservationView::from(Reservation {
        id: hold.id,
        state: ReservationState::Open,
        reference: hold.reference,
        expires_at: hold.expires_at,
        created_at: ctx.now(),
        closed_at: None,
        lines: hold.lines.into_iter().map(line).collect(),
    })
}

/// The answer that the first request with this key was given.
async fn replay(state: &Inventory, ctx: &Ctx, claim: &Claim) -> Result<Reply, Problem> {
    let tx = state.db.begin_read(ctx).await?;
    let resource = edge::idempotency::find_claimed(&tx, claim).await?;
    let found = find_reservation(&tx, ReservationId(resource)).await?;
    tx.commit().await?;
    let mut reservation = found.ok_or_else(|| Problem::internal("a key without its reservation"))?;
    (reservation.state, reservation.closed_at) = (ReservationState::Open, None);
    Ok(held(&reservation.into()).replayed())
}

/// Why nothing was held, with the places in the request: what is not there at all may also not exist.
async fn refusal(
    state: &Inventory,
    ctx: &Ctx,
    lines: &[HoldLine],
    short: &[Shortage],
) -> Result<Problem, Problem> {
    if short.iter().any(|short| short.left == 0) {
        let pairs: Vec<_> = lines.iter().map(|line| (line.shop, line.sku.as_str())).collect();
        let tx = state.db.begin_read(ctx).await?;
        let unknown = find_unknown_targets(&tx, &pairs).await?;
        tx.commit().await?;
        if !unknown.is_empty() {
            return Ok(ReserveStockError::Unknown(unknown).into());
        }
    }
    let at = |(line, wanted): (usize, &HoldLine)| {
        let short = short.iter().find(|short| short.shop == wanted.shop && short.sku == wanted.sku)?;
        Some(Shortage { line, ..short.clone() })
    };
    let short = lines.iter().enumerate().filter_map(at).collect();
    Ok(ReserveStockError::OutOfStock(short).into())
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
