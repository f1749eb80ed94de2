//! Makes roles and databases on a PostgreSQL cluster, private or foreign.

use std::collections::HashSet;

use secrecy::{ExposeSecret as _, SecretString};

use super::{
    BootstrapPasswords, MigrateError, OWNER_ROLE,
    database::{self, quoted},
    session::Session,
};
use crate::{APP_ROLE, CONTROL_ROLE, ConnectionConfig, RELAY_ROLE};

/// What a database is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The control plane's.
    Control,
    /// Tenants', shared or dedicated.
    Tenant,
    /// Copied for new dedicated tenants; nobody but the owner connects.
    Template,
}

/// A database to be made.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseSpec<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is for.
    pub kind: Kind,
}

/// Makes the roles and databases that are missing; costs one query when none is.
///
/// `admin` needs to be a superuser or to have `createrole` and `createdb`, and connects to a maintenance database.
/// Passwords of roles that exist already are left alone. Interrupted, it is completed by the next call.
///
/// # Errors
/// [`MigrateError`] naming the step that failed.
pub async fn bootstrap(
    admin: &ConnectionConfig,
    passwords: &BootstrapPasswords,
    databases: &[DatabaseSpec<'_>],
) -> Result<(), MigrateError> {
    let session = Session::open(admin).await?;
    let done = complete(&session, admin, passwords, databases).await;
    session.close().await;
    done
}

async fn complete(
    session: &Session,
    admin: &ConnectionConfig,
    passwords: &BootstrapPasswords,
    databases: &[DatabaseSpec<'_>],
) -> Result<(), MigrateError> {
    for database in databases {
        database::check_name(database.name)?;
    }
    let wanted = roles(passwords);
    let is_complete = |found: &Found| {
        wanted.iter().all(|(role, _)| found.roles.contains(*role))
            && databases.iter().all(|database| found.databases.contains(database.name))
    };
    if is_complete(&find(session).await?) {
        return Ok(());
    }
    session.take_turn().await?;
    let found = find(session).await?;
    for (role, password) in wanted {
        if !found.roles.contains(role) {
            create_role(session, role, password).await?;
        }
    }
    become_owner(session).await?;
    for database in databases.iter().filter(|database| !found.databases.contains(database.name)) {
        database::create(session, admin, *database).await?;
    }
    Ok(())
}

fn roles(passwords: &BootstrapPasswords) -> [(&'static str, &SecretString); 4] {
    [
        (OWNER_ROLE, &passwords.owner),
        (APP_ROLE, &passwords.roles.app),
        (RELAY_ROLE, &passwords.roles.relay),
        (CONTROL_ROLE, &passwords.roles.control),
    ]
}

struct Found {
    roles: HashSet<String>,
    /// Those completed, not merely begun.
    databases: HashSet<String>,
}

async fn find(session: &Session) -> Result<Found, MigrateError> {
    let rows = session
        .query(include_str!("installed.sql"), &[&database::COMPLETE])
        .await
        .map_err(MigrateError::setup("cannot see which roles and databases exist"))?;
    let names =
        |kind: &str| rows.iter().filter(|row| row.get::<_, &str>(0) == kind).map(|row| row.get(1)).collect();
    Ok(Found { roles: names("role"), databases: names("database") })
}

async fn create_role(session: &Session, role: &str, password: &SecretString) -> Result<(), MigrateError> {
    // The verifier is made here, so that the password never travels nor reaches a log.
    let verifier = postgres_protocol::password::scram_sha_256(password.expose_secret().as_bytes());
    let sql = format!(
        "create role {} login nosuperuser nocreatedb nocreaterole nobypassrls password '{verifier}'",
        quoted(role)
    );
    session.run(&format!("cannot create role {role}"), &sql).await
}

/// An administrator who is no superuser can only make databases for roles that it is a member of.
async fn become_owner(session: &Session) -> Result<(), MigrateError> {
    let row = session
        .query_one("select pg_has_role(current_user, $1, 'usage')", &[&OWNER_ROLE])
        .await
        .map_err(MigrateError::setup("cannot see memberships"))?;
    if row.get(0) {
        return Ok(());
    }
    let sql = format!("grant {} to current_user", quoted(OWNER_ROLE));
    session.run(&format!("cannot become a member of {OWNER_ROLE}"), &sql).await
}
