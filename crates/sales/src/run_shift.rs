//! Use cases: open a shift, move cash, report, close.

use db::{DbError, TenantTx};
use kernel::Money;

use crate::{
    error::SaleError,
    events,
    model::ShiftId,
    price_sale::same_currency,
    problems::*,
    registers::Register,
    shift::{
        CashMovementId, CashMovementKind, CloseShift, MoveCash, OpenShift, Shift, ShiftReport, get_shift,
        report_shift,
    },
};

/// Opens a shift on a register that has none.
///
/// # Errors
/// [`SHIFT_ALREADY_OPEN`], [`CURRENCY_MISMATCH`], [`DbError`].
pub async fn open_shift(tx: &TenantTx, register: &Register, input: &OpenShift) -> Result<Shift, SaleError> {
    same_currency(&tx.ctx().tenant, input.opening_float, "/openingFloat/currency")?;
    let id = ShiftId::new();
    let taken =
        tx.query_opt(include_str!("take_register.sql"), &[&tx.tenant_id(), &register.id, &id]).await?;
    if taken.is_none() {
        return Err(SaleError::state(SHIFT_ALREADY_OPEN, format!("{} is open", register.id)));
    }
    let actor = tx.ctx().caller.actor.to_string();
    let params: &[&(dyn db::types::ToSql + Sync)] =
        &[&tx.tenant_id(), &id, &register.id, &tx.ctx().now(), &actor, &input.opening_float.amount];
    tx.execute(include_str!("open_shift.sql"), params).await?;
    let (shift, _) = get_shift(tx, id).await?;
    messages::publish(tx, &[events::opened(&shift)]).await?;
    Ok(shift)
}

/// Puts cash into the drawer of an open shift, or takes some out; returns the X report after it.
///
/// # Errors
/// [`SHIFT_NOT_FOUND`], [`SHIFT_CLOSED`], [`CURRENCY_MISMATCH`], [`DbError`].
pub async fn move_cash(tx: &TenantTx, id: ShiftId, input: &MoveCash) -> Result<ShiftReport, SaleError> {
    same_currency(&tx.ctx().tenant, input.amount, "/amount/currency")?;
    let (shift, _) = get_shift(tx, id).await?;
    // Shared with other movements, exclusive with the close.
    let open = tx
        .query_opt(include_str!("lock_open_shift.sql"), &[&tx.tenant_id(), &shift.register_id, &id])
        .await?;
    if open.is_none() {
        return Err(closed(id));
    }
    let kind = match input.kind {
        CashMovementKind::PayIn => "pay_in",
        CashMovementKind::PayOut => "pay_out",
    };
    let actor = tx.ctx().caller.actor.to_string();
    let params: &[&(dyn db::types::ToSql + Sync)] = &[
        &tx.tenant_id(),
        &CashMovementId::new(),
        &id,
        &kind,
        &input.amount.amount,
        &input.reason,
        &actor,
        &tx.ctx().now(),
    ];
    tx.execute(include_str!("insert_cash_movement.sql"), params).await?;
    Ok(report_shift(tx, &shift).await?)
}

/// The X report of an open shift, or the Z report of a closed one.
///
/// # Errors
/// [`SHIFT_NOT_FOUND`], [`DbError`].
pub async fn get_report(tx: &TenantTx, id: ShiftId) -> Result<ShiftReport, SaleError> {
    match get_shift(tx, id).await? {
        (_, Some(z)) => Ok(z),
        (shift, None) => Ok(report_shift(tx, &shift).await?),
    }
}

/// Closes a shift and freezes its Z report.
///
/// The register's lock is taken first: every sale of the shift has committed before its figures are added up, and
/// every later sale finds the register without a shift.
///
/// # Errors
/// [`SHIFT_NOT_FOUND`], [`SHIFT_CLOSED`], [`CURRENCY_MISMATCH`], [`DbError`].
pub async fn close_shift(tx: &TenantTx, id: ShiftId, input: &CloseShift) -> Result<ShiftReport, SaleError> {
    let currency = tx.ctx().tenant.currency;
    same_currency(&tx.ctx().tenant, input.counted_cash, "/countedCash/currency")?;
    let (shift, _) = get_shift(tx, id).await?;
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &shift.register_id, &id];
    if tx.query_opt(include_str!("release_register.sql"), params).await?.is_none() {
        return Err(closed(id));
    }
    let mut report = report_shift(tx, &shift).await?;
    let number =
        tx.query_one(include_str!("next_z_number.sql"), &[&tx.tenant_id(), &shift.register_id]).await?;
    let z_number: i64 = number.try_get(0).map_err(DbError::from)?;
    let difference = Money::new(input.counted_cash.amount - report.expected_cash.amount, currency);
    report.z_number = Some(z_number);
    report.counted_cash = Some(input.counted_cash);
    report.difference = Some(difference);
    let stored = serde_json::to_value(&report).map_err(|error| DbError::Other(error.to_string()))?;
    let actor = tx.ctx().caller.actor.to_string();
    let params: &[&(dyn db::types::ToSql + Sync)] = &[
        &tx.tenant_id(),
        &id,
        &tx.ctx().now(),
        &actor,
        &input.counted_cash.amount,
        &report.z_number,
        &stored,
    ];
    tx.execute(include_str!("close_shift.sql"), params).await?;
    messages::publish(tx, &[events::closed(&report, z_number, difference)]).await?;
    Ok(report)
}

fn closed(id: ShiftId) -> SaleError {
    SaleError::state(SHIFT_CLOSED, format!("{id} has closed"))
}
