//! The till on a real PostgreSQL behind the real gate: what is sold, corrected, reported, imported and refused.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "tests fail by panicking, and share their helpers"
)]

mod bad_input;
mod booked;
mod imports;
mod market;
mod purchases;
mod reading;
mod refund_money;
mod refunds;
mod rounding;
mod selling;
mod shifts;
mod stock;
mod vat;
mod voids;
