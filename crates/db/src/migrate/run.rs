//! The runner: which steps a database has, and running the others.

use std::collections::BTreeMap;

use tokio_postgres::error::SqlState;

use super::{DomainMigrations, MigrateError, Migration, Migrations, error::reason, session::Session};
use crate::ConnectionConfig;

/// The first line of a step that cannot run inside a transaction.
pub(super) const NO_TRANSACTION: &str = "-- no-transaction";

/// A step by name; written `catalog/0002_barcode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepId {
    /// The domain.
    pub domain: String,
    /// Its version within the domain.
    pub version: i32,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for StepId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{:04}_{}", self.domain, self.version, self.name)
    }
}

/// A step that a database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedStep {
    /// Which.
    pub step: StepId,
    /// When.
    pub applied_at: jiff::Timestamp,
}

/// Where a database stands.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Steps it has and the program knows, in the program's order.
    pub applied: Vec<AppliedStep>,
    /// Steps it lacks, in the order in which [`up`] runs them.
    pub pending: Vec<StepId>,
    /// Steps it has from a newer program; harmless, because steps only expand what older programs use.
    pub newer: Vec<StepId>,
}

struct Recorded {
    name: String,
    checksum: String,
    applied_at: jiff::Timestamp,
}

type Records = BTreeMap<(String, i32), Recorded>;

/// Where the database stands, with one query.
///
/// # Errors
/// [`MigrateError::Changed`], [`MigrateError::OutOfOrder`], or the database cannot be reached.
pub async fn status(owner: &ConnectionConfig, migrations: &Migrations) -> Result<Status, MigrateError> {
    let session = Session::open(owner).await?;
    let found = compare(&session, migrations).await;
    session.close().await;
    found
}

/// Runs the missing steps, each in its own transaction, and returns them. Costs one query when none is missing.
///
/// `owner` signs in as [`super::OWNER_ROLE`]. Safe to call from several processes at once: one runs, the others wait.
///
/// # Errors
/// [`MigrateError`]; the failed step has changed nothing, the steps before it stay.
pub async fn up(owner: &ConnectionConfig, migrations: &Migrations) -> Result<Vec<StepId>, MigrateError> {
    let session = Session::open(owner).await?;
    let done = run_missing(&session, migrations).await;
    session.close().await;
    done
}

async fn run_missing(session: &Session, migrations: &Migrations) -> Result<Vec<StepId>, MigrateError> {
    if compare(session, migrations).await?.pending.is_empty() {
        return Ok(Vec::new());
    }
    session.take_turn().await?;
    // Another process may have been faster.
    let pending = compare(session, migrations).await?.pending;
    for (domain, step) in migrations.steps() {
        let id = id(domain, step);
        if pending.contains(&id) {
            run_step(session, domain, step).await?;
            tracing::info!(step = %id, "migration applied");
        }
    }
    Ok(pending)
}

async fn run_step(session: &Session, domain: &str, step: &Migration) -> Result<(), MigrateError> {
    let record = format!(
        "insert into db.migration (domain, version, name, checksum) values ('{domain}', {}, '{}', '{}')",
        step.version,
        step.name,
        step.checksum()
    );
    let done = if step.sql.starts_with(NO_TRANSACTION) {
        run_outside_transaction(session, domain, step.sql, &record).await
    } else {
        // A lock that cannot be had soon would hold up all traffic behind it: rather fail and be run again.
        let sql = format!(
            "begin; set local lock_timeout = '10s'; set local statement_timeout = 0; \
             set local app.migrating = 'on';\n{}\n;{record}; commit",
            step.sql
        );
        session.batch_execute(&sql).await
    };
    if let Err(error) = done {
        let reason = reason(&error);
        // Fails only when the connection is gone, which rolls back too.
        let _ = session.batch_execute("rollback").await;
        return Err(MigrateError::Step { step: id(domain, step).to_string(), reason });
    }
    Ok(())
}

/// An interrupted `create index concurrently` leaves an invalid index of that name: away with it first.
async fn run_outside_transaction(
    session: &Session,
    domain: &str,
    sql: &str,
    record: &str,
) -> Result<(), tokio_postgres::Error> {
    for row in session.query(include_str!("invalid_indexes.sql"), &[&domain]).await? {
        session.batch_execute(&format!("drop index concurrently {}", row.get::<_, String>(0))).await?;
    }
    session.batch_execute(sql).await?;
    session.batch_execute(record).await
}

async fn compare(session: &Session, migrations: &Migrations) -> Result<Status, MigrateError> {
    let mut records = recorded(session).await?;
    let mut status = Status::default();
    for domain in migrations.domains() {
        compare_domain(domain, &mut records, &mut status)?;
    }
    status.newer = records
        .into_iter()
        .map(|((domain, version), recorded)| StepId { domain, version, name: recorded.name })
        .collect();
    Ok(status)
}

fn compare_domain(
    domain: &DomainMigrations,
    records: &mut Records,
    status: &mut Status,
) -> Result<(), MigrateError> {
    let mut missing = false;
    for (step, expected) in domain.steps.iter().zip(1..) {
        let step_id = id(domain.domain, step);
        let out_of_order = |reason| MigrateError::OutOfOrder { step: step_id.to_string(), reason };
        if step.version != expected {
            return Err(out_of_order("versions must be 1, 2, 3 without gaps"));
        }
        match records.remove(&(domain.domain.to_owned(), step.version)) {
            Some(_) if missing => return Err(out_of_order("it was applied but an earlier one was not")),
            Some(found) if found.checksum != step.checksum() => {
                return Err(MigrateError::Changed { step: step_id.to_string() });
            }
            Some(found) => {
                status.applied.push(AppliedStep { step: step_id, applied_at: found.applied_at });
            }
            None => {
                missing = true;
                status.pending.push(step_id);
            }
        }
    }
    Ok(())
}

async fn recorded(session: &Session) -> Result<Records, MigrateError> {
    match session.query(include_str!("recorded.sql"), &[]).await {
        Ok(rows) => Ok(rows
            .iter()
            .map(|row| {
                let recorded = Recorded { name: row.get(2), checksum: row.get(3), applied_at: row.get(4) };
                ((row.get(0), row.get(1)), recorded)
            })
            .collect()),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(Records::new()),
        Err(error) => Err(MigrateError::setup("cannot read which migrations were applied")(error)),
    }
}

fn id(domain: &str, step: &Migration) -> StepId {
    StepId { domain: domain.to_owned(), version: step.version, name: step.name.to_owned() }
}
