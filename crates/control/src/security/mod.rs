//! Security events: sign-ins, refused requests, changed keys and roles, data that left, guessed ids; apart from audit.

mod http;
mod list_events;
mod log;
mod model;

pub(crate) use http::routes;
pub use list_events::{EventFilter, list_events};
pub(crate) use log::{Event, SecurityLog};
pub use model::{EventKind, SecurityEventId, SecurityEventView};
