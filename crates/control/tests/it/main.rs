//! The control plane over real databases, behind the real gate.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod api_keys;
mod bills;
mod flags;
mod health;
mod invariants;
mod invitations;
mod issuers;
mod members;
mod oidc;
mod placement;
mod provisioning;
mod registry;
mod roles;
mod security;
mod sessions;
mod shards;
mod sign_in;
mod staff;
mod tenants;
mod tokens;
mod usage;
mod world;
