//! The whole program: in this process over fresh databases, and as the real binary over a private cluster.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests fail by panicking, share their helpers, and say why they skip"
)]

mod audit;
mod authorisation;
mod bills;
mod bus;
mod carts;
mod carts_in_redis;
mod chaos;
mod checkout;
mod cli;
mod configuration;
mod crash;
mod dead_letters;
mod documents;
mod encrypted;
mod fairness;
mod flags;
mod fuzz;
mod isolation;
mod journey;
mod limits;
mod logs;
mod observability;
mod orders;
mod outage;
mod payments;
mod races;
mod saga;
mod serving;
mod shift_race;
mod stuck;
mod support;
mod tenant_health;
mod traces;
mod usage;
mod vault;
mod web_journey;
