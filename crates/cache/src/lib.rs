//! What processes share in Redis.
#![doc = include_str!("../README.md")]

mod client;
mod config;
mod link;

pub use client::{Away, Redis};
pub use config::RedisConfig;
pub use redis::{Cmd, FromRedisValue, Script, ScriptInvocation, cmd};
