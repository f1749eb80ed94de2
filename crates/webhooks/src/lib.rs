//! Webhooks: merchants are told of messages over HTTP, as the Standard Webhooks specification says.
#![doc = include_str!("../README.md")]

mod address;
mod change_webhooks;
mod check_webhooks;
mod claim;
mod collect;
mod config;
mod create_webhook;
mod delivery;
mod disable_webhook;
pub mod events;
mod http;
mod jobs;
mod model;
pub mod problems;
mod record;
mod replay_delivery;
mod rotate_secret;
mod schedule;
mod secret;
mod send_test;
mod sender;
mod subscription;
mod target;
mod update_webhook;

pub use check_webhooks::invariants;
pub use collect::CONSUMER;
pub use config::WebhooksConfig;
pub use create_webhook::{CreateWebhookError, WebhookInput, create_webhook};
pub use delivery::{Delivery, find_delivery, list_deliveries};
pub use http::routes;
pub use jobs::{KEEP_LOG, jobs, purge};
pub use model::{
    DESCRIPTION_MAX, DeliveryId, DeliveryState, DisabledReason, PENDING_MAX, RESPONSE_MAX, TYPES_MAX,
    URL_MAX, WEBHOOKS_MAX, WebhookId,
};
pub use replay_delivery::{ReplayDeliveryError, replay_delivery};
pub use rotate_secret::{OLD_SECRET_STAYS, RotateSecretError, rotate_secret};
pub use schedule::{GIVE_UP_AFTER, TRIES_MAX};
pub use send_test::{SendTestError, TEST_KIND, send_test};
pub use sender::{Parts, Webhooks, WebhooksError};
pub use subscription::{Webhook, find_webhook, list_webhooks};
pub use target::TargetError;
pub use update_webhook::{UpdateWebhookError, delete_webhook, update_webhook};

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "webhooks",
    steps: &[
        db::Migration { version: 1, name: "webhooks", sql: include_str!("../migrations/0001_webhooks.sql") },
        db::Migration {
            version: 2,
            name: "traceparent",
            sql: include_str!("../migrations/0002_traceparent.sql"),
        },
    ],
};
