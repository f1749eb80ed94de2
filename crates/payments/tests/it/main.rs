//! Payments on a real PostgreSQL: the books, the test provider, what is asked again.

mod charges;
mod fixture;
mod reconciliation;
mod refunds;
mod settlements;
