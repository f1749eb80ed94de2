//! Proof that a tenant database keeps tenants apart, read from PostgreSQL's own catalogue.

use super::{MigrateError, session::Session};
use crate::ConnectionConfig;

/// The one condition under which a policy may show the application's role a row, as PostgreSQL prints it.
const ONLY_MY_TENANT: &str =
    "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)";

/// Everything in a tenant database through which one tenant could see, change or point at another's rows; empty is
/// right. `config` is of any role that may connect.
///
/// Looks at tables (tenant column, forced security, policies, owner), unique indexes and foreign keys across tenants,
/// views, functions with their owner's rights, and the roles' own rights. DPR-6
///
/// # Errors
/// [`MigrateError`] when the database cannot be asked.
pub async fn isolation_findings(config: &ConnectionConfig) -> Result<Vec<String>, MigrateError> {
    let session = Session::open(config).await?;
    let rows = session.query(include_str!("isolation.sql"), &[&ONLY_MY_TENANT]).await;
    session.close().await;
    let rows = rows.map_err(MigrateError::setup("cannot look for gaps in the isolation"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
