//! Schemas: who may do what (`bootstrap`), step by step changes (`up`), and proofs that both are right.

mod bootstrap;
mod database;
mod error;
mod isolation;
pub mod lint;
mod prepare;
mod run;
mod session;

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

pub use bootstrap::{DatabaseSpec, Kind, bootstrap};
pub use database::{create_database, create_tenant_database, drop_database};
pub use error::MigrateError;
pub use isolation::isolation_findings;
pub use prepare::{owner_config, prepare};
pub use run::{AppliedStep, Status, StepId, status, up};

use crate::RolePasswords;

/// The role that owns all tables and runs migrations; not a superuser.
pub const OWNER_ROLE: &str = "markethall_owner";
/// The pristine tenant database of a cluster, copied for each tenant that gets its own.
pub const TEMPLATE_DATABASE: &str = "markethall_template";

/// The passwords of all roles that [`bootstrap`] makes.
#[derive(Clone)]
pub struct BootstrapPasswords {
    /// Of [`OWNER_ROLE`].
    pub owner: SecretString,
    /// Of the roles that serve requests.
    pub roles: RolePasswords,
}

/// One step of a domain's schema. Never changed once released: a later step changes what it did.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3 within the domain.
    pub version: i32,
    /// What it does, as in the file name.
    pub name: &'static str,
    /// The statements. A first line `-- no-transaction` runs the one statement of the file outside a transaction
    /// (`create index concurrently`).
    pub sql: &'static str,
}

impl Migration {
    /// SHA-256 of the statements, as 64 hexadecimal digits.
    #[must_use]
    pub fn checksum(&self) -> String {
        hex(&Sha256::digest(self.sql.as_bytes()))
    }
}

/// All steps of one domain, in ascending version.
#[derive(Debug, Clone, Copy)]
pub struct DomainMigrations {
    /// The domain, which is also the name of its schema.
    pub domain: &'static str,
    /// Its steps.
    pub steps: &'static [Migration],
}

const BOOKKEEPING: Migration =
    Migration { version: 1, name: "bookkeeping", sql: include_str!("../../migrations/0001_bookkeeping.sql") };

/// What every tenant database starts with; [`Migrations::tenant`] puts it first.
pub const TENANT_BASE: DomainMigrations = DomainMigrations {
    domain: "db",
    steps: &[
        BOOKKEEPING,
        Migration {
            version: 2,
            name: "isolation",
            sql: include_str!("../../migrations/tenant_0002_isolation.sql"),
        },
        Migration {
            version: 3,
            name: "estimates",
            sql: include_str!("../../migrations/tenant_0003_estimates.sql"),
        },
        Migration {
            version: 4,
            name: "measure",
            sql: include_str!("../../migrations/tenant_0004_measure.sql"),
        },
    ],
};

/// What the control database starts with; [`Migrations::control`] puts it first.
pub const CONTROL_BASE: DomainMigrations = DomainMigrations {
    domain: "db",
    steps: &[
        BOOKKEEPING,
        Migration {
            version: 2,
            name: "access",
            sql: include_str!("../../migrations/control_0002_access.sql"),
        },
    ],
};

/// The ordered steps of one kind of database: its base, then the domains as given.
#[derive(Debug, Clone)]
pub struct Migrations(Vec<DomainMigrations>);

impl Migrations {
    /// For tenant databases.
    pub fn tenant(domains: impl IntoIterator<Item = DomainMigrations>) -> Self {
        Self(std::iter::once(TENANT_BASE).chain(domains).collect())
    }

    /// For the control database.
    pub fn control(domains: impl IntoIterator<Item = DomainMigrations>) -> Self {
        Self(std::iter::once(CONTROL_BASE).chain(domains).collect())
    }

    /// The domains in order.
    #[must_use]
    pub fn domains(&self) -> &[DomainMigrations] {
        &self.0
    }

    /// Every step with its domain, in the order of running.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, &'static Migration)> {
        self.0.iter().flat_map(|domain| domain.steps.iter().map(move |step| (domain.domain, step)))
    }

    /// A short name for exactly this set of steps, 16 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (domain, step) in self.steps() {
            hash.update(format!("{domain}\0{}\0{}\0", step.version, step.checksum()));
        }
        hex(&hash.finalize())[..16].to_owned()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
