//! Payments on a real PostgreSQL: the books, the test provider, what is asked again.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod charges;
mod fixture;
mod http_payments;
mod http_webhooks;
mod localstripe;
mod paypal;
mod reconciliation;
mod refunds;
mod settlements;
mod stripe;
