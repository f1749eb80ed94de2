//! Everything a cluster needs before the program can serve, in one call.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use secrecy::ExposeSecret as _;

use super::{
    BootstrapPasswords, DatabaseSpec, Kind, MigrateError, Migrations, OWNER_ROLE, StepId, bootstrap, up,
};
use crate::ConnectionConfig;

/// Databases migrated at the same time; each takes one connection.
const AT_ONCE: usize = 8;

/// Settings to connect to `database` of the cluster that `any` leads to, as the owner of all tables.
#[must_use]
pub fn owner_config(
    any: &ConnectionConfig,
    passwords: &BootstrapPasswords,
    database: &str,
) -> ConnectionConfig {
    let mut config = any.clone();
    config.user(OWNER_ROLE).password(passwords.owner.expose_secret()).dbname(database);
    config
}

/// Makes missing roles and databases of one cluster and brings all of `databases` up to date, several at a time.
/// Returns the steps that ran, by database. Costs one query per database when nothing is to be done.
///
/// # Errors
/// The first [`MigrateError`]; databases that were done stay done.
pub async fn prepare(
    admin: &ConnectionConfig,
    passwords: &BootstrapPasswords,
    databases: &[DatabaseSpec<'_>],
    tenant: &Migrations,
    control: &Migrations,
) -> Result<Vec<(String, Vec<StepId>)>, MigrateError> {
    bootstrap(admin, passwords, databases).await?;
    let runs = databases.iter().map(|database| async move {
        let migrations = if database.kind == Kind::Control { control } else { tenant };
        let done = up(&owner_config(admin, passwords, database.name), migrations).await?;
        Ok((database.name.to_owned(), done))
    });
    stream::iter(runs).buffered(AT_ONCE).try_collect().await
}
