//! Messages on a real PostgreSQL.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test says where")]

mod contract;
mod crash;
mod dead_letters;
mod jobs;
mod latency;
mod nats;
mod order;
mod publish;
mod requests;
mod support;
mod two_relays;
mod upkeep;
mod windows;
