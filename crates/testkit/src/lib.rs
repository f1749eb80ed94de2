//! Real parts for tests: a PostgreSQL cluster per run, fresh databases per test, the whole program in process.
#![doc = include_str!("../README.md")]

mod cluster;
mod databases;
mod janitor;

pub use cluster::{CLUSTER_DIR_VARIABLE, TestCluster, start_for_run, stop_after_run};
pub use databases::{SHARD, TestDatabases, connect};
