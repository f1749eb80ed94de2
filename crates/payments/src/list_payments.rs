//! Use case: page through payments, latest first.

use db::{DbError, TenantTx};
use kernel::Timestamp;
use uuid::Uuid;

use crate::{
    find_payment::decode_payment,
    model::{Payment, PaymentId, PaymentState},
};

/// Which payments are wanted; every part narrows.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    /// Only in this state.
    pub state: Option<PaymentState>,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only for this purpose.
    pub purpose: Option<String>,
    /// Only opened from this time on.
    pub from: Option<Timestamp>,
    /// Only opened before this time.
    pub to: Option<Timestamp>,
}

/// At most `limit` payments, latest first, after the one shown last.
///
/// # Errors
/// [`DbError`].
pub async fn list_payments(
    tx: &TenantTx,
    filter: &PaymentFilter,
    after: Option<(Timestamp, PaymentId)>,
    limit: i64,
) -> Result<Vec<Payment>, DbError> {
    let unsettled = filter.state.is_some_and(|state| !state.is_settled());
    let sql = match filter.purpose {
        Some(_) => include_str!("list_payments_for_purpose.sql"),
        None if unsettled => include_str!("list_unsettled_payments.sql"),
        None => include_str!("list_payments.sql"),
    };
    let tenant = tx.tenant_id();
    let state = filter.state.map(PaymentState::as_str);
    let (created, id) = after.map_or((end_of_time(), PaymentId(Uuid::max())), |last| last);
    // Nothing is older, and PostgreSQL does not know every time that can be written down.
    let from = filter.from.unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::UNIX_EPOCH);
    let to = filter.to.unwrap_or_else(end_of_time).max(Timestamp::UNIX_EPOCH);
    let mut params: Vec<&(dyn db::types::ToSql + Sync)> =
        vec![&tenant, &state, &filter.provider, &from, &to, &created, &id, &limit];
    if filter.purpose.is_some() {
        params.push(&filter.purpose);
    }
    let rows = tx.query(sql, &params).await?;
    rows.iter().map(decode_payment).collect()
}

/// Later than anything that is stored, and still a time to PostgreSQL: the year 9999 and a little less.
fn end_of_time() -> Timestamp {
    Timestamp::from_second(253_402_000_000).unwrap_or(Timestamp::MAX)
}
