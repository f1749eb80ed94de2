//! Security events: refused and successful sign-ins, tenant mismatches, refused requests; apart from audit.

mod log;

pub(crate) use log::SecurityLog;
pub(crate) use log::{Event, Kind};
