//! The whole program: in this process over fresh databases, and as the real binary over a private cluster.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "tests fail by panicking, and share their helpers"
)]

mod authorisation;
mod cli;
mod crash;
mod documents;
mod fuzz;
mod isolation;
mod journey;
mod logs;
mod outage;
mod races;
mod shift_race;
mod support;
