//! Messages between modules: outbox, relay, inbox, dead letters; and scheduled jobs.
#![doc = include_str!("../README.md")]

mod asyncapi;
mod bell;
mod catalogue;
mod consumer;
mod dead_letters;
mod envelope;
mod jobs;
mod lookup;
mod probe;
mod publish;
mod relay;
mod request;
mod retry;
mod spans;
mod upkeep;

use db::migrate::{DomainMigrations, Migration};

pub use asyncapi::{NameClash, asyncapi, breaking_changes};
pub use catalogue::MessageType;
pub use consumer::{Consumer, ConsumerError};
pub use dead_letters::{
    DEAD_LETTERS_PAGE_MAX, DeadLetter, DeadLetterFilter, DeadLetterId, DeadLetterPage, DeadLetters,
    DeadLettersError,
};
pub use envelope::{CloudEvent, Message, MessageId};
pub use jobs::{DuplicateJob, Job, JobCtx, JobEnd, JobError, JobRecord, JobRun, Jobs, JobsConfig, Schedule};
pub use lookup::{LookupError, TenantLookup};
pub use probe::LatencyProbe;
pub use publish::{Draft, publish, publish_stmt};
pub use relay::{
    BusKind, BusStatus, MessagesConfig, NatsConfig, Relay, RelayConfig, RelayConfigError, RelayError, Tally,
    Window, Windows,
};
pub use request::{EVERY_KIND, request, requesting_tenants};
pub use retry::RetryPolicy;
pub use upkeep::{DatabaseStatus, Retention, database_invariants, invariants, purge, purge_job};

/// The tables of messages, in every database of tenants.
pub const MIGRATIONS: DomainMigrations = DomainMigrations {
    domain: "messages",
    steps: &[
        Migration { version: 1, name: "messages", sql: include_str!("../migrations/0001_messages.sql") },
        Migration { version: 2, name: "rows", sql: include_str!("../migrations/0002_rows.sql") },
        Migration { version: 3, name: "requests", sql: include_str!("../migrations/0003_requests.sql") },
    ],
};

/// The table of jobs, in the control database.
pub const CONTROL_MIGRATIONS: DomainMigrations = DomainMigrations {
    domain: "messages",
    steps: &[Migration {
        version: 1,
        name: "jobs",
        sql: include_str!("../migrations/control/0001_jobs.sql"),
    }],
};
