//! The workflow that turns a cart into a paid order.
#![doc = include_str!("../README.md")]

mod begin;
mod begin_group;
mod checkouts;
mod counts;
mod drive;
mod effects;
mod faults;
mod finish;
mod flags;
mod give_up;
mod http;
mod invariants;
mod jobs;
mod model;
mod place_order;
pub mod problems;
mod store;
mod stuck;
mod workflow;

pub use begin::{BeginBatch, BeginError, BeginRequest, PriceChange};
pub use cart::CheckoutId;
pub use checkouts::{CheckoutConfig, Checkouts, Parts};
pub use faults::{Faults, When};
pub use finish::{FinishBatch, FinishRequest};
pub use flags::{FLAGS, WEB_CHECKOUT};
pub use http::{CheckoutInput, CheckoutView, PaymentInput, routes};
pub use invariants::{FailedCheckout, invariants, list_failed, list_held};
pub use jobs::jobs;
pub use model::{Checkout, CheckoutState, Failure, Phase, Step, StepRecord, StepState};
pub use place_order::{OrderInput, OrderLineInput};
pub use store::move_checkouts;
pub use stuck::{Repaired, StuckKind, StuckMoney, list_stuck};
pub use workflow::{Definition, Home, STEPS, compensation, segments};

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "checkout",
    steps: &[db::Migration {
        version: 1,
        name: "checkout",
        sql: include_str!("../migrations/0001_checkout.sql"),
    }],
};
