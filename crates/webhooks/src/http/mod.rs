//! The routes of webhooks.

mod deliveries;
mod refusals;
mod subscriptions;

use edge::Routes;

use crate::sender::Webhooks;

/// Every route of this domain.
pub fn routes(state: Webhooks) -> Routes<()> {
    subscriptions::routes(state.clone()).merge(deliveries::routes(state))
}
