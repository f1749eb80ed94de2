//! The edge as clients meet it: fake identity, fake registry, a small API of things; keys on a real database.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test says where")]

mod admission;
mod compression;
mod conditional;
mod costs;
mod documents;
mod headers;
mod health;
mod idempotency;
mod inputs;
mod limits;
mod logs;
mod problems;
mod rates;
mod server;
mod tls;
mod unix_socket;
mod world;
