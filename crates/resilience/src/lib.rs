//! Circuit breakers, and what an operator sees of them.
#![doc = include_str!("../README.md")]

mod breaker;
mod breakers;
mod circuit;
mod config;
mod group;
mod retries;

pub use breaker::{Breaker, Guarded, Open, Permit, Probe};
pub use breakers::Breakers;
pub use circuit::State;
pub use config::{BreakerConfig, ResilienceConfig, RetryConfig};
pub use group::Group;
pub use retries::Retries;
