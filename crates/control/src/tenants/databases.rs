//! What provisioning needs from outside: databases, and first data in them.

use async_trait::async_trait;
use db::{DbError, TenantTx, migrate::MigrateError};
use kernel::Placement;

/// Makes and migrates databases of tenants. Everything may be repeated after a failure anywhere.
#[async_trait]
pub trait TenantDatabases: Send + Sync {
    /// Makes the database of a tenant that gets its own; one that is there already is fine.
    ///
    /// # Errors
    /// [`MigrateError`].
    async fn create(&self, placement: &Placement) -> Result<(), MigrateError>;

    /// Brings a tenant's own database to the present version.
    ///
    /// # Errors
    /// [`MigrateError`].
    async fn migrate(&self, placement: &Placement) -> Result<(), MigrateError>;
}

/// Puts first data into a new tenant: default tax rates and the like.
#[async_trait]
pub trait Seeder: Send + Sync {
    /// For logs and errors.
    fn name(&self) -> &'static str;

    /// Seeds the tenant of `tx`; run again after a failure, it must not double anything.
    ///
    /// # Errors
    /// [`DbError`].
    async fn seed(&self, tx: &mut TenantTx) -> Result<(), DbError>;
}
