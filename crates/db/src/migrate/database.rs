//! Databases: made from scratch or from the template, closed to strangers, dropped.

use tokio_postgres::error::SqlState;

use super::{DatabaseSpec, Kind, MigrateError, OWNER_ROLE, session::Session};
use crate::{APP_ROLE, CONTROL_ROLE, ConnectionConfig, RELAY_ROLE};

/// The comment on a database whose making is complete.
pub(super) const COMPLETE: &str = "markethall";
/// Extensions of tenant databases: trigram search, and the tenant in the same index as the trigrams. Both are trusted,
/// so that no superuser is needed.
const EXTENSIONS: [&str; 2] = ["pg_trgm", "btree_gin"];
/// Sorting by bytes; character types of Unicode where the system has them.
const CHARACTER_TYPES: [&str; 2] = ["C.UTF-8", "C"];

/// Makes a tenant's own database as a copy of `template`: schema and extensions are there at once.
///
/// Interrupted, it is completed by the next call; a complete one is left alone.
///
/// # Errors
/// [`MigrateError`] naming the step that failed.
pub async fn create_tenant_database(
    admin: &ConnectionConfig,
    name: &str,
    template: &str,
) -> Result<(), MigrateError> {
    create_database(admin, DatabaseSpec { name, kind: Kind::Tenant }, template).await
}

/// Makes a database of any kind as a copy of `template`; see [`create_tenant_database`].
///
/// # Errors
/// [`MigrateError`] naming the step that failed.
pub async fn create_database(
    admin: &ConnectionConfig,
    database: DatabaseSpec<'_>,
    template: &str,
) -> Result<(), MigrateError> {
    check_name(database.name)?;
    check_name(template)?;
    let session = Session::open(admin).await?;
    let done = copy(&session, database, template).await;
    session.close().await;
    done
}

async fn copy(session: &Session, database: DatabaseSpec<'_>, template: &str) -> Result<(), MigrateError> {
    let (name, owner) = (quoted(database.name), quoted(OWNER_ROLE));
    let sql = format!("create database {name} owner {owner} template {}", quoted(template));
    let made = session.batch_execute(&sql).await;
    tolerate_duplicate(session, database.name, made).await?;
    close_to_strangers(session, database).await?;
    mark_complete(session, database.name).await
}

/// Drops a database that Markethall made, closing its connections. One that is not there is no error.
///
/// # Errors
/// [`MigrateError::NotOurs`] for any other database.
pub async fn drop_database(admin: &ConnectionConfig, name: &str) -> Result<(), MigrateError> {
    check_name(name)?;
    let session = Session::open(admin).await?;
    let done = drop_ours(&session, name).await;
    session.close().await;
    done
}

async fn drop_ours(session: &Session, name: &str) -> Result<(), MigrateError> {
    match is_ours(session, name).await? {
        None => Ok(()),
        Some(false) => Err(MigrateError::NotOurs(name.to_owned())),
        Some(true) => {
            let sql = format!("drop database if exists {} with (force)", quoted(name));
            session.run(&format!("cannot drop database {name}"), &sql).await
        }
    }
}

/// Makes one database from nothing, for [`super::bootstrap`].
pub(super) async fn create(
    session: &Session,
    admin: &ConnectionConfig,
    database: DatabaseSpec<'_>,
) -> Result<(), MigrateError> {
    let mut made = Ok(());
    for ctype in CHARACTER_TYPES {
        let sql = format!(
            "create database {} owner {} template template0 encoding 'UTF8' \
             locale_provider libc lc_collate 'C' lc_ctype '{ctype}'",
            quoted(database.name),
            quoted(OWNER_ROLE)
        );
        made = session.batch_execute(&sql).await;
        // "invalid locale name": this system does not have that one.
        if made.as_ref().err().and_then(tokio_postgres::Error::code) != Some(&SqlState::WRONG_OBJECT_TYPE) {
            break;
        }
    }
    tolerate_duplicate(session, database.name, made).await?;
    close_to_strangers(session, database).await?;
    if database.kind != Kind::Control {
        let mut config = admin.clone();
        config.dbname(database.name);
        let inside = Session::open(&config).await?;
        let done = extend(&inside).await;
        inside.close().await;
        done?;
    }
    mark_complete(session, database.name).await
}

/// A database of that name is fine when it is ours: begun by an interrupted call.
async fn tolerate_duplicate(
    session: &Session,
    name: &str,
    made: Result<(), tokio_postgres::Error>,
) -> Result<(), MigrateError> {
    match made {
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => {
            let ours = is_ours(session, name).await?.unwrap_or(false);
            if ours { Ok(()) } else { Err(MigrateError::NotOurs(name.to_owned())) }
        }
        made => made.map_err(MigrateError::setup(format!("cannot create database {name}"))),
    }
}

/// Whether a database belongs to Markethall's owner; `None` when there is none of that name.
async fn is_ours(session: &Session, name: &str) -> Result<Option<bool>, MigrateError> {
    let row = session
        .query_opt(include_str!("database_owner.sql"), &[&name])
        .await
        .map_err(MigrateError::setup("cannot look for the database"))?;
    Ok(row.map(|row| row.get::<_, &str>(0) == OWNER_ROLE))
}

/// Only the roles that work in a database may connect to it. Rights on a database are not copied from its template.
async fn close_to_strangers(session: &Session, database: DatabaseSpec<'_>) -> Result<(), MigrateError> {
    let name = quoted(database.name);
    let mut sql = format!("revoke all on database {name} from public");
    let visitors: &[&str] = match database.kind {
        Kind::Control => &[CONTROL_ROLE],
        Kind::Tenant => &[APP_ROLE, RELAY_ROLE],
        Kind::Template => &[],
    };
    for role in visitors {
        sql.push_str(&format!("; grant connect on database {name} to {}", quoted(role)));
    }
    session.run(&format!("cannot set the rights on database {}", database.name), &sql).await
}

async fn extend(inside: &Session) -> Result<(), MigrateError> {
    for extension in EXTENSIONS {
        let sql = format!("create extension if not exists {extension} with schema public");
        inside.run(&format!("cannot create extension {extension}"), &sql).await?;
    }
    Ok(())
}

async fn mark_complete(session: &Session, name: &str) -> Result<(), MigrateError> {
    let sql = format!("comment on database {} is '{COMPLETE}'", quoted(name));
    session.run(&format!("cannot mark database {name}"), &sql).await
}

/// Names travel inside statements, where parameters cannot: only these characters are let in.
pub(super) fn check_name(name: &str) -> Result<(), MigrateError> {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain && name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase()) {
        Ok(())
    } else {
        Err(MigrateError::Name(name.to_owned()))
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_end_a_statement_are_refused() {
        assert!(check_name("markethall_t_acme_2").is_ok());
        for name in ["", "1a", "a\"b", "a;drop", "Äcme", "a-b", "UPPER", &"a".repeat(64)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
