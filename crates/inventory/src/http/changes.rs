//! Changing stock: restock, adjust, transfer, count, thresholds.

use axum::extract::State;
use edge::{Idempotency, IdempotencyKey, Json, Op, Problem, Reply, Routes, Tenanted, idempotency::run_once};

use super::{
    Inventory,
    inputs::{AdjustBody, CountBody, RestockBody, ThresholdsBody, TransferBody},
    outputs::{StockLevels, Transfer},
    refusals::transfer_problem,
};
use crate::{
    adjust_stock::adjust_stock,
    count_stock::count_stock,
    problems::{
        DUPLICATE_LINE, INVENTORY_WRITE, OUT_OF_STOCK, SAME_SHOP, STOCK_OUT_OF_RANGE, UNKNOWN_SHOP,
        UNKNOWN_SKU,
    },
    restock::restock,
    set_thresholds::set_thresholds,
    transfer_stock::{TransferStock, transfer_stock},
};

pub(super) fn routes(state: Inventory) -> Routes<()> {
    let change = |op: Op| {
        op.permission(INVENTORY_WRITE).idempotency(IdempotencyKey::Optional).problems(&[
            UNKNOWN_SHOP,
            UNKNOWN_SKU,
            STOCK_OUT_OF_RANGE,
        ])
    };
    Routes::new("Inventory")
        .add(
            change(Op::put("/inventory/restock", "restock", "Goods arrive"))
                .description(
                    "Adds to what is there. Send an Idempotency-Key, so that trying again adds nothing.",
                )
                .returns::<StockLevels>(200),
            put_restock,
        )
        .add(
            change(Op::post("/inventory/adjustments", "adjust_stock", "Correct levels for a reason"))
                .returns::<StockLevels>(200)
                .problems(&[OUT_OF_STOCK]),
            post_adjustment,
        )
        .add(
            change(Op::post("/inventory/transfers", "transfer_stock", "Send goods to another shop"))
                .returns::<Transfer>(200)
                .problems(&[OUT_OF_STOCK, SAME_SHOP]),
            post_transfer,
        )
        .add(
            change(Op::post("/inventory/counts", "count_stock", "Set levels to what was counted"))
                .returns::<StockLevels>(200)
                .problems(&[DUPLICATE_LINE]),
            post_count,
        )
        .add(
            Op::put("/inventory/thresholds", "set_thresholds", "Set from which level on stock is low")
                .permission(INVENTORY_WRITE)
                .returns::<StockLevels>(200)
                .problems(&[UNKNOWN_SHOP, UNKNOWN_SKU]),
            put_thresholds,
        )
        .with_state(state)
}

async fn put_restock(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<RestockBody>,
) -> Result<Reply, Problem> {
    run_once(&state.db, &ctx, &key, async move |tx| {
        let levels: StockLevels = restock(tx, body.clone().into()).await?.into();
        Ok(Reply::ok(&levels))
    })
    .await
}

async fn post_adjustment(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<AdjustBody>,
) -> Result<Reply, Problem> {
    run_once(&state.db, &ctx, &key, async move |tx| {
        let levels: StockLevels = adjust_stock(tx, body.clone().into()).await?.into();
        Ok(Reply::ok(&levels))
    })
    .await
}

async fn post_transfer(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<TransferBody>,
) -> Result<Reply, Problem> {
    run_once(&state.db, &ctx, &key, async move |tx| {
        let input: TransferStock = body.clone().into();
        let lines = input.lines.len();
        let moved = transfer_stock(tx, input).await;
        let (id, changes) = moved.map_err(|error| transfer_problem(error, lines))?;
        let levels = changes.into_iter().map(|change| change.level.into()).collect();
        Ok(Reply::ok(&Transfer { id, levels }))
    })
    .await
}

async fn post_count(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<CountBody>,
) -> Result<Reply, Problem> {
    run_once(&state.db, &ctx, &key, async move |tx| {
        let levels: StockLevels = count_stock(tx, body.clone().into()).await?.into();
        Ok(Reply::ok(&levels))
    })
    .await
}

async fn put_thresholds(
    State(state): State<Inventory>,
    Tenanted(ctx): Tenanted,
    Json(body): Json<ThresholdsBody>,
) -> Result<Reply, Problem> {
    let lines: Vec<_> = body.into();
    let tx = state.db.begin(&ctx).await?;
    let levels: StockLevels = set_thresholds(&tx, &lines).await?.into();
    tx.commit().await?;
    Ok(Reply::ok(&levels))
}
