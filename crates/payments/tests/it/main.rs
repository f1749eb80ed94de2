//! Payments on a real PostgreSQL: the books, the test provider, what is asked again.

mod charges;
mod fixture;
mod http_payments;
mod http_webhooks;
mod reconciliation;
mod refunds;
mod settlements;
