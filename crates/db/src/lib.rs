//! The only crate that talks to PostgreSQL: connections, transactions, the combiner, the private cluster, migrations.
#![doc = include_str!("../README.md")]

pub mod cluster;
pub mod combiner;
mod connection;
mod counts;
mod epochs;
mod error;
mod invalidation;
mod measure;
pub mod migrate;
mod pool;
mod pools;
mod private_file;
mod relay;
mod shares;
mod slow;
mod spans;
mod stmt;
mod tx;

pub use combiner::{Batch, BatchTx, Combiner, CombinerLimits};
pub use connection::{ConnectionConfig, ConnectionError};
pub use epochs::Epochs;
pub use error::DbError;
pub use invalidation::{Invalidations, Source, Stale};
pub use measure::Held;
pub use migrate::{DomainMigrations, Migration, Migrations};
pub use pool::{
    APP_ROLE, CONTROL_DATABASE, CONTROL_ROLE, Db, DbConfig, PoolLimits, RELAY_ROLE, RolePasswords,
    SHARED_DATABASE,
};
pub use private_file::create_private;
pub use relay::{Notice, RelayConn};
pub use shares::TierShares;
pub use slow::tell_of_statements_slower_than;
pub use stmt::{Hook, Param, Stmt};
pub use tokio_postgres::{Error as DriverError, Row, types};
pub use tx::{ControlTx, TenantTx};

/// `time`, or the year 1 if it is before that: PostgreSQL knows no times long before it, and nothing happened then.
#[must_use]
pub fn storable(time: kernel::Timestamp) -> kernel::Timestamp {
    const YEAR_ONE_S: i64 = -62_135_596_800;
    time.max(kernel::Timestamp::constant(YEAR_ONE_S, 0))
}
