//! The edge as clients meet it: fake identity, fake registry, a small API of things; keys on a real database.

mod admission;
mod conditional;
mod documents;
mod headers;
mod health;
mod idempotency;
mod inputs;
mod limits;
mod logs;
mod problems;
mod server;
mod world;
