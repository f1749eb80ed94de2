//! Payments: states, keys, unknown outcomes; providers behind one trait.
#![doc = include_str!("../README.md")]

mod accounts;
mod config;
pub mod events;
mod find_captured;
mod find_payment;
mod http;
mod invariants;
mod jobs;
mod list_payments;
mod model;
mod open_payments;
mod payments;
mod paypal;
pub mod problems;
mod provider;
mod receive_webhook;
mod reconcile_payments;
mod report_day;
mod request_refunds;
mod run_refunds;
mod settle_payments;
mod settle_refunds;
pub mod signature;
mod stripe;
mod test_provider;
mod web_call;

pub use accounts::{Account, Accounts, Credentials};
pub use config::{PaymentsConfig, ProviderConfig};
pub use events::settled_drafts;
pub use find_captured::{Unsettled, find_captured, list_unsettled, sum_captured};
pub use find_payment::{Refund, StatusChange, find_history, find_payment, find_refund, find_refunds};
pub use http::routes;
pub use invariants::invariants;
pub use jobs::jobs;
pub use list_payments::{PaymentFilter, list_payments};
pub use model::{
    ChargeOrder, Outcome, Payment, PaymentId, PaymentState, RefundId, RefundOrder, RefundOutcome,
    RefundState, Source,
};
pub use open_payments::{NewPayment, open_payment, open_payments_stmt};
pub use payments::{Parts, Payments, SettlementWatcher};
pub use paypal::PAYPAL;
pub use provider::{Cancelled, Found, Provider, WEBHOOK_SECRET, WebhookError, WebhookEvent};
pub use report_day::{DayTotals, LedgerTotals, Total, report_day};
pub use request_refunds::{
    MOST_REFUNDS, NewRefund, RefundAnswer, RefundError, decode_refunds, request_refund, request_refunds_stmt,
};
pub use settle_payments::{Settled, Settlement, decode_settled, settle, settle_stmt};
pub use settle_refunds::SettledRefund;
pub use stripe::STRIPE;
pub use test_provider::{TEST_PROVIDER, TEST_SIGNATURE, TestProvider};

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "payments",
    steps: &[db::Migration {
        version: 1,
        name: "payments",
        sql: include_str!("../migrations/0001_payments.sql"),
    }],
};
