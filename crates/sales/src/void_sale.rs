//! Use case: void a sale before its shift closes. Reverses goods and money with a sale of its own, never twice.

use db::TenantTx;
use garde::Validate;
use kernel::{Money, Quantity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    booking::Booking,
    correct_sale::{Correctable, book, lock_sale, reverse_line, sum_up},
    error::SaleError,
    model::{Sale, SaleId, SaleKind, Tender},
    problems::*,
};

/// A sale without a shift can be voided for a day.
const VOIDABLE_S: i64 = 86_400;

/// Why a sale is voided.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoidSale {
    /// For the books: 1 to 500 characters.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// Voids the sale.
///
/// # Errors
/// [`ALREADY_VOIDED`], [`ALREADY_REFUNDED`], [`SHIFT_CLOSED`], [`VOID_TOO_LATE`], [`NOT_A_SALE`], [`SALE_NOT_FOUND`].
pub async fn void_sale(tx: &TenantTx, id: SaleId, input: &VoidSale) -> Result<Sale, SaleError> {
    let original = lock_sale(tx, id).await?;
    if !original.taken_back.is_empty() {
        return Err(SaleError::state(ALREADY_REFUNDED, format!("{id} was refunded in part or whole")));
    }
    let age = tx.ctx().now().as_second() - original.sale.created_at.as_second();
    if original.sale.shift_id.is_none() && age > VOIDABLE_S {
        return Err(SaleError::state(VOID_TOO_LATE, format!("{id} was booked more than a day ago")));
    }
    let booking = reversal(tx, &original, input);
    let (sale, receipt) = book(tx, &booking).await?;
    // The shift was read under the register's lock, so a close that got there first is seen here and undoes all.
    if original.sale.shift_id.is_some() && receipt.shift != original.sale.shift_id {
        return Err(SaleError::state(SHIFT_CLOSED, format!("the shift of {id} has closed")));
    }
    Ok(sale)
}

fn reversal(tx: &TenantTx, original: &Correctable, input: &VoidSale) -> Booking {
    let sale = &original.sale;
    let lines = sale.lines.iter();
    let lines = lines.map(|line| reverse_line(line.line, line, Quantity::ZERO, line.quantity, true));
    let given_back = original.left_on.iter().filter(|(_, amount)| **amount != 0);
    let tenders = given_back.map(|(method, amount)| Tender {
        method: *method,
        amount: Money::new(-amount, sale.change.currency),
    });
    Booking {
        id: SaleId::new(),
        kind: SaleKind::Void,
        channel: sale.channel,
        shop: sale.shop_id,
        register: sale.register_id,
        receipt_prefix: original.receipt_prefix.clone(),
        cashier: tx.ctx().caller.actor.to_string(),
        customer: sale.customer_id,
        original: Some(sale.id),
        reason: Some(input.reason.clone()),
        policy: original.policy,
        priced: sum_up(lines.collect(), -sale.totals.cash_rounding.amount),
        tenders: tenders.collect(),
        occurred_at: tx.ctx().now(),
        booked_at: tx.ctx().now(),
        in_shift: true,
    }
}
