//! What a shift is and how it is reported: X at any time, Z at the close.

use db::{DbError, Row, TenantTx};
use garde::Validate;
use kernel::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::SaleError,
    model::{RegisterId, ShiftId, TenderMethod, above_zero, not_negative},
    problems::*,
    schemas,
};

kernel::id!(
    /// Cash put into or taken out of a drawer.
    CashMovementId,
    "csh"
);

/// Opening a register.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct OpenShift {
    /// The cash in the drawer.
    #[garde(custom(not_negative))]
    #[schema(schema_with = schemas::not_negative)]
    pub opening_float: Money,
}

/// Closing a register.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct CloseShift {
    /// The cash in the drawer as counted.
    #[garde(custom(not_negative))]
    #[schema(schema_with = schemas::not_negative)]
    pub counted_cash: Money,
}

/// Into the drawer or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CashMovementKind {
    /// Put in.
    PayIn,
    /// Taken out.
    PayOut,
}

/// Cash that moves for another reason than a sale.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct MoveCash {
    /// In or out.
    pub kind: CashMovementKind,
    /// Above zero.
    #[garde(custom(above_zero))]
    #[schema(schema_with = schemas::above_zero)]
    pub amount: Money,
    /// For the books: 1 to 500 characters.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// A register's time between open and close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shift {
    /// Identity.
    pub id: ShiftId,
    /// The register.
    pub register_id: RegisterId,
    /// When it opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// By whom.
    pub opened_by: String,
    /// With how much cash.
    pub opening_float: Money,
    /// When it closed; open while absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// By whom.
    pub closed_by: Option<String>,
}

/// What one means of payment took, change and refunds taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenderTotal {
    /// The means.
    pub method: TenderMethod,
    /// How much.
    pub amount: Money,
}

/// One VAT rate's share of a shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShiftTax {
    /// Basis points.
    pub rate: i32,
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
}

/// One cashier's share of a shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CashierTotal {
    /// Who.
    pub cashier: String,
    /// Receipts, corrections included.
    pub receipts: i64,
    /// With VAT.
    pub gross: Money,
}

/// The report of a shift: X while it is open, Z once it has closed, and never changed after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShiftReport {
    /// The shift.
    pub shift_id: ShiftId,
    /// The register.
    pub register_id: RegisterId,
    /// Counts up per register with each close; absent on an X report.
    pub z_number: Option<i64>,
    /// When the shift opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// When the figures were taken.
    #[schema(value_type = String, format = DateTime)]
    pub reported_at: Timestamp,
    /// Sales.
    pub sales: i64,
    /// Voids.
    pub voids: i64,
    /// Refunds.
    pub refunds: i64,
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
    /// With VAT.
    pub gross: Money,
    /// Taken off.
    pub discount: Money,
    /// What cash rounding added or took off.
    pub cash_rounding: Money,
    /// By means of payment.
    pub tenders: Vec<TenderTotal>,
    /// By VAT rate.
    pub taxes: Vec<ShiftTax>,
    /// By cashier; at most 200.
    pub cashiers: Vec<CashierTotal>,
    /// In the drawer at the start.
    pub opening_float: Money,
    /// Put in.
    pub pay_ins: Money,
    /// Taken out.
    pub pay_outs: Money,
    /// What the drawer should hold.
    pub expected_cash: Money,
    /// What was counted; absent on an X report.
    pub counted_cash: Option<Money>,
    /// Counted less expected; absent on an X report.
    pub difference: Option<Money>,
}

pub(crate) fn decode_shift(row: &Row, currency: Currency) -> Result<Shift, DbError> {
    Ok(Shift {
        id: row.try_get(0)?,
        register_id: row.try_get(1)?,
        opened_at: row.try_get(2)?,
        opened_by: row.try_get(3)?,
        opening_float: Money::new(row.try_get(4)?, currency),
        closed_at: row.try_get(5)?,
        closed_by: row.try_get(6)?,
    })
}

/// The shift and, once closed, its stored Z report.
///
/// # Errors
/// [`SHIFT_NOT_FOUND`], [`DbError`].
pub(crate) async fn get_shift(tx: &TenantTx, id: ShiftId) -> Result<(Shift, Option<ShiftReport>), SaleError> {
    let row = tx.query_opt(include_str!("find_shift.sql"), &[&tx.tenant_id(), &id]).await?;
    let row = row.ok_or_else(|| SaleError::state(SHIFT_NOT_FOUND, format!("there is no shift {id}")))?;
    let stored: Option<serde_json::Value> = row.try_get(7).map_err(DbError::from)?;
    let report = stored.map(serde_json::from_value).transpose();
    let report = report.map_err(|error| DbError::Other(format!("unreadable Z report: {error}")))?;
    Ok((decode_shift(&row, tx.ctx().tenant.currency)?, report))
}

/// Adds up the shift from the book as it is now.
///
/// # Errors
/// [`DbError`].
pub(crate) async fn report_shift(tx: &TenantTx, shift: &Shift) -> Result<ShiftReport, DbError> {
    let currency = tx.ctx().tenant.currency;
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &shift.id];
    let sums = tx.query_one(include_str!("sum_shift.sql"), params).await?;
    let money = |column: usize| Ok::<_, DbError>(Money::new(sums.try_get(column)?, currency));
    let (change, pay_ins, pay_outs) = (money(8)?, money(9)?, money(10)?);
    let mut tenders = Vec::new();
    for row in tx.query(include_str!("sum_shift_tenders.sql"), params).await? {
        let method = serde_json::from_value(row.try_get::<_, &str>(0)?.into());
        let method = method.map_err(|_| DbError::Other("unreadable tender".to_owned()))?;
        let taken: i64 = row.try_get(1)?;
        let back = if method == TenderMethod::Cash { change.amount } else { 0 };
        tenders.push(TenderTotal { method, amount: Money::new(taken - back, currency) });
    }
    let cash = tenders.iter().find(|tender| tender.method == TenderMethod::Cash);
    let cash = cash.map_or(0, |tender| tender.amount.amount);
    let expected = shift.opening_float.amount + cash + pay_ins.amount - pay_outs.amount;
    let taxes = tx.query(include_str!("sum_shift_taxes.sql"), params).await?;
    let tax = |row: &Row| {
        let (net, vat) = (Money::new(row.try_get(1)?, currency), Money::new(row.try_get(2)?, currency));
        Ok::<_, DbError>(ShiftTax { rate: row.try_get(0)?, net, vat })
    };
    let cashiers = tx.query(include_str!("sum_shift_cashiers.sql"), params).await?;
    let cashier = |row: &Row| {
        let gross = Money::new(row.try_get(2)?, currency);
        Ok::<_, DbError>(CashierTotal { cashier: row.try_get(0)?, receipts: row.try_get(1)?, gross })
    };
    Ok(ShiftReport {
        shift_id: shift.id,
        register_id: shift.register_id,
        z_number: None,
        opened_at: shift.opened_at,
        reported_at: tx.ctx().now(),
        sales: sums.try_get(0)?,
        voids: sums.try_get(1)?,
        refunds: sums.try_get(2)?,
        net: money(3)?,
        vat: money(4)?,
        gross: money(5)?,
        discount: money(6)?,
        cash_rounding: money(7)?,
        tenders,
        taxes: taxes.iter().map(tax).collect::<Result<_, _>>()?,
        cashiers: cashiers.iter().map(cashier).collect::<Result<_, _>>()?,
        opening_float: shift.opening_float,
        pay_ins,
        pay_outs,
        expected_cash: Money::new(expected, currency),
        counted_cash: None,
        difference: None,
    })
}
