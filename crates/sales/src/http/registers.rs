//! Registers and shifts.

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Json, Op, Path, Problem, Query, Reply, Routes, Tenanted,
    page::{Page, PageQuery},
};
use inventory::ShopId;

use super::Sales;
use crate::{
    error::SaleError,
    model::{RegisterId, ShiftId},
    problems::*,
    registers::{NewRegister, Register, create_register, list_registers},
    run_shift::{close_shift, get_report, move_cash, open_shift},
    shift::{CloseShift, MoveCash, OpenShift, Shift, ShiftReport},
};

pub(super) fn routes() -> Routes<Sales> {
    use IdempotencyKey::Optional;
    Routes::new("Registers")
        .add(
            Op::get("/shops/{id}/registers", "list_registers", "The registers of a shop, by code")
                .permission(SALES_READ)
                .returns::<Page<Register>>(200)
                .problems(&[inventory::problems::SHOP_NOT_FOUND]),
            list,
        )
        .add(
            Op::post("/shops/{id}/registers", "create_register", "Add a register to a shop")
                .permission(REGISTERS_WRITE)
                .idempotency(Optional)
                .returns::<Register>(201)
                .problems(&[inventory::problems::SHOP_NOT_FOUND, REGISTER_CODE_TAKEN]),
            create,
        )
        .add(
            Op::post("/registers/{id}/shifts", "open_shift", "Open a shift on a register")
                .permission(SHIFTS_WRITE)
                .idempotency(Optional)
                .returns::<Shift>(201)
                .problems(&[REGISTER_NOT_FOUND, SHIFT_ALREADY_OPEN, CURRENCY_MISMATCH]),
            open,
        )
        .add(
            Op::post("/shifts/{id}/cash", "move_cash", "Pay cash into the drawer or out of it")
                .permission(SHIFTS_WRITE)
                .idempotency(Optional)
                .returns::<ShiftReport>(200)
                .problems(&[SHIFT_NOT_FOUND, SHIFT_CLOSED, CURRENCY_MISMATCH]),
            cash,
        )
        .add(
            Op::post("/shifts/{id}/close", "close_shift", "Close a shift: the Z report, unchangeable")
                .permission(SHIFTS_WRITE)
                .idempotency(Optional)
                .returns::<ShiftReport>(200)
                .problems(&[SHIFT_NOT_FOUND, SHIFT_CLOSED, CURRENCY_MISMATCH]),
            close,
        )
        .add(
            Op::get("/shifts/{id}/report", "get_shift_report", "X report while open, Z report once closed")
                .permission(SALES_READ)
                .returns::<ShiftReport>(200)
                .problems(&[SHIFT_NOT_FOUND]),
            report,
        )
}

async fn list(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(shop): Path<ShopId>,
    Query(page): Query<PageQuery>,
) -> Result<Reply, Problem> {
    let tx = sales.0.db.begin_read(&ctx).await?;
    known_shop(&tx, shop).await?;
    let found = list_registers(&tx, shop, &page).await?;
    tx.commit().await?;
    Ok(Reply::ok(&found))
}

async fn known_shop(tx: &db::TenantTx, shop: ShopId) -> Result<inventory::Shop, Problem> {
    let found = inventory::find_shop(tx, shop).await?;
    found.ok_or_else(|| Problem::new(inventory::problems::SHOP_NOT_FOUND))
}

async fn create(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(shop): Path<ShopId>,
    key: Idempotency,
    Json(input): Json<NewRegister>,
) -> Result<Reply, Problem> {
    edge::idempotency::run_once(&sales.0.db, &ctx, &key, async move |tx| {
        let shop = known_shop(tx, shop).await?;
        let register = create_register(tx, shop.id, &shop.code, &input).await?;
        Ok(Reply::created(format!("/api/v1/shops/{}/registers", shop.id), &register))
    })
    .await
}

async fn open(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(register): Path<RegisterId>,
    key: Idempotency,
    Json(input): Json<OpenShift>,
) -> Result<Reply, Problem> {
    let register = sales.0.registers.find(&ctx, register).await?;
    let register = register.ok_or_else(|| Problem::new(REGISTER_NOT_FOUND))?;
    edge::idempotency::run_once(&sales.0.db, &ctx, &key, async move |tx| {
        let shift = open_shift(tx, &register, &input).await?;
        Ok(Reply::created(format!("/api/v1/shifts/{}/report", shift.id), &shift))
    })
    .await
}

async fn cash(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(shift): Path<ShiftId>,
    key: Idempotency,
    Json(input): Json<MoveCash>,
) -> Result<Reply, Problem> {
    edge::idempotency::run_once(&sales.0.db, &ctx, &key, async move |tx| {
        Ok(Reply::ok(&move_cash(tx, shift, &input).await?))
    })
    .await
}

async fn close(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(shift): Path<ShiftId>,
    key: Idempotency,
    Json(input): Json<CloseShift>,
) -> Result<Reply, Problem> {
    edge::idempotency::run_once(&sales.0.db, &ctx, &key, async move |tx| {
        Ok(Reply::ok(&close_shift(tx, shift, &input).await?))
    })
    .await
}

async fn report(
    State(sales): State<Sales>,
    Tenanted(ctx): Tenanted,
    Path(shift): Path<ShiftId>,
) -> Result<Reply, Problem> {
    let tx = sales.0.db.begin_report(&ctx).await?;
    let report = get_report(&tx, shift).await.map_err(|error: SaleError| Problem::from(error))?;
    tx.commit().await?;
    Ok(Reply::ok(&report))
}
