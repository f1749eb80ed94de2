//! Real parts for tests: a PostgreSQL cluster per run, fresh databases per test, the whole program in process.
//!
//! How to use each is in the crate's README; its outlines need databases, so they are no doc tests.

#[cfg(feature = "app")]
mod app;
#[cfg(feature = "http")]
mod client;
mod cluster;
mod databases;
mod guarded;
mod janitor;
mod nats;
mod redis;
mod redis_sentinel;
#[cfg(feature = "http")]
mod site;
mod tls_postgres;

#[cfg(feature = "app")]
pub use app::App;
#[cfg(feature = "http")]
pub use client::{Answer, Call, Client};
pub use cluster::{CLUSTER_DIR_VARIABLE, TestCluster, start_for_run, stop_after_run};
pub use databases::{SHARD, TestDatabases, connect};
pub use nats::NatsServer;
pub use redis::RedisServer;
pub use redis_sentinel::RedisSentinel;
#[cfg(feature = "http")]
pub use site::{Site, unlimited};
pub use tls_postgres::{TlsFiles, TlsPostgres};
