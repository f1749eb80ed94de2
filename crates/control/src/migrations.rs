//! The steps of the control database.

use db::{DomainMigrations, Migration};

/// The schema of the control database.
pub const MIGRATIONS: DomainMigrations = DomainMigrations {
    domain: "control",
    steps: &[
        Migration { version: 1, name: "control", sql: include_str!("../migrations/0001_control.sql") },
        Migration { version: 2, name: "invitation", sql: include_str!("../migrations/0002_invitation.sql") },
        Migration {
            version: 3,
            name: "operator_generation",
            sql: include_str!("../migrations/0003_operator_generation.sql"),
        },
        Migration {
            version: 4,
            name: "event_subject",
            sql: include_str!("../migrations/0004_event_subject.sql"),
        },
        Migration {
            version: 5,
            name: "events_by_tenant",
            sql: include_str!("../migrations/0005_events_by_tenant.sql"),
        },
        Migration {
            version: 6,
            name: "events_by_kind",
            sql: include_str!("../migrations/0006_events_by_kind.sql"),
        },
        Migration { version: 7, name: "rate_limit", sql: include_str!("../migrations/0007_rate_limit.sql") },
        Migration {
            version: 8,
            name: "feature_flags",
            sql: include_str!("../migrations/0008_feature_flags.sql"),
        },
        Migration {
            version: 9,
            name: "tenant_probe",
            sql: include_str!("../migrations/0009_tenant_probe.sql"),
        },
        Migration { version: 10, name: "usage", sql: include_str!("../migrations/0010_usage.sql") },
        Migration {
            version: 11,
            name: "usage_facts",
            sql: include_str!("../migrations/0011_usage_facts.sql"),
        },
        Migration {
            version: 12,
            name: "usage_database",
            sql: include_str!("../migrations/0012_usage_database.sql"),
        },
    ],
};
