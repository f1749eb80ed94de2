//! The routes of payments.

mod inputs;
mod outputs;
mod payments;
mod providers;
mod refunds;
mod webhooks;

use edge::Routes;

use crate::Payments;

/// Every route of this domain.
pub fn routes(state: Payments) -> Routes<()> {
    payments::routes(state.clone())
        .merge(refunds::routes(state.clone()))
        .merge(providers::routes(state.clone()))
        .merge(webhooks::routes(state))
}
